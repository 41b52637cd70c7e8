"""The water thresholds of every level sensor on one scale, and the severity of a depth on it.

Each level sensor gets, per severity, the least depth over its own ground at which any of its rules fires
(docs/risk.md). That one table replaces the separate comparisons; ``rule`` remembers which rule it was.

Decisions where the table is terse:

- *Freeboard* and *outside* are measured at the crest (top of the last step, platform or hump), or at the top of the
  barrier while it is known to be deployed. "Outside 20 cm" is the head over that edge: only it can flow.
- Nothing fires below 2 cm of water over the ground: a crest 10 cm above a dry road is no freeboard alarm.
- Underpass: every depth counts, inside or on the approach; there is no step to hold water back.
- Metro and mall, "any inflow": 2 cm inside. A mall keeps the metro's red at 10 cm inside.
- Mall, "evacuate before outside reaches 20 cm": orange at 15 cm of head, and by freeboard long before.
- Car park and civil-defence works: water over an open crest is inflow, so orange, even before a sensor inside is wet.
- "15 cm and rising" inside: rising faster than 2 mm/min.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from risk.arrays import BoolArray, FloatArray, SiteArrays
from risk.thresholds import DEADBAND_M, RED, WET_DEPTH_M

NO_RULE, INSIDE_DEPTH, FREEBOARD_RULE, OUTSIDE_HEAD, DEPTH_RISING = range(5)
RULE_NAMES = ("", "inside-depth", "freeboard", "outside-head", "inside-depth-rising")
SEVERITIES = (1, 2, 3, 4)


@dataclass(frozen=True, slots=True)
class InForce:
    """The table in force at the last tick and what it was made for: only columns that change are worked out again."""

    least_m: FloatArray
    closed: BoolArray
    rising: BoolArray


@dataclass(frozen=True, slots=True)
class LevelTable:
    """Least depth over ground per severity and level sensor; infinite where no rule reaches that severity. [m]

    ``open_m`` and ``closed_m`` have shape (4, L), for an open and a deployed barrier; ``rising_m`` (L) is red while
    rising. ``open_rule``, ``closed_rule`` name the rule.
    """

    open_m: FloatArray
    closed_m: FloatArray
    rising_m: FloatArray
    open_rule: NDArray[np.int8]
    closed_rule: NDArray[np.int8]
    last: list[InForce] = field(default_factory=list)


def level_table(arrays: SiteArrays) -> LevelTable:
    """Return the table of a site."""
    size = arrays.l_sensor.size
    open_m, closed_m = np.full((4, size), np.inf), np.full((4, size), np.inf)
    open_rule, closed_rule = np.zeros((4, size), np.int8), np.zeros((4, size), np.int8)
    rising_m = np.full(size, np.inf)
    for index in range(size):
        space = arrays.spaces[arrays.l_space[index]]
        find = arrays.thresholds.value
        if arrays.l_family[index] == 0:
            for row, severity in enumerate(SEVERITIES):
                value = find("inside-depth", space.id, space.kind, severity)
                _put(open_m, open_rule, (row, index), value, INSIDE_DEPTH)
                _put(closed_m, closed_rule, (row, index), value, INSIDE_DEPTH)
            value = find("inside-depth-rising", space.id, space.kind, RED)
            rising_m[index] = np.inf if np.isnan(value) else max(value, WET_DEPTH_M.value)
            continue
        entrance = arrays.l_entrance[index]
        edge = arrays.e_crest_m[entrance] - arrays.e_roadway_m[entrance]
        top = arrays.e_barrier_top_m[entrance] - arrays.e_roadway_m[entrance]
        top = edge if np.isnan(top) else top
        for row, severity in enumerate(SEVERITIES):
            freeboard = find("freeboard", space.id, space.kind, severity)
            head = find("outside-head", space.id, space.kind, severity)
            for table, rule, height in ((open_m, open_rule, edge), (closed_m, closed_rule, top)):
                _put(table, rule, (row, index), height - freeboard, FREEBOARD_RULE)
                _put(table, rule, (row, index), height + head, OUTSIDE_HEAD)
    return LevelTable(open_m, closed_m, rising_m, open_rule, closed_rule)


def settled(values: FloatArray) -> FloatArray:
    """Return sums of decimals to the billionth, so that what is at a threshold reaches it; any shape and unit.

    Water at -5.66 m over a floor at -5.93 m is 0.27 m deep, and in binary a little less.

    Examples
    --------
    >>> -5.66 + 5.93, settled(np.array(-5.66 + 5.93)).item()
    (0.2699999999999996, 0.27)
    """
    return np.asarray(np.round(values, 9))


def entrance_index(arrays: SiteArrays, space: int, entrance_id: str) -> int:
    """Return the row of an entrance of a space, -1 for none."""
    for row in np.flatnonzero(arrays.e_space == space).tolist():
        if arrays.entrances[row].entrance.id == entrance_id:
            return int(row)
    return -1


def least_at(arrays: SiteArrays, space: int, entrance: int, *, closed: bool) -> tuple[list[float], list[int]]:
    """Return the least depth per severity, and its rule, at a place that need not have a sensor: an entrance or -1."""
    place, find = arrays.spaces[space], arrays.thresholds.value
    least, rule = np.full((4, 1), np.inf), np.zeros((4, 1), np.int8)
    by_depth = entrance < 0 or place.kind == "underpass"
    edge = 0.0
    if not by_depth:
        top = float(arrays.e_barrier_top_m[entrance]) if closed else np.nan
        edge = float(arrays.e_crest_m[entrance] if np.isnan(top) else top) - float(arrays.e_roadway_m[entrance])
    for row, severity in enumerate(SEVERITIES):
        if by_depth:
            _put(least, rule, (row, 0), find("inside-depth", place.id, place.kind, severity), INSIDE_DEPTH)
        else:
            _put(least, rule, (row, 0), edge - find("freeboard", place.id, place.kind, severity), FREEBOARD_RULE)
            _put(least, rule, (row, 0), edge + find("outside-head", place.id, place.kind, severity), OUTSIDE_HEAD)
    return least[:, 0].tolist(), rule[:, 0].tolist()


def shown_value_m(arrays: SiteArrays, entrance: int, rule: int, depth_m: float, *, closed: bool) -> float:
    """Return what a rule is held against at a depth over the ground: freeboard, head over the edge, or it. [m]"""
    if rule not in (FREEBOARD_RULE, OUTSIDE_HEAD):
        return depth_m
    edge = arrays.e_barrier_top_m[entrance] if closed else arrays.e_crest_m[entrance]
    freeboard = float(edge - arrays.e_roadway_m[entrance]) - depth_m
    return freeboard if rule == FREEBOARD_RULE else -freeboard


def _put(table: FloatArray, rule: NDArray[np.int8], at: tuple[int, int], depth_m: float, name: int) -> None:
    depth_m = max(
        round(depth_m, 9), WET_DEPTH_M.value
    )  # a NaN threshold is no rule: max keeps NaN, and NaN is not less
    if depth_m < table[at]:
        table[at], rule[at] = depth_m, name


def in_force(table: LevelTable, arrays: SiteArrays, closed: BoolArray, rising: BoolArray) -> FloatArray:
    """Return the (4, L) table for the barriers and tendencies of this tick; it holds until the next call. [m]"""
    last = table.last
    outside, _ = arrays.outside_by_entrance
    if not last:
        last.append(InForce(table.open_m.copy(), np.zeros(closed.size, np.bool_), np.zeros(rising.size, np.bool_)))
    kept = last[0]
    changed = kept.rising != rising
    moved = np.flatnonzero(kept.closed != closed)
    if moved.size:
        at_moved = np.zeros(closed.size, np.bool_)
        at_moved[moved] = True
        changed[outside[at_moved[arrays.l_entrance[outside]]]] = True
    rows = np.flatnonzero(changed)
    if rows.size:
        entrance = arrays.l_entrance[rows]
        shut = (entrance >= 0) & closed[entrance]
        part = np.where(shut, table.closed_m[:, rows], table.open_m[:, rows])
        part[3] = np.where(rising[rows], np.minimum(part[3], table.rising_m[rows]), part[3])
        kept.least_m[:, rows] = part
        kept.closed[:], kept.rising[:] = closed, rising
    return kept.least_m


def severity_of(depth_m: FloatArray, least_m: FloatArray) -> NDArray[np.int8]:
    """Return the highest severity whose least depth is reached; NaN reaches none. Shapes (..., L) and (4, L)."""
    severity = np.zeros(depth_m.shape, np.int8)
    for row, value in enumerate(SEVERITIES):
        np.maximum(severity, (depth_m >= least_m[row]).view(np.int8) * np.int8(value), out=severity)
    return severity


def release_m(least_m: FloatArray) -> FloatArray:
    """Return the depths below which a level is left again: 3 cm lower, but never lower than half the threshold. [m]"""
    return settled(least_m - np.minimum(DEADBAND_M.value, 0.5 * np.where(np.isfinite(least_m), least_m, 0.0)))
