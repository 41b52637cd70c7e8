"""Facts about water: a depth, freeboard or head, how fast it rises, and what a person reported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import inf

import numpy as np

from risk.arrays import NEVER_US
from risk.facts.fact import Context, Fact, entrance_words, sensor_key_of
from risk.floats import RULE, part_rows, rule_of
from risk.levels import (
    DEPTH_RISING,
    NO_RULE,
    RULE_NAMES,
    entrance_index,
    least_at,
    shown_value_m,
)  # fmt: skip
from risk.reports import place_of


def water_fact(family: int) -> Callable[[Context, int, int], Fact | None]:
    """Return what finds the depth, freeboard or head of a family of level sensors that speaks for a severity."""

    def fact(context: Context, space: int, severity: int) -> Fact | None:
        arrays, views = context.arrays, context.views
        rows = [r for r in context.statics.level_rows[space].tolist() if arrays.l_family[r] == family]
        best = max(
            ((_best_sample(context, r, severity), -r) for r in rows),
            key=lambda entry: (entry[0][:2], entry[1]),
            default=None,
        )
        if best is None or best[0][0] == 0:
            return None
        (reached, depth, at), level = best[0], -best[1]
        severity = min(severity, reached)
        entrance = int(arrays.l_entrance[level])
        closed = entrance >= 0 and bool(views.closed[entrance])
        table = context.statics.levels
        rule = int((table.closed_rule if closed else table.open_rule)[severity - 1, level])
        if severity == 4 and views.least_m[3, level] < (table.closed_m if closed else table.open_m)[3, level]:
            rule = DEPTH_RISING
        if rule == NO_RULE:
            return None
        value = shown_value_m(arrays, entrance, rule, depth, closed=closed)
        words = entrance_words(context, entrance)
        return Fact(
            RULE_NAMES[rule], value, sensor_key_of(context, level), at, words, int(arrays.l_sensor[level]), severity
        )

    return fact


def _best_sample(context: Context, level: int, severity: int) -> tuple[int, float, int]:
    """Return (severity, depth, time) of the sample of a level sensor that speaks for this severity: the newest does."""
    state, seen = context.state, context.seen
    sensor = context.arrays.l_sensor[level]
    least = context.views.least_m[:, level].tolist()
    depths, times = state.last_m[level].tolist(), state.last_us[level].tolist()
    newest: tuple[int, float, int] | None = None
    for m, at in (
        (float(state.held[sensor]), int(state.evidence_us[sensor])),
        (depths[2], times[2]),
        (depths[1], times[1]),
        (depths[0], times[0]),
        (float(seen.peak_m[level]), int(seen.peak_us[level])),
    ):
        if not m > -inf or at == NEVER_US:
            continue
        entry = (_severity(m, least), m, at)
        if entry[0] >= severity:
            return entry
        newest = newest or entry
    return newest or (0, 0.0, NEVER_US)


def _severity(depth_m: float, least_m: list[float]) -> int:
    for row in (3, 2, 1, 0):
        if depth_m >= least_m[row]:
            return row + 1
    return 0


def rise(context: Context, space: int, severity: int) -> Fact | None:
    """Return the fastest rise of a level sensor."""
    arrays, state = context.arrays, context.state
    rows = [r for r in context.statics.level_rows[space].tolist() if r in context.statics.rise_set]
    if not rows:
        return None
    level = max(rows, key=lambda r: (float(state.last_rate[r].max()), -r))
    least = arrays.thresholds.value("rise-rate", arrays.spaces[space].id, arrays.spaces[space].kind, severity)
    sensor = int(arrays.l_sensor[level])
    rate, at = float(state.rate[level]), int(state.evidence_us[sensor])
    if rate < least:
        newest = int(np.argmax(state.last_rate[level]))
        rate, at = float(state.last_rate[level, newest]), int(state.last_us[level, newest])
    words = entrance_words(context, int(arrays.l_entrance[level]))
    return Fact("rise-rate", rate, sensor_key_of(context, level), at, words, sensor)


def reported(context: Context, space: int, severity: int) -> Fact | None:
    """Return the reported depth that speaks for a severity, as the water rule that it meets."""
    arrays, name = context.arrays, context.arrays.spaces[space].id
    best: tuple[int, float, Fact] | None = None
    for key, report in sorted(context.state.reports.items()):
        of_space, entrance_id, what = place_of(key)
        if of_space != name or what != "depth":
            continue
        entrance = entrance_index(arrays, space, entrance_id)
        shut = entrance >= 0 and bool(context.views.closed[entrance])
        least, rules = least_at(arrays, space, entrance, closed=shut)
        reached = _severity(report.value, least)
        if reached == 0 or (best is not None and (reached, report.value) <= best[:2]):
            continue
        rule = rules[min(severity, reached) - 1]
        value = shown_value_m(arrays, entrance, rule, report.value, closed=shut)
        words = entrance_words(context, entrance) | {"by": report.by}
        fact = Fact(RULE_NAMES[rule], value, f"report:{report.by}", report.observed_us, words)
        best = (reached, report.value, replace(fact, severity=min(severity, reached)))
    return None if best is None else best[2]


def lifted(context: Context, space: int, severity: int) -> Fact | None:
    """Return the lifted float switch that speaks for a severity, as the rule that it meets."""
    rows = np.flatnonzero(context.statics.floats.space == space)
    held = context.state.held[context.statics.floats.sensor[rows]]
    return _switch(context, rows[held >= 0.5].tolist(), severity)


def was_lifted(context: Context, space: int, severity: int) -> Fact | None:
    """Return the float switch that keeps an alarm up although it hangs down, or hung down last."""
    rows = part_rows(context.state, context.statics.floats)
    return _switch(context, rows[context.statics.floats.space[rows] == space].tolist(), severity)


def _switch(context: Context, rows: list[int], severity: int) -> Fact | None:
    arrays, floats = context.arrays, context.statics.floats
    best: tuple[int, float, Fact] | None = None
    for row in rows:
        entrance, trip = int(floats.entrance[row]), float(floats.trip_m[row])
        shut = entrance >= 0 and bool(context.views.closed[entrance])
        reached, rule, water_rule = rule_of(arrays, floats, row, closed=shut)
        if reached == 0 or (best is not None and (reached, trip) <= best[:2]):
            continue
        value = trip if rule == RULE else shown_value_m(arrays, entrance, water_rule, trip, closed=shut)
        sensor = int(floats.sensor[row])
        words = entrance_words(context, entrance) | {"lifted": True}
        at = int(context.state.evidence_us[sensor])
        fact = Fact(rule, value, arrays.sensors[sensor].key, at, words, sensor, min(severity, reached))
        best = (reached, trip, fact)
    return None if best is None else best[2]
