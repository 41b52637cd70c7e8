"""Rise rate of level sensors: the slope of a line through the samples of the last five minutes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from risk.arrays import NEVER_US, BoolArray, FloatArray, IntArray
from risk.past.spells import follow_spells
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


@dataclass(frozen=True, slots=True)
class LevelNews:
    """How each new sample came.

    Attributes
    ----------
    good : ndarray, shape (n,)
        A good reading with nothing against it.
    replaces : ndarray, shape (n,)
        Another value for the newest instant.
    behind : ndarray, shape (n,)
        A good reading that a doubtful one overtook.
    good_m : ndarray, shape (n,)
        The greatest good reading of the instant, NaN for none. [m]
    first : ndarray, shape (n,)
        The first good reading of the instant.
    """

    good: BoolArray
    replaces: BoolArray
    behind: BoolArray
    good_m: FloatArray
    first: BoolArray

    def where(self, rows: BoolArray) -> LevelNews:
        """Return some of the samples."""
        return LevelNews(*(getattr(self, name)[rows] for name in self.__slots__))


def push_level_samples(
    state: EngineState, levels: IntArray, at_us: IntArray, depth_m: FloatArray, news: LevelNews
) -> None:
    """Take one sample each of some level sensors.

    The rate is the steeper of that of the good samples alone and that of all; a doubtful sample never slows a rise,
    now or later. Three samples are kept to confirm a level: a good one takes the place of the oldest, a doubtful one
    that of the least, where it is more. So what two of three show is never less for a doubtful sample.
    """
    if levels.size == 0:
        return
    rate = state.rate[levels]
    every = np.flatnonzero(~news.behind)
    of_all = _pushed((state.ring_us, state.ring_m), levels[every], at_us[every], depth_m[every], news.replaces[every])
    rate[every] = np.where(news.good[every], of_all, np.maximum(of_all, rate[every]))
    sure = np.flatnonzero(np.isfinite(news.good_m))
    again = ~news.first[sure]
    good_m = np.where(again, np.fmax(state.sure_m[levels[sure], -1], news.good_m[sure]), news.good_m[sure])
    before_us = state.sure_us[levels[sure], np.where(again, -2, -1)]
    of_good = _pushed((state.sure_us, state.sure_m), levels[sure], at_us[sure], good_m, again)
    rate[sure] = np.maximum(of_good, rate[sure])
    follow_spells(state, levels[sure], at_us[sure], before_us, good_m)
    state.rate[levels] = rate
    _push_last(state, levels, at_us, (depth_m, rate), news.first)


def _pushed(
    ring: tuple[IntArray, FloatArray], levels: IntArray, at_us: IntArray, depth_m: FloatArray, replaces: BoolArray
) -> FloatArray:
    """Put samples into a ring, and return the slopes that it then has. [m/min]"""
    times, values = ring[0][levels], ring[1][levels]
    shift = ~replaces & (at_us - times[:, -2] >= SPACING_US) | (times[:, -1] == NEVER_US)
    times[shift, :-1] = times[shift, 1:]
    values[shift, :-1] = values[shift, 1:]
    times[:, -1], values[:, -1] = at_us, depth_m
    ring[0][levels], ring[1][levels] = times, values
    return slope_m_min(times[:, -RISE_SLOTS:], values[:, -RISE_SLOTS:])


def _push_last(
    state: EngineState, levels: IntArray, at_us: IntArray, new: tuple[FloatArray, FloatArray], first: BoolArray
) -> None:
    """Keep three samples: depth, its time, and the rate that was known then."""
    pushed = levels[first]
    for kept, values in ((state.last_us, at_us), (state.last_m, new[0]), (state.last_rate, new[1])):
        kept[pushed, :2] = kept[pushed, 1:]
        kept[pushed, 2] = values[first]
    other = np.flatnonzero(~first)
    if other.size == 0:
        return
    rows, at, depth, rate = levels[other], at_us[other], new[0][other], new[1][other]
    known = state.last_us[rows] == at[:, None]
    place = np.where(known.any(axis=1), known.argmax(axis=1), least_of_three(state.last_m[rows]))
    state.last_us[rows, place] = np.where(depth >= state.last_m[rows, place], at, state.last_us[rows, place])
    state.last_m[rows, place] = np.maximum(state.last_m[rows, place], depth)
    state.last_rate[rows, place] = np.maximum(state.last_rate[rows, place], rate)


def least_of_three(last: FloatArray) -> IntArray:
    """Return where the least along a last axis of three is; the newest of equal ones.

    Examples
    --------
    >>> least_of_three(np.array([[0.0, 0.2, 0.0], [-np.inf, 0.1, 0.2]])).tolist()
    [2, 0]
    """
    return np.asarray(2 - np.argmin(last[..., ::-1], axis=-1))
