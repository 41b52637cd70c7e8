"""Checks of devices and their sensors."""

from __future__ import annotations

from collections.abc import Iterator

from undercroft.quantities import QUANTITIES, STOCK_PREFIX, quantity_of
from undercroft.site.model import Device
from undercroft.site.nodes import Node
from undercroft.site.problems import Problem

DEPTH = "water_depth_m"
_BARRIER = frozenset({"barrier_state", "barrier_seal_bar"})
_AUTOMATIC = "online"
_FLOAT = "float_lifted"


def is_depth(sensor: Node) -> bool:
    """Tell whether a sensor measures water, as depth or as level."""
    return sensor.text("quantity") in {DEPTH, "water_level_m"}


def is_rain(sensor: Node) -> bool:
    """Tell whether a sensor measures rain."""
    return (sensor.text("quantity") or "").startswith("rain_")


def device_problems(top: Node) -> Iterator[Problem]:
    """Yield what cannot be among the devices of the district."""
    seen: set[str] = set()
    for place in (*top.tables("space"), *top.tables("gauge")):
        for device in place.tables("devices"):
            ident = device.text("id")
            if ident is not None and ident in seen:
                yield device.problem("id", "a device id used once only in the whole district")
            seen |= {ident} if ident else set()
            yield from _interval_problems(device)
            yield from _sensor_problems(place, device)


def _interval_problems(device: Node) -> Iterator[Problem]:
    dry_s, wet_s = (_interval_s(device, key) for key in ("interval_dry_s", "interval_wet_s"))
    if dry_s is not None and wet_s is not None and wet_s > dry_s:
        yield device.problem("interval_wet_s", f"at most interval_dry_s, {dry_s:g}", found=f"{wet_s:g}")


def _interval_s(device: Node, key: str) -> float | None:
    default: float = Device.model_fields[key].default
    return device.number(key) if key in device.table else default


def _sensor_problems(place: Node, device: Node) -> Iterator[Problem]:
    seen: set[tuple[str, str]] = set()
    for sensor in device.tables("sensors"):
        name = sensor.text("quantity")
        if name is None:
            continue
        key = (sensor.text("at") or "", name)
        if key in seen:
            yield sensor.problem("quantity", "one sensor for each device, probe (at) and quantity")
        seen.add(key)
        yield from _quantity_problems(sensor, name)
        yield from _entrance_problems(place, sensor, name)
        yield from _zero_problems(place, sensor, name)
        if "period_s" in sensor.table and name != "rain_depth_mm":
            yield sensor.problem("period_s", f"nothing: {name} has no period")


def _quantity_problems(sensor: Node, name: str) -> Iterator[Problem]:
    if name == _AUTOMATIC:
        yield sensor.problem("quantity", "another quantity; every device has `online` without being told")
    elif quantity_of(name) is None:
        known = ", ".join(quantity for quantity in QUANTITIES if quantity != _AUTOMATIC)
        yield sensor.problem("quantity", f"one of {known} or {STOCK_PREFIX}<item>")


def _entrance_problems(place: Node, sensor: Node, name: str) -> Iterator[Problem]:
    entrances = {entrance.text("id"): entrance for entrance in place.tables("entrances")}
    ident = sensor.text("entrance")
    if ident is not None and ident not in entrances:
        known = ", ".join(sorted(key for key in entrances if key is not None)) or "this place has none"
        yield sensor.problem("entrance", f"an entrance of this place: {known}")
    elif name in _BARRIER and (ident is None or "barrier" not in entrances[ident].table):
        yield sensor.problem("entrance", f"an entrance with a barrier, for {name}")


def _zero_problems(place: Node, sensor: Node, name: str) -> Iterator[Problem]:
    stated = "zero_level_m" in sensor.table
    if stated and name not in {DEPTH, _FLOAT}:
        yield sensor.problem("zero_level_m", f"no zero level for {name}; only {DEPTH} and {_FLOAT} have one")
    if not stated and name == _FLOAT:
        yield sensor.problem("zero_level_m", "the level at which the float switch trips")
    if not stated and name == DEPTH and place.path[0] == "gauge":
        yield sensor.problem("zero_level_m", "the level of depth 0, since a gauge site has no floor")
