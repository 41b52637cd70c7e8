"""The site of ``undercroft bench series``: as many sensors as are asked for, each a device of its own.

Of every hundred sensors 60 are depths inside as many spaces, 20 barriers and 10 street levels at their entrances,
5 rain gauges, 4 pumps, and 1 counts sandbags. `bench_fill_site` writes the same devices, by name, into a database.
"""

from __future__ import annotations

from undercroft.model import SpaceKind
from undercroft.site.model import (
    Barrier,
    Basin,
    Device,
    District,
    Entrance,
    Gauge,
    Pump,
    SensorDef,
    Site,
    Space,
    Stock,
    StorageRow,
)

BASIN = "bench"
STREET_M, CREST_M = 0.5, 0.65
CATCHMENTS_M2 = (4_000.0, 10_000.0, 25_000.0)
"""By turns, so that streets flood by different depths. [m²]"""


def bench_site(sensors: int) -> Site:
    """Return the site; of every kind there is at least one."""
    of = {name: max(1, sensors * share // 100) for name, share in SHARES.items()}
    return Site(
        district=District(id="bench", name_zh="测", name_en="bench", datum="bench"),
        basin=(Basin(id=BASIN, name_zh="测", name_en="bench"),),
        gauge=tuple(_gauge(number) for number in range(1, of["gauge"] + 1)),
        space=tuple(_space(number, of) for number in range(1, of["depth"] + 1)),
    )


SHARES = {"depth": 60, "barrier": 20, "level": 10, "gauge": 5, "pump": 4, "stock": 1}
"""Sensors of each kind, of a hundred."""


def _space(number: int, of: dict[str, int]) -> Space:
    sensors = {
        "depth": (f"bench-{number}-d", SensorDef(quantity="water_depth_m")),
        "barrier": (f"bench-{number}-b", SensorDef(quantity="barrier_state", entrance="a")),
        "level": (f"bench-{number}-l", SensorDef(quantity="water_level_m", entrance="a")),
        "pump": (f"bench-{number}-p", SensorDef(quantity="pump_running")),
        "stock": (f"bench-depot-{number}-s", SensorDef(quantity="stock_sandbag")),
    }
    return Space(
        id=f"bench-{number}",
        name_zh="测",
        name_en="bench",
        street="bench",
        lat=22.5,
        lon=114.0,
        kind=SpaceKind.CAR_PARK,
        basin=BASIN,
        floor_level_m=0.0,
        catchment_m2=CATCHMENTS_M2[number % len(CATCHMENTS_M2)],
        storage=(StorageRow(depth_m=0.0, area_m2=900.0), StorageRow(depth_m=3.0, area_m2=900.0)),
        entrances=(
            Entrance(
                id="a",
                name_zh="口",
                name_en="entrance",
                width_m=6.0,
                crest_level_m=CREST_M,
                roadway_level_m=STREET_M,
                barrier=Barrier(height_m=0.8, deploy_min=10.0),
            ),
        ),
        pumps=(Pump(id="p", capacity_m3_s=0.05, on_depth_m=0.05, off_depth_m=0.02),),
        devices=tuple(
            Device(id=device, sensors=(sensor,)) for kind, (device, sensor) in sensors.items() if number <= of[kind]
        ),
        stock=(Stock(item="sandbag", quantity=20.0),),
    )


def _gauge(number: int) -> Gauge:
    return Gauge(
        id=f"bench-gauge-{number}",
        name_zh="测",
        name_en="bench",
        street="bench",
        lat=22.5,
        lon=114.0,
        basin=BASIN,
        devices=(Device(id=f"bench-gauge-{number}-r", sensors=(SensorDef(quantity="rain_total_mm"),)),),
    )
