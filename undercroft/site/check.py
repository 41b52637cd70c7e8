"""Checks across fields: identifiers and references. Heights, devices and thresholds have files of their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from zoneinfo import available_timezones

from undercroft.site.check_decoders import decoder_problems
from undercroft.site.check_devices import device_problems, is_depth, is_rain
from undercroft.site.check_heights import space_height_problems, zero_level_problems
from undercroft.site.check_thresholds import threshold_problems
from undercroft.site.nodes import Node
from undercroft.site.problems import Problem


def cross_problems(document: dict[str, Any]) -> list[Problem]:
    """Return all that is impossible although each field by itself is well formed."""
    top = Node(document)
    return [
        *_identifier_problems(top),
        *_name_problems(top),
        *_street_problems(top),
        *_reference_problems(top),
        *_position_problems(top),
        *_supply_problems(top),
        *threshold_problems(top),
        *_command_problems(top),
        *_district_problems(top),
        *device_problems(top),
        *decoder_problems(top),
        *zero_level_problems(top),
        *(problem for space in top.tables("space") for problem in space_height_problems(space)),
    ]


def places(top: Node) -> Iterator[Node]:
    """Yield spaces, gauges and depots."""
    for key in ("space", "gauge", "depot"):
        yield from top.tables(key)


def _repeated(nodes: Iterable[Node], key: str, scope: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for node in nodes:
        ident = node.text(key)
        if ident is None:
            continue
        if ident in seen:
            yield node.problem(key, f"{scope} used once only")
        seen.add(ident)


def _identifier_problems(top: Node) -> Iterator[Problem]:
    yield from _repeated(top.tables("basin"), "id", "a basin id")
    yield from _repeated(places(top), "id", "a place id (space, gauge or depot)")
    yield from _repeated(top.tables("threshold_set"), "id", "a threshold set id")
    for space in top.tables("space"):
        yield from _repeated(space.tables("entrances"), "id", "an entrance id")
        yield from _repeated(space.tables("pumps"), "id", "a pump id")


def _name_problems(top: Node) -> Iterator[Problem]:
    """Yield places named as another is: in an alarm, or beside a drawn line, one would be taken for the other."""
    seen: dict[tuple[str, str], str] = {}
    for place in places(top):
        name, ident = (place.text("name_zh") or "", place.text("name_en") or ""), place.text("id") or ""
        if not any(name):
            continue
        if name in seen:
            yield place.problem("name_zh", f"a name of its own: {seen[name]} is called so too")
        seen.setdefault(name, ident)


def _street_problems(top: Node) -> Iterator[Problem]:
    """Yield streets that nobody could choose in Grafana: newer ones send another text where such a quote is in it."""
    for place in places(top):
        if '"' in (place.text("street") or ""):
            yield place.problem("street", 'a name without straight double quotes ("): write 「」 or “ ”')


def _known(idents: set[str], what: str) -> str:
    return f"the id of {what}: " + (", ".join(sorted(idents)) if idents else "there is none")


def _reference_problems(top: Node) -> Iterator[Problem]:
    basins = _idents(top.tables("basin"))
    for place in (*top.tables("space"), *top.tables("gauge")):
        basin = place.text("basin")
        if basin is not None and basin not in basins:
            yield place.problem("basin", _known(basins, "a basin of this file"))
    for space in top.tables("space"):
        entrances = _idents(space.tables("entrances"))
        for need in space.tables("requirements"):
            entrance = need.text("entrance")
            if entrance is not None and entrance not in entrances:
                yield need.problem("entrance", _known(entrances, "an entrance of this space"))


def _position_problems(top: Node) -> Iterator[Problem]:
    """Yield places at 0, 0, which is what a form without a position gives: no land lies there."""
    for place in places(top):
        if place.number("lat") == 0.0 and place.number("lon") == 0.0:
            yield place.problem("lat", "the place's own position; 0, 0 lies in the Atlantic")


def _idents(nodes: Iterable[Node], key: str = "id") -> set[str]:
    return {ident for node in nodes if (ident := node.text(key)) is not None}


def _supply_problems(top: Node) -> Iterator[Problem]:
    items = {item for place in places(top) for item in _idents(place.tables("stock"), "item")}
    for place in places(top):
        yield from _repeated(place.tables("stock"), "item", "an item of this place")
    for space in top.tables("space"):
        seen: set[tuple[str | None, str]] = set()
        for need in space.tables("requirements"):
            item = need.text("item")
            if item is None:
                continue
            if item not in items:
                known = ", ".join(sorted(items)) or "there is none"
                yield need.problem("item", f"an item that is in stock somewhere, with quantity 0 if need be: {known}")
            if (need.text("entrance"), item) in seen:
                yield need.problem("item", "an item required once only for this entrance or space")
            seen.add((need.text("entrance"), item))


def _command_problems(top: Node) -> Iterator[Problem]:
    spaces, seen = _idents(top.tables("space")), set()
    for row in top.tables("command"):
        space = row.text("space")
        if space is not None and space not in spaces:
            yield row.problem("space", _known(spaces, "a space of this file"))
        key = (space, row.text("kind"), row.text("severity"))
        if key in seen:
            yield row.problem("severity", "one row for each space, kind and severity")
        seen.add(key)


def _district_problems(top: Node) -> Iterator[Problem]:
    district = top.inner("district")
    zone = district.text("timezone") if district else None
    if district and zone is not None and zone not in available_timezones():
        yield district.problem("timezone", "a time zone of the IANA list, such as Asia/Shanghai")


def coverage_gaps(document: dict[str, Any]) -> list[Problem]:
    """Return what is possible but leaves somebody unprotected or unwatched. Not errors."""
    top = Node(document)
    return [
        *(gap for space in top.tables("space") for gap in _space_gaps(space)),
        *_basin_gaps(top),
    ]


def _space_gaps(space: Node) -> Iterator[Problem]:
    sensors = [sensor for device in space.tables("devices") for sensor in device.tables("sensors")]
    watched = {sensor.text("entrance") for sensor in sensors if is_depth(sensor)}
    switched = {sensor.text("entrance") for sensor in sensors if sensor.text("quantity") == "barrier_state"}
    if None not in watched:
        yield space.problem("devices", "a level sensor inside the space", found="none")
    for entrance in space.tables("entrances"):
        barrier = entrance.inner("barrier")
        if barrier is None and entrance.table.get("barrier_needed", True):
            yield entrance.problem("barrier", "a flood barrier, since one is needed here", found="none")
        if barrier is not None and entrance.text("id") not in switched:
            yield entrance.problem("barrier", "a barrier_state sensor for this barrier", found="none")
        if entrance.text("id") not in watched:
            yield entrance.problem("id", "a level sensor outside this entrance", found="none")


def _basin_gaps(top: Node) -> Iterator[Problem]:
    gauged = {
        place.text("basin")
        for place in (*top.tables("gauge"), *top.tables("space"))
        for device in place.tables("devices")
        for sensor in device.tables("sensors")
        if is_rain(sensor)
    }
    for basin in top.tables("basin"):
        if basin.text("id") not in gauged:
            yield basin.problem("id", "a rain gauge in this basin", found="none")
