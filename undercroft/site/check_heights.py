"""Checks of one space: how its levels and depths stand to each other; `undercroft.site.limits` bounds each alone."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from undercroft.site.limits import LEVEL_LIMITS_M
from undercroft.site.model import Space
from undercroft.site.nodes import Node
from undercroft.site.problems import Problem, shown

HIGHEST_STEP_M = 3.0
"""A crest further above its roadway is a level and a depth mixed up. [m]"""
DEEPEST_SPACE_M = 100.0
LOWEST_CEILING_M, LEAST_WIDTH_M = 1.5, 0.3
"""What a person still gets through. [m]"""
DEEPEST_SUMP_M = 3.0
"""Sumps of stations and underpasses, and gullies in the road, are 1 to 3 m deep: a sensor whose zero lies deeper under
the floor or road that it watches would tell of no water while it stands there. A proposal. [m]"""
ZERO_LEVEL_WITHIN_M = 100.0
"""A gauge's zero level further from all roads and floors is of another datum or another unit. [m]"""


def space_height_problems(space: Node) -> Iterator[Problem]:
    """Yield what cannot be in one space."""
    yield from _entrance_problems(space)
    yield from _storage_problems(space)
    yield from _zero_problems(space)
    yield from _pump_problems(space)
    ceiling_m = space.number("ceiling_height_m")
    if ceiling_m is not None and 0.0 < ceiling_m < LOWEST_CEILING_M:
        yield space.problem("ceiling_height_m", f"at least {LOWEST_CEILING_M:g} m")


def zero_level_problems(top: Node) -> Iterator[Problem]:
    """Yield zero levels of gauge sites that are nowhere near the roads and floors of the file."""
    spaces = list(top.tables("space"))
    stated = [space.number("floor_level_m") for space in spaces]
    stated += [entrance.number("roadway_level_m") for space in spaces for entrance in space.tables("entrances")]
    known = [level for level in stated if level is not None]
    if not known:
        return
    least, most = min(known), max(known)
    lowest, highest = LEVEL_LIMITS_M  # beyond these the model has said so
    for place in top.tables("gauge"):
        for device in place.tables("devices"):
            for sensor in device.tables("sensors"):
                zero_m = sensor.number("zero_level_m")
                if zero_m is None or not lowest <= zero_m <= highest:
                    continue
                if not least - ZERO_LEVEL_WITHIN_M <= zero_m <= most + ZERO_LEVEL_WITHIN_M:
                    within = f"{ZERO_LEVEL_WITHIN_M:g} m of the roads and floors of this file, {least:g} to {most:g} m"
                    yield sensor.problem("zero_level_m", f"a level within {within}")


def _entrance_problems(space: Node) -> Iterator[Problem]:
    floor_m = space.number("floor_level_m")
    for entrance in space.tables("entrances"):
        width_m = entrance.number("width_m")
        if width_m is not None and 0.0 < width_m < LEAST_WIDTH_M:
            yield entrance.problem("width_m", f"at least {LEAST_WIDTH_M:g} m")
        crest_m, roadway_m = entrance.number("crest_level_m"), entrance.number("roadway_level_m")
        if crest_m is not None and floor_m is not None and not floor_m < crest_m <= floor_m + DEEPEST_SPACE_M:
            expected = f"a level above the floor of the space, {floor_m:g}, by at most {DEEPEST_SPACE_M:g} m"
            yield entrance.problem("crest_level_m", expected)
        if crest_m is not None and roadway_m is not None and not roadway_m <= crest_m <= roadway_m + HIGHEST_STEP_M:
            expected = f"a level at or above its roadway_level_m, {roadway_m:g}, by at most {HIGHEST_STEP_M:g} m"
            yield entrance.problem("crest_level_m", expected)


def _storage_problems(space: Node) -> Iterator[Problem]:
    before_m: float | None = None
    most_m = _deepest_m(space)
    for row in space.tables("storage"):
        depth_m = row.number("depth_m")
        if depth_m is None:
            continue
        if before_m is None and depth_m != 0.0:
            yield row.problem("depth_m", "0 in the first row")
        if before_m is not None and depth_m <= before_m:
            yield row.problem("depth_m", f"a depth above {before_m:g}, that of the row before")
        before_m = depth_m
        if depth_m > most_m:
            yield row.problem("depth_m", f"at most {most_m:g} m, to the ceiling or the highest crest")


def _ceiling_m(space: Node) -> float:
    return space.number("ceiling_height_m") or float(Space.model_fields["ceiling_height_m"].default)


def _rooms_m(space: Node) -> float:
    """Return the height of the rooms over the lowest floor. [m]"""
    ceiling_m = _ceiling_m(space)
    exposure = space.inner("exposure")
    return ceiling_m * max((exposure and exposure.number("floors_below")) or 1.0, 1.0)


def _deepest_m(space: Node) -> float:
    """Return the most water that a space can hold over its lowest floor; infinite where its levels are missing. [m]"""
    floor_m = space.number("floor_level_m")
    crests = [crest for door in space.tables("entrances") if (crest := door.number("crest_level_m")) is not None]
    return inf if floor_m is None or not crests else max(max(crests) - floor_m, _rooms_m(space))


def _zero_problems(space: Node) -> Iterator[Problem]:
    """Yield zeros of sensors that are in no room and at no road of their space."""
    floor_m = space.number("floor_level_m")
    roads = {door.text("id"): door.number("roadway_level_m") for door in space.tables("entrances")}
    lowest, highest = LEVEL_LIMITS_M  # beyond these the model has said so
    for device in space.tables("devices"):
        for sensor in device.tables("sensors"):
            zero_m, entrance = sensor.number("zero_level_m"), sensor.text("entrance")
            ground_m = floor_m if entrance is None else roads.get(entrance)
            if zero_m is None or ground_m is None or not lowest <= zero_m <= highest:
                continue
            least_m = ground_m - DEEPEST_SUMP_M
            most_m = ground_m + (_rooms_m(space) if entrance is None else HIGHEST_STEP_M)
            if not least_m <= zero_m <= most_m:
                ground = "floor of the space" if entrance is None else "roadway of its entrance"
                yield sensor.problem("zero_level_m", f"{least_m:g} to {most_m:g}, by the {ground}, {ground_m:g}")


def _pump_problems(space: Node) -> Iterator[Problem]:
    ceiling_m = _ceiling_m(space)
    for pump in space.tables("pumps"):
        on_m, off_m = pump.number("on_depth_m"), pump.number("off_depth_m")
        if on_m is not None and off_m is not None and on_m <= off_m:
            yield pump.problem("on_depth_m", f"a depth above off_depth_m, {off_m:g}", found=shown(on_m))
        if on_m is not None and on_m >= ceiling_m > 0.0:
            yield pump.problem("on_depth_m", f"a depth below the ceiling, {ceiling_m:g} m")
