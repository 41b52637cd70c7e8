"""Walks over a site: its places, their devices, and where a depth sensor has its zero."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from undercroft.site.model import Depot, Device, Gauge, SensorDef, Site, Space

PlaceKind = Literal["space", "gauge", "depot"]

CANARY_PREFIX = "canary"
"""A device whose id begins so measures no water: it speaks for the chain from sensor to alarm."""


def places_of(site: Site) -> Iterator[tuple[PlaceKind, Space | Gauge | Depot]]:
    """Yield every place with its kind: spaces, gauges, depots, each in the order of the file."""
    for space in site.spaces:
        yield "space", space
    for gauge in site.gauges:
        yield "gauge", gauge
    for depot in site.depots:
        yield "depot", depot


def devices_of(site: Site) -> Iterator[tuple[Space | Gauge, Device]]:
    """Yield every device with the place it stands at, in the order of the file."""
    equipped: tuple[Space | Gauge, ...] = (*site.spaces, *site.gauges)
    for place in equipped:
        for device in place.devices:
            yield place, device


def sensor_key(device_id: str, at: str, quantity: str) -> str:
    """Return the name of a sensor.

    Examples
    --------
    >>> sensor_key("lvl-1", "", "water_depth_m"), sensor_key("lvl-1", "north", "water_depth_m")
    ('lvl-1:water_depth_m', 'lvl-1/north:water_depth_m')
    """
    return f"{device_id}/{at}:{quantity}" if at else f"{device_id}:{quantity}"


def is_canary(device: Device) -> bool:
    """Tell whether a device speaks for the chain only."""
    return device.id.startswith(CANARY_PREFIX)


def depth_zero_level_m(place: Space | Gauge, sensor: SensorDef) -> float | None:
    """Return the level at which this sensor reads 0. [m over datum] None: it measures no depth.

    Stated in the file, else the roadway of the entrance it watches, else the floor of its space.
    """
    if sensor.zero_level_m is not None:
        return sensor.zero_level_m
    if sensor.quantity != "water_depth_m" or isinstance(place, Gauge):
        return None
    for entrance in place.entrances:
        if entrance.id == sensor.entrance:
            return entrance.roadway_level_m
    return place.floor_level_m
