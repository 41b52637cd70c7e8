"""Rise rate of level sensors: the slope of a line through the samples of the last five minutes."""

from __future__ import annotations

import numpy as np

from risk.arrays import NEVER_US, BoolArray, FloatArray, IntArray
from risk.state import RISE_SLOTS, EngineState
from risk.thresholds import RISE_WINDOW_S

SPACING_US = 50_000_000
"""Samples closer than this to the one before the last replace the last: six slots then span five minutes."""

JITTER_US = 5_000_000
"""Five one-minute intervals may be this much longer than five minutes."""


def slope_m_min(times_us: IntArray, levels_m: FloatArray) -> FloatArray:
    """Slope of the least-squares line through the samples of the last five minutes, rising positive.

    ``r = sum (t - tm)(y - ym) / sum (t - tm)²`` over the samples not older than 5 min before the newest; the newest
    two always count, however far apart, so that a slow cadence still has a rate.

    Parameters
    ----------
    times_us : ndarray, shape (n, k)
        Times, oldest first; `NEVER_US` for none. [µs since 1970]
    levels_m : ndarray, shape (n, k)
        Depths or levels; ignored where there is no time. [m]

    Returns
    -------
    ndarray, shape (n,)
        Rate; 0 with fewer than two samples, or two of one instant. [m/min]

    Examples
    --------
    By hand: 0, 1, 2 cm at 0, 1, 2 min: tm = 1, ym = 1: (1 * 1 + 1 * 1) / (1 + 1) = 1 cm/min.

    >>> minute = 60_000_000
    >>> slope_m_min(np.array([[0, minute, 2 * minute]]), np.array([[0.0, 0.01, 0.02]])).round(6).tolist()
    [0.01]
    """
    newest = times_us[:, -1:]
    use = times_us >= newest - int(RISE_WINDOW_S.value * 1e6) - JITTER_US
    use[:, -2:] = True
    use &= times_us != NEVER_US
    minutes = np.where(use, (times_us - newest) / 60e6, 0.0)
    level = np.where(use, levels_m, 0.0)
    count = np.maximum(use.sum(axis=1), 1)
    t = np.where(use, minutes - (minutes.sum(axis=1) / count)[:, None], 0.0)
    y = np.where(use, level - (level.sum(axis=1) / count)[:, None], 0.0)
    spread = (t * t).sum(axis=1)
    return np.asarray(np.where(spread > 1e-9, (t * y).sum(axis=1) / np.maximum(spread, 1e-9), 0.0))


def push_level_samples(
    state: EngineState, levels: IntArray, at_us: IntArray, depth_m: FloatArray, good: BoolArray, replaces: BoolArray
) -> None:
    """Take one sample each of some level sensors; a conflict replaces the newest, a doubtful one never slows a rise."""
    if levels.size == 0:
        return
    _push_last(state, levels, at_us, depth_m, replaces)
    times, values = state.ring_us[levels], state.ring_m[levels]
    shift = ~replaces & (at_us - times[:, -2] >= SPACING_US) | (times[:, -1] == NEVER_US)
    times[shift, : RISE_SLOTS - 1] = times[shift, 1:]
    values[shift, : RISE_SLOTS - 1] = values[shift, 1:]
    times[:, -1], values[:, -1] = at_us, depth_m
    rate = slope_m_min(times, values)
    rate = np.where(good, rate, np.maximum(rate, state.rate[levels]))
    state.ring_us[levels], state.ring_m[levels], state.rate[levels] = times, values, rate
    _push_last_rate(state, levels, rate, replaces)


def _push_last(state: EngineState, levels: IntArray, at_us: IntArray, depth_m: FloatArray, replaces: BoolArray) -> None:
    new = levels[~replaces]
    state.last_m[new, :2], state.last_us[new, :2] = state.last_m[new, 1:], state.last_us[new, 1:]
    state.last_m[levels, 2], state.last_us[levels, 2] = depth_m, at_us


def _push_last_rate(state: EngineState, levels: IntArray, rate: FloatArray, replaces: BoolArray) -> None:
    new = levels[~replaces]
    state.last_rate[new, :2] = state.last_rate[new, 1:]
    state.last_rate[levels, 2] = rate
