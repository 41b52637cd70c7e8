"""A district for FloodNet's sensors: each one a road underpass with one depth gauge at its lowest point.

The gauges are real, the underpasses are not: FloodNet's sensors hang over ordinary streets. The geometry is the same
for all and stands for nothing; only the depth over the roadway is measured.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from simulators.floodnet.events import FloodEvent, FloodSensor
from undercroft.errors import ScenarioInvalid
from undercroft.model import SpaceKind
from undercroft.site.model import Basin, Device, District, Entrance, SensorDef, Site, Space, StorageRow

DISTRICT = "floodnet-nyc"

REPORT_EVERY_S = 600.0
"""Outside an event the network shows no readings; one every ten minutes is implied. [s]"""

_STORAGE = (
    StorageRow(depth_m=0.0, area_m2=100.0),
    StorageRow(depth_m=0.3, area_m2=400.0),
    StorageRow(depth_m=1.0, area_m2=1000.0),
)
_ENTRANCE = Entrance(
    id="road",
    name_zh="道路",
    name_en="Road",
    width_m=8.0,
    crest_level_m=0.5,
    roadway_level_m=0.5,
    barrier_needed=False,
)


def device_id(sensor_id: str) -> str:
    """Return the identifier of a sensor's space and device: its id in lower case, other signs as hyphens.

    Examples
    --------
    >>> device_id("BX-louis-niñé-bl-southern-bl-0pmu80")
    'bx-louis-nine-bl-southern-bl-0pmu80'
    """
    plain = unicodedata.normalize("NFKD", sensor_id).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40]


def floodnet_site(events: Iterable[FloodEvent], sensors: Sequence[FloodSensor]) -> Site:
    """Return a district of the sensors that have events.

    Raises
    ------
    ScenarioInvalid
        If two sensors would get the same identifier.
    """
    with_events = {event.sensor_id for event in events}
    used = [
        sensor for sensor in sorted(sensors, key=lambda sensor: sensor.sensor_id) if sensor.sensor_id in with_events
    ]
    by_id: dict[str, str] = {}
    for sensor in used:
        other = by_id.setdefault(device_id(sensor.sensor_id), sensor.sensor_id)
        if other != sensor.sensor_id:
            raise ScenarioInvalid(f"sensors {other} and {sensor.sensor_id} get the same identifier")
    boroughs = sorted({sensor.borough for sensor in used})
    return Site(
        district=District(
            id=DISTRICT,
            name_zh="纽约 FloodNet（实测水深，几何为假设）",
            name_en="New York FloodNet (measured depths, assumed geometry)",
            timezone="America/New_York",
            datum="each roadway at its gauge is 0; levels of different spaces cannot be compared",
        ),
        basin=tuple(Basin(id=device_id(name), name_zh=name, name_en=name) for name in boroughs),
        space=tuple(_underpass(sensor) for sensor in used),
    )


def _underpass(sensor: FloodSensor) -> Space:
    ident = device_id(sensor.sensor_id)
    return Space(
        id=ident,
        name_zh=sensor.name,
        name_en=sensor.name,
        street=sensor.street,
        lat=sensor.lat,
        lon=sensor.lon,
        kind=SpaceKind.UNDERPASS,
        basin=device_id(sensor.borough),
        floor_level_m=0.0,
        storage=_STORAGE,
        entrances=(_ENTRANCE,),
        devices=(
            Device(
                id=ident,
                interval_dry_s=REPORT_EVERY_S,
                interval_wet_s=REPORT_EVERY_S,
                sensors=(SensorDef(quantity="water_depth_m"),),
            ),
        ),
    )
