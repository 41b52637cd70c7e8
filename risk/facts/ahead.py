"""Facts about what is forecast: the likely time of orange or red, and the sensor that drives it."""

from __future__ import annotations

import numpy as np

from risk.arrays import NEVER_US
from risk.facts.fact import Context, Fact, limit_of, sensor_key_of
from risk.forecast import minutes_to
from risk.thresholds import WET_DEPTH_M


def forecast(context: Context, space: int, severity: int) -> Fact | None:
    """Return the time of the water itself, whatever the level; to orange where that is all that is near."""
    state, soonest = context.state, context.views.soonest
    orange, red = float(soonest.orange_min[space]), float(soonest.red_min[space])
    limit, _ = limit_of(context, space, "time-to-red", 3)
    to_red = severity >= 3 and limit is not None and red <= limit
    rule, value, reached = ("time-to-red", red, 3) if to_red else ("time-to-orange", orange, 2)
    key = _driver(context, space, reached)
    if np.isnan(value) or not key:
        return None
    sensor = context.arrays.sensor_index[key]
    made = context.views.by_ensemble[int(to_red), space]
    words = {"nowcast_us": int(state.ahead_us[space])} if made else {}
    return Fact(rule, value, key, int(state.evidence_us[sensor]), words, sensor, reached)


def last_met(context: Context, space: int, severity: int) -> Fact | None:
    """Return the last time to orange or red that met its limit, and the tick that made it; None where none did."""
    place = 1 if severity >= 3 else 0
    at = int(context.state.met_us[space, place])
    if at == NEVER_US:
        return None
    rule = ("time-to-orange", "time-to-red")[place]
    return Fact(rule, context.state.met_min[space, place], _driver(context, space, severity), at, {})


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
