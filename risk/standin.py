"""Stand-ins for blind spaces: what the nearest neighbour that still speaks, and rain, say in place of a silent sensor.

A stand-in is named and marked wherever it counts. It may raise a level, it never clears one:

- *Water*: the nearest fresh level sensor of the basin: at an entrance of another space (its depth over the road there
  is taken for the road here), or at a gauge site (its level over the datum). Roads of underpasses stand in for roads of
  underpasses only: they are the lowest points.
- *Rain*: the nearest fresh gauge, first of the basin, else within 5 km. The basin's own rain counts by its own rule;
  that of another basin counts here, by the same thresholds.

Of those nearer that fell silent, or that a site import took out with a word that stands (`risk.left`), what they said
last counts beside it: silence is never better than no news.

It is held against the thresholds of the silent entrances, and reaches orange at most: measured elsewhere, it does not
say that people here are in danger now. The worst that stood in counts until the space itself is heard again, also when
the stand-in falls or falls silent, or the rain ends. An alarm wants it on two readings in a row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from risk.arrays import NEVER_US, BoolArray, SiteArrays, iso
from risk.levels import RULE_NAMES, least_at, settled, shown_value_m
from risk.neighbours import Neighbours
from risk.state import STAND_IN, EngineState, StoodIn
from risk.thresholds import RAIN_RULES, WET_DEPTH_M

MOST = 3
"""Orange: what is measured elsewhere never gives red. Proposal."""


@dataclass(frozen=True, slots=True)
class StandIns:
    """The sensors that stand in for a space now; -1 for none."""

    water: int
    rain: int


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of the spaces at this tick: fresh sensors, closed barriers, silent and blind spaces."""

    fresh: BoolArray
    closed: BoolArray
    silent: BoolArray
    blind: BoolArray


def fold_stand_ins(
    state: EngineState,
    arrays: SiteArrays,
    neighbours: Neighbours,
    told: Told,
    views: tuple[NDArray[np.int8], ...],
) -> dict[int, StandIns]:
    """Fill the family of stand-ins in every view, and return who stands in for which space now."""
    for name in [name for name in state.stand_ins if not told.silent[arrays.space_index[name]]]:
        del state.stand_ins[name]
    heard = told.fresh & (state.evidence_us != NEVER_US)
    found: dict[int, StandIns] = {}
    for space in np.flatnonzero(told.blind).tolist():
        water, rain = neighbours.water(space), neighbours.rain(space)
        found[space] = StandIns(_first(water, heard), _first(rain, heard))
        readings = [(_water(state, arrays, neighbours, space, s, told), s) for s in _up_to_first(state, water, heard)]
        readings += [(_rain(state, arrays, space, s), s) for s in _up_to_first(state, rain, heard)]
        known = [(reading, s) for reading, s in readings if reading is not None]
        if known:
            worst, sensor = max(known, key=lambda pair: (pair[0].severity, pair[0].rule))
            name = arrays.spaces[space].id
            if not heard[sensor]:  # no second reading will come to bear its last word out
                worst = replace(worst, confirmed=worst.severity)
            state.stand_ins[name] = _taken(state.stand_ins.get(name), worst)
    now, candidate, below, lasting = views
    for name, stood in state.stand_ins.items():
        space = arrays.space_index[name]
        candidate[STAND_IN, space] = stood.confirmed
        now[STAND_IN, space] = below[STAND_IN, space] = lasting[STAND_IN, space] = stood.severity
    return found


def _first(sensors: NDArray[np.int64], heard: BoolArray) -> int:
    hits = np.flatnonzero(heard[sensors])
    return int(sensors[hits[0]]) if hits.size else -1


def _up_to_first(state: EngineState, sensors: NDArray[np.int64], heard: BoolArray) -> list[int]:
    """Return the nearest sensor that speaks, and those nearer that fell silent: what they said last still counts."""
    speaking = np.flatnonzero(heard[sensors])
    within = sensors[: int(speaking[0]) + 1] if speaking.size else sensors
    spoke: list[int] = within[state.evidence_us[within] != NEVER_US].tolist()
    return spoke


def _taken(old: StoodIn | None, new: StoodIn) -> StoodIn:
    """Return the worst that stood in, and whether two readings in a row said so, or the last of one that is silent."""
    if old is None:
        return new
    confirmed = max(old.confirmed, new.confirmed)
    if (new.last_us, new.sensor) != (old.last_us, old.last_sensor):
        confirmed = max(confirmed, min(new.severity, old.last_severity))
    worst = new if new.severity >= old.severity else old
    return replace(
        worst, confirmed=confirmed, last_severity=new.severity, last_us=new.last_us, last_sensor=new.last_sensor
    )


def _reading(severity: int, rule: str, value: float, sensor: str, entrance: str, at_us: int) -> StoodIn:
    return StoodIn(severity, 0, rule, value, sensor, entrance, at_us, severity, at_us, sensor)


def depth_m(state: EngineState, arrays: SiteArrays, neighbours: Neighbours, sensor: int, ground_m: float) -> float:
    """Return the depth over a road that a sensor elsewhere stands for: its own depth, or its level over that road."""
    held = float(state.held[sensor])
    return (
        held if arrays.s_space[sensor] >= 0 else float(settled(np.asarray(held + neighbours.zero_m(sensor) - ground_m)))
    )


def _water(
    state: EngineState, arrays: SiteArrays, neighbours: Neighbours, space: int, sensor: int, told: Told
) -> StoodIn | None:
    """Return the worst that a sensor elsewhere means at the entrances of a space that are silent."""
    if sensor < 0:
        return None
    place = arrays.spaces[space]
    best: tuple[int, float, StoodIn] | None = None
    for entrance in _silent_places(state, arrays, space, told):
        ground = place.floor_level_m if entrance < 0 else float(arrays.e_roadway_m[entrance])
        depth = depth_m(state, arrays, neighbours, sensor, ground)
        if not depth >= WET_DEPTH_M.value:
            continue
        shut = entrance >= 0 and bool(told.closed[entrance])
        least, rules = least_at(arrays, space, entrance, closed=shut)
        reached = min(max((row + 1 for row in range(4) if depth >= least[row]), default=0), MOST)
        if reached == 0 or (best is not None and (reached, depth) <= best[:2]):
            continue
        rule = rules[reached - 1]
        value = shown_value_m(arrays, entrance, rule, depth, closed=shut)
        at = "" if entrance < 0 else arrays.entrances[entrance].entrance.id
        read = _reading(
            reached, RULE_NAMES[rule], value, arrays.sensors[sensor].key, at, int(state.evidence_us[sensor])
        )
        best = (reached, depth, read)
    return None if best is None else best[2]


def _silent_places(state: EngineState, arrays: SiteArrays, space: int, told: Told) -> list[int]:
    """Return the entrances of a space where no level sensor is fresh; -1 for the road of an underpass."""
    if arrays.spaces[space].kind == "underpass":
        return [-1]
    del state
    rows = np.flatnonzero((arrays.l_space == space) & (arrays.l_entrance >= 0))
    watched = set(arrays.l_entrance[rows[told.fresh[arrays.l_sensor[rows]]]].tolist())
    return [entrance for entrance in np.flatnonzero(arrays.e_space == space).tolist() if entrance not in watched]


def _rain(state: EngineState, arrays: SiteArrays, space: int, sensor: int) -> StoodIn | None:
    """Return the worst that rain at a gauge of another basin means here; that of its own counts as it is."""
    place = arrays.spaces[space]
    if sensor < 0 or arrays.sensors[sensor].basin == place.basin:
        return None
    mm = settled(state.acc_mm[arrays.s_slot[sensor]])
    best: StoodIn | None = None
    for severity in (2, MOST):
        for window, (rule, _) in enumerate(RAIN_RULES):
            if mm[window] >= arrays.thresholds.value(rule, place.id, place.kind, severity):
                at_us = int(state.evidence_us[sensor])
                best = _reading(severity, rule, float(mm[window]), arrays.sensors[sensor].key, "", at_us)
    return best


def shown_stand_ins(
    state: EngineState, arrays: SiteArrays, neighbours: Neighbours, space: int, found: StandIns | None
) -> list[dict[str, Any]]:
    """Return who stands in for a space now, as the evidence shows it; a depth is over the road at the sensor."""
    told: list[dict[str, Any]] = []
    for kind, sensor in (("water", found.water), ("rain", found.rain)) if found is not None else ():
        if sensor < 0:
            continue
        spec, ground = arrays.sensors[sensor], float(arrays.e_roadway_m[arrays.e_space == space].min())
        value = (
            {"depth_m": round(depth_m(state, arrays, neighbours, sensor, ground) + 0.0, 3)}
            if kind == "water"
            else {"rain_10min_mm": round(float(state.acc_mm[arrays.s_slot[sensor], 1]) + 0.0, 1)}
        )
        name_en, name_zh = neighbours.names[spec.place]
        told.append(
            {"kind": kind, "sensor": spec.key, "place": spec.place, "name_en": name_en, "name_zh": name_zh, **value}
            | {
                "distance_m": round(neighbours.distance_m(space, sensor)),
                "observed_at": iso(int(state.evidence_us[sensor])),
            }
        )
    return told
