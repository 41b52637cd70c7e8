"""Facts about what is forecast: the likely time of orange or red, and the sensor that drives it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from risk.arrays import NEVER_US
from risk.facts.fact import Context, Fact, limit_of, sensor_key_of
from risk.forecast import minutes_to
from risk.nowcast.summary import WITHIN_MIN
from risk.rules_forecast import ORANGE_WITHIN_MIN
from risk.thresholds import WET_DEPTH_M

PROBABLE = "orange-within-30min"


def forecast(context: Context, space: int, severity: int) -> Fact | None:
    """Return the time of the water itself, whatever the level; to orange where that is all that is near."""
    state, soonest = context.state, context.views.soonest
    orange, red = float(soonest.orange_min[space]), float(soonest.red_min[space])
    limit, _ = limit_of(context, space, "time-to-red", 3)
    to_red = severity >= 3 and limit is not None and red <= limit
    if severity >= 3 and not to_red:
        least, _ = limit_of(context, space, PROBABLE, 3)
        if least is not None and context.views.likely[space] >= least:
            return _probable(context, space, float(context.views.likely[space]))
    rule, value, reached = ("time-to-red", red, 3) if to_red else ("time-to-orange", orange, 2)
    key = _driver(context, space, reached)
    if np.isnan(value) or not key:
        return None
    sensor = context.arrays.row_by_key[key]
    made = context.views.by_ensemble[int(to_red), space]
    words: dict[str, object] = {}
    if made:
        words = {"nowcast_us": int(state.ahead_us[space]), "floods": int(state.ahead_floods[space])}
    return Fact(rule, value, key, int(state.evidence_us[sensor]), words, sensor, reached)


def last_met(context: Context, space: int, severity: int) -> Fact | None:
    """Return what was last forecast and met its limit, and the tick that made it; None where nothing did."""
    met_us = context.state.met_us[space]
    place = (1 if met_us[1] >= met_us[2] else 2) if severity >= 3 else 0
    at, value = int(met_us[place]), float(context.state.met[space, place])
    if at == NEVER_US:
        return None
    if place == 2:
        fact = _probable(context, space, value)
        return None if fact is None else replace(fact, observed_us=at, words={})
    rule = ("time-to-orange", "time-to-red")[place]
    return Fact(rule, value, _driver(context, space, severity), at, {})


def _probable(context: Context, space: int, probability: float) -> Fact | None:
    """Return how probable orange is, with what drives it: the depth that is missing, the rain, and the members."""
    state, arrays = context.state, context.arrays
    rows = context.statics.level_rows[space]
    sensors = arrays.l_sensor[rows]
    rows = rows[(state.evidence_us[sensors] != NEVER_US) & (state.held[sensors] >= WET_DEPTH_M.value)]
    if rows.size == 0:
        return None
    missing_m = context.views.least_m[2, rows] - state.held[arrays.l_sensor[rows]]
    outside = arrays.l_outside[rows]
    missing_m = np.where(outside, missing_m, np.inf) if outside.any() else missing_m
    row = int(rows[np.argmin(missing_m)])
    sensor = int(arrays.l_sensor[row])
    words: dict[str, object] = {"nowcast_us": int(state.ahead_us[space])}
    words["missing_m"] = float(missing_m.min())
    words["members"] = float(state.ahead_members[space, 0, WITHIN_MIN.index(ORANGE_WITHIN_MIN)])
    words["rain_mm"] = _rain_10min_mm(context, space)
    words["floods"] = int(state.ahead_floods[space])
    return Fact(PROBABLE, probability, sensor_key_of(context, row), int(state.evidence_us[sensor]), words, sensor, 3)


def _rain_10min_mm(context: Context, space: int) -> float:
    gauges = np.flatnonzero(context.arrays.g_basin == context.arrays.basin_of_space[space])
    return float(context.state.acc_mm[gauges, 1].max(initial=0.0))


def _driver(context: Context, space: int, reached: int) -> str:
    """Return the sensor whose reading drives the time to orange (2) or red (3); empty where none has spoken.

    The one whose own depth gets there first, unless the inside fills before: then the outside with the most water.
    """
    state, arrays = context.state, context.arrays
    rows = context.statics.level_rows[space]
    sensors = arrays.l_sensor[rows]
    rows = rows[(state.evidence_us[sensors] != NEVER_US) & (state.held[sensors] >= WET_DEPTH_M.value)]
    if rows.size == 0:
        return ""
    depth, rate = state.held[arrays.l_sensor[rows]], state.rate[rows]
    own = minutes_to(depth, context.views.least_m[reached, rows], rate)
    soonest = context.views.soonest
    minutes = (soonest.orange_min if reached == 2 else soonest.red_min)[space]
    outside = arrays.l_family[rows] == 1
    if not (np.nan_to_num(own, nan=np.inf) <= minutes + 1e-9).any() and outside.any():
        entrance = arrays.l_entrance[rows]
        edge = np.where(context.views.closed[entrance], arrays.e_barrier_top_m[entrance], arrays.e_crest_m[entrance])
        head = depth + arrays.e_roadway_m[entrance] - edge + np.maximum(rate, 0.0) * minutes
        return sensor_key_of(context, int(rows[np.argmax(np.where(outside, np.nan_to_num(head), -np.inf))]))
    return sensor_key_of(context, int(rows[np.argmin(np.where(np.isnan(own), np.inf, own))]))
