"""Which sensors speak now: not stale, not offline, and not fallen silent in the rain at a pace that they had shown.

A device that speaks every few minutes while dry and each minute while wet (`interval_dry_s`, `interval_wet_s`) is
missed after minutes in a cloudburst, not after half an hour. It may fall back to its dry pace whenever it finds itself
dry, so silence is held against the wet pace only where nothing else explains it:

- its last two good words lay at most two wet intervals apart, the first of them below 2 cm: it keeps that pace
  without water at its own place;
- *rain*: a gauge of its basin has said 2 mm in 5 min without a break from its last word on, or from the start of this
  rain if that is later, until three of these intervals after. What a gauge says while rain goes on cannot be the end
  of the rain;
- *a signal in force*: it has kept that pace since 20 min after the last such rain, so it was not for the rain.

Where the space is blind already, the start of the rain and the end of the signal are no matter: only a word ends it.
"""

from __future__ import annotations

import numpy as np

from risk.arrays import NEVER_US, BoolArray, FloatArray, IntArray, SiteArrays
from risk.evidence import fresh_sensors
from risk.state import EngineState
from risk.statics import SiteStatics
from risk.thresholds import WET_DEPTH_M, WET_HOLD_S
from risk.warnings import colour_of_spaces


def speaking(
    state: EngineState, arrays: SiteArrays, statics: SiteStatics, tick_us: int, colour: FloatArray | None = None
) -> BoolArray:
    """Tell which sensors are fresh, rain and signals considered. Shape (S,).

    ``colour``: worst rain warning in force per space, where it is known already.
    """
    fresh = fresh_sensors(state, arrays, tick_us, statics.stale_intervals)
    if not arrays.l_sensor.size:
        return fresh
    rows, pace_us = _overdue(state, arrays, fresh, tick_us)
    if not rows.size:
        return fresh
    blind = state.blind[arrays.l_space[rows]]
    heard_us = _heard_us(state, arrays.l_sensor[rows])
    longest_us, wet_us = _rained_on(state, arrays, rows, np.where(blind, heard_us, NEVER_US), heard_us)
    silent = longest_us > pace_us
    if state.warnings or blind.any():
        warned = colour_of_spaces(state.warnings, arrays) if colour is None else colour
        calm = state.sure_us[rows, -2] > wet_us + int(WET_HOLD_S.value * 1e6)
        silent |= calm & (blind | (warned[arrays.l_space[rows]] > 0))
    fresh[arrays.l_sensor[rows[silent]]] = False
    return fresh


def _heard_us(state: EngineState, sensors: IntArray) -> IntArray:
    return np.maximum(state.good_us[sensors], state.known_us[sensors])


def _overdue(state: EngineState, arrays: SiteArrays, fresh: BoolArray, tick_us: int) -> tuple[IntArray, IntArray]:
    """Return the fresh level sensors that kept the wet pace on dry ground and missed it since, and how long that is."""
    sensors, last_us, before_us = arrays.l_sensor, state.sure_us[:, -1], state.sure_us[:, -2]
    spacing_us = np.where(before_us == NEVER_US, 2**62, last_us - np.maximum(before_us, 0))
    wet_us = arrays.s_limit_wet_us[sensors]
    paced = (spacing_us <= 2 * wet_us) & (state.sure_m[:, -2] < WET_DEPTH_M.value) & fresh[sensors]
    rows = np.flatnonzero(paced)
    missed = arrays.s_stale_intervals[sensors[rows]]
    pace_us = np.floor(missed * np.maximum(wet_us[rows], spacing_us[rows])).astype(np.int64)
    late = tick_us - _heard_us(state, sensors[rows]) > pace_us
    return rows[late], pace_us[late]


def _rained_on(
    state: EngineState, arrays: SiteArrays, rows: IntArray, from_us: IntArray, heard_us: IntArray
) -> tuple[IntArray, IntArray]:
    """Return for how long rain was measured on each since it was heard, without a break, and when it was last. [µs]

    ``from_us``: where it is known, rain counts from there on, whenever it began.
    """
    longest, last = np.zeros(rows.size, np.int64), np.full(rows.size, NEVER_US, np.int64)
    basin = arrays.basin_of_space[arrays.l_space[rows]]
    for gauge in np.flatnonzero(np.isin(arrays.g_basin, basin) & (state.wet_us != NEVER_US)).tolist():
        wet_us, since_us = int(state.wet_us[gauge]), int(state.rained_us[gauge])
        here = basin == arrays.g_basin[gauge]
        start = np.where(from_us != NEVER_US, from_us, np.maximum(heard_us, since_us))
        longest = np.where(here, np.maximum(longest, wet_us - start), longest)
        last = np.where(here, np.maximum(last, wet_us), last)
    return longest, last
