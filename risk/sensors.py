"""The sensors of a site, in the order of their keys, and what part each plays."""

from __future__ import annotations

from dataclasses import dataclass

from undercroft.quantities import STOCK_PREFIX
from undercroft.site.model import Gauge, Site, Space
from undercroft.site.places import depth_zero_level_m, devices_of, sensor_key

OTHER, LEVEL, BARRIER, PUMP, RAIN_TOTAL, RAIN_DEPTH, RAIN_INTENSITY, ONLINE, STOCK, MAINS, FLOAT = range(11)
"""Roles of a sensor."""

RAIN_ROLES = (RAIN_TOTAL, RAIN_DEPTH, RAIN_INTENSITY)

_ROLES = {
    "water_level_m": LEVEL,
    "water_depth_m": LEVEL,
    "barrier_state": BARRIER,
    "pump_running": PUMP,
    "rain_total_mm": RAIN_TOTAL,
    "rain_depth_mm": RAIN_DEPTH,
    "rain_intensity_mm_h": RAIN_INTENSITY,
    "online": ONLINE,
    "mains_power": MAINS,
    "float_lifted": FLOAT,
}


@dataclass(frozen=True, slots=True)
class SensorSpec:
    """One sensor as the engine knows it; ``key`` is its name in reasons and logs, ``at`` the probe of its device."""

    key: str
    device: str
    quantity: str
    role: int
    place: str
    entrance: str | None
    basin: str
    zero_level_m: float | None
    interval_dry_s: float
    interval_wet_s: float
    at: str = ""
    period_s: float | None = None


def _role(quantity: str) -> int:
    if quantity.startswith(STOCK_PREFIX):
        return STOCK
    return _ROLES.get(quantity, OTHER)


def sensors_of(site: Site) -> tuple[SensorSpec, ...]:
    """Return every sensor of a site and each device's ``online``, by key."""
    found: dict[str, SensorSpec] = {}
    for place, device in devices_of(site):
        online = (sensor_key(device.id, "", "online"), "online", None, None)
        named = [
            (sensor_key(device.id, sensor.at or "", sensor.quantity), sensor.quantity, sensor.entrance, sensor)
            for sensor in device.sensors
        ]
        for key, quantity, entrance, sensor in [online, *named]:
            found[key] = SensorSpec(
                key=key,
                device=device.id,
                quantity=quantity,
                role=_role(quantity),
                place=place.id,
                entrance=entrance,
                basin=_basin(place),
                zero_level_m=None if sensor is None else depth_zero_level_m(place, sensor),
                interval_dry_s=device.interval_dry_s,
                interval_wet_s=device.interval_wet_s,
                at="" if sensor is None else sensor.at or "",
                period_s=None if sensor is None else sensor.period_s,
            )
    return tuple(found[key] for key in sorted(found))


def _basin(place: Space | Gauge) -> str:
    return place.basin
