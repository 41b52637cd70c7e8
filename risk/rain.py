"""Rain gauges: increments to a cumulative curve, and what fell in the last 5, 10 and 60 minutes of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from risk.arrays import NEVER_US, BoolArray, FloatArray, IntArray, SiteArrays
from risk.counters import UNLIKELY_MM, Counters, counted, since_us
from risk.rise import least_of_three
from risk.sensors import RAIN_DEPTH, RAIN_TOTAL
from risk.state import RAIN_SLOTS, EngineState
from risk.thresholds import IN_RAIN_MM
from undercroft.rain_counter import most_mm

WINDOWS_MIN = (5.0, 10.0, 60.0)
"""Windows of the rain rules (docs/risk.md). [min]"""

SPACING_US = 50_000_000
"""A point of the curve that comes sooner than this after the last but one replaces the last: 150 span over an hour."""

MOST_OF_WINDOW_MM = most_mm(np.array([int(window * 60e6) for window in WINDOWS_MIN]))
"""Nonsense that looks like rain, said again and again, makes no more than ever fell. [mm]"""

INTENSITY_HOLDS_US = 600_000_000
"""An intensity counts for at most ten minutes back."""


def window_depth_mm(times_us: IntArray, totals_mm: FloatArray, window_min: float) -> FloatArray:
    """Rain that fell in a window up to the newest point of each cumulative curve.

    The curve is taken as straight between its points: rain between two readings is spread evenly.

    Parameters
    ----------
    times_us : ndarray, shape (n, k)
        Times, oldest first; `NEVER_US` for none. [µs since 1970]
    totals_mm : ndarray, shape (n, k)
        Cumulative rain at those times. [mm]

    Returns
    -------
    ndarray, shape (n,)
        Depth, at least 0; what fell before the first point is not known and not counted. [mm]

    Examples
    --------
    By hand: 0, 6 and 10 mm at 0, 6 and 10 min: at minute 5 the curve stands at 5 mm, so 5 mm fell in 5 minutes.

    >>> minute = 60_000_000
    >>> times = np.array([[NEVER_US, 0, 6 * minute, 10 * minute]])
    >>> window_depth_mm(times, np.array([[0.0, 0.0, 6.0, 10.0]]), 5.0).tolist()
    [5.0]
    """
    fell_mm = totals_mm[:, -1] - _stood_mm(times_us, totals_mm, times_us[:, -1] - int(window_min * 60e6))
    return np.asarray(np.where(times_us[:, -1] != NEVER_US, np.maximum(fell_mm, 0.0), 0.0))


def _stood_mm(times_us: IntArray, totals_mm: FloatArray, start_us: IntArray) -> FloatArray:
    """Return where each curve stood at a time, straight between its points and flat before and after them. [mm]"""
    row = np.arange(times_us.shape[0])
    known = times_us != NEVER_US
    first = np.argmax(known, axis=1)
    before = (known & (times_us <= start_us[:, None])).sum(axis=1) + first - 1
    left = np.maximum(before, first)
    right = np.minimum(left + 1, times_us.shape[1] - 1)
    t0, t1 = times_us[row, left], times_us[row, right]
    share = np.clip((start_us - t0) / np.maximum(t1 - t0, 1), 0.0, 1.0)
    return np.asarray(totals_mm[row, left] + share * (totals_mm[row, right] - totals_mm[row, left]))


@dataclass(frozen=True, slots=True)
class RainNews:
    """One new reading each of some rain sensors; ``prior`` is the value held before it.

    ``good, replaces, behind, first`` as in `risk.rise.LevelNews`; ``good_x`` is the good reading of the instant, NaN
    for none, and ``good_us`` the time of the one before it.
    """

    sensor: IntArray
    at_us: IntArray
    previous_us: IntArray
    prior: FloatArray
    good: BoolArray
    replaces: BoolArray
    behind: BoolArray
    good_x: FloatArray
    good_us: IntArray
    first: BoolArray

    def where(self, rows: IntArray) -> RainNews:
        """Return some of the readings."""
        return RainNews(*(getattr(self, name)[rows] for name in self.__slots__))


def fold_rain(state: EngineState, arrays: SiteArrays, news: RainNews) -> None:
    """Take readings into the curves.

    What a counter adds is in `risk.counters`; what cannot have fallen, of a counter or in one reading, is no evidence.
    A doubtful reading counts when it is plausible, and moves nothing when it is not. A gauge that says well only what
    cannot be is not heard: no word of it keeps it fresh. A depth of a stated period fell within it: the curve stands so
    much over where it stood when the period began, so that what two periods share counts once. Readings
    that came late are lost to ``rain_depth_mm`` and ``rain_intensity_mm_h``, not to a counter. The greater of what all
    readings and what the good ones alone show counts: a doubtful one cannot put rain where it weighs less.
    """
    gauges = arrays.s_slot[news.sensor]
    acc, failed = state.acc_mm[gauges], np.zeros(gauges.size, np.bool_)
    every, sure = np.flatnonzero(~news.behind), np.flatnonzero(np.isfinite(news.good_x))
    mm, failed[every] = _increments_mm(state, arrays, news.where(every))
    mm, every = mm[~failed[every]], every[~failed[every]]
    part, rows = news.where(every), gauges[every]
    dry_us = part.at_us - arrays.s_period_us[part.sensor]
    shown = _grown((state.curve_us, state.curve_mm), state.total_mm, rows, (dry_us, part.at_us), mm)
    acc[every] = np.where(part.good[:, None], shown, np.maximum(shown, acc[every]))
    mm, cannot_be = _sure_increments_mm(state, arrays, news.where(sure))
    failed[sure] |= cannot_be
    unheard = news.where(sure[cannot_be])
    state.good_us[unheard.sensor], state.good_run[unheard.sensor] = unheard.good_us, 0
    mm, sure = mm[~cannot_be], sure[~cannot_be]
    part, rows = news.where(sure), gauges[sure]
    dry_us = part.at_us - arrays.s_period_us[part.sensor]
    shown = _grown((state.sure_curve_us, state.sure_curve_mm), state.sure_total_mm, rows, (dry_us, part.at_us), mm)
    acc[sure] = np.maximum(shown, acc[sure])
    state.acc_mm[gauges] = acc
    said = np.flatnonzero(~failed)
    news, gauges, acc = news.where(said), gauges[said], acc[said]
    _push_last(state, gauges, acc, news.first)
    _follow_rain(state, arrays, news, acc[:, 0] >= IN_RAIN_MM.value)


def _follow_rain(state: EngineState, arrays: SiteArrays, news: RainNews, wet: BoolArray) -> None:
    """Note when it last rained 2 mm in 5 min, and since when every word of the gauge has said so, at its wet pace."""
    news, gauges = news.where(np.flatnonzero(wet)), arrays.s_slot[news.sensor[wet]]
    before_us = state.wet_us[gauges]
    near = news.at_us - np.maximum(before_us, 0) <= 2 * arrays.s_limit_wet_us[news.sensor]
    goes_on = (before_us != NEVER_US) & (before_us >= news.previous_us) & near
    state.rained_us[gauges] = np.where(goes_on, state.rained_us[gauges], news.at_us)
    state.wet_us[gauges] = np.maximum(before_us, news.at_us)


def _grown(
    curve: tuple[IntArray, FloatArray],
    total_mm: FloatArray,
    gauges: IntArray,
    when_us: tuple[IntArray, IntArray],
    mm: FloatArray,
) -> FloatArray:
    """Let curves stand still until the first time, and grow until the second; see `_pushed`."""
    dry_us, at_us = when_us
    waits = np.flatnonzero((dry_us < at_us) & (dry_us > curve[0][gauges, -1]))
    _pushed(curve, gauges[waits], dry_us[waits], total_mm[gauges[waits]])
    total_mm[gauges] += mm
    return _pushed(curve, gauges, at_us, total_mm[gauges])


def _of_period_mm(
    curve: tuple[IntArray, FloatArray], total_mm: FloatArray, at_us: IntArray, period_us: IntArray, said_mm: FloatArray
) -> FloatArray:
    """Return what depths of a period add to where the curves stand. [mm]

    By hand: 2.5 mm in 5 min, said each minute of steady rain of 0.5 mm a minute, adds 0.5 each time.
    """
    before_mm = np.where(curve[0][:, -1] == NEVER_US, total_mm, _stood_mm(*curve, at_us - period_us))
    return np.maximum(before_mm + said_mm - total_mm, 0.0)


def _pushed(curve: tuple[IntArray, FloatArray], gauges: IntArray, at_us: IntArray, total_mm: FloatArray) -> FloatArray:
    """Put points on curves, and return the depths of the windows, shape (n, 3). [mm]"""
    times, totals = curve[0][gauges], curve[1][gauges]
    shift = (at_us - times[:, -2] >= SPACING_US) | (times[:, -1] == NEVER_US)
    times[shift, : RAIN_SLOTS - 1], totals[shift, : RAIN_SLOTS - 1] = times[shift, 1:], totals[shift, 1:]
    times[:, -1], totals[:, -1] = at_us, total_mm
    curve[0][gauges], curve[1][gauges] = times, totals
    return np.minimum(np.stack([window_depth_mm(times, totals, w) for w in WINDOWS_MIN], axis=1), MOST_OF_WINDOW_MM)


def _push_last(state: EngineState, gauges: IntArray, acc_mm: FloatArray, first: BoolArray) -> None:
    """Keep the last three depths of each window: a good one ends the oldest, a doubtful one the least if it is more."""
    pushed, other = gauges[first], gauges[~first]
    state.last_acc_mm[pushed, :, :2] = state.last_acc_mm[pushed, :, 1:]
    state.last_acc_mm[pushed, :, 2] = acc_mm[first]
    last = state.last_acc_mm[other]
    place = np.arange(3) == least_of_three(last)[..., None]
    state.last_acc_mm[other] = np.where(place, np.maximum(last, acc_mm[~first][..., None]), last)


def _increments_mm(state: EngineState, arrays: SiteArrays, news: RainNews) -> tuple[FloatArray, BoolArray]:
    """Return what the readings add, and which cannot be. [mm]"""
    s, gauges = news.sensor, arrays.s_slot[news.sensor]
    role, now = arrays.s_role[s], state.x[s]
    before = _counters(state, "", gauges, news.prior)
    said, is_counter = counted(before, now, news.at_us), role == RAIN_TOTAL
    rise = np.where(np.isnan(news.prior), 0.0, now - news.prior)
    moves = is_counter & (news.good | ((rise >= 0.0) & (rise <= UNLIKELY_MM)))
    after = before.moved_to(said.after, moves)
    state.held[s] = np.where(is_counter, after.stood, state.held[s])
    depth = np.where(news.replaces, np.maximum(rise, 0.0), now)
    flowed = now * _lasted_us(before.stood_us, news.at_us) / 3.6e9
    mm = np.where(is_counter, np.where(moves, said.mm, 0.0), np.where(role == RAIN_DEPTH, depth, flowed))
    too_much = mm > most_mm(since_us(before.stood_us, news.at_us))
    curve = state.curve_us[gauges], state.curve_mm[gauges]
    mm, too_much = _by_period(arrays, news, curve, state.total_mm[gauges], (now, mm, too_much))
    failed = np.where(is_counter, said.failed & moves, too_much)
    _stand(state, "", gauges, after, np.where(is_counter | failed, after.stood_us, news.at_us))
    return mm, failed


def _sure_increments_mm(state: EngineState, arrays: SiteArrays, news: RainNews) -> tuple[FloatArray, BoolArray]:
    """Return what the good readings add, as if no other had come, and which cannot be. [mm]"""
    role, now, gauges = arrays.s_role[news.sensor], news.good_x, arrays.s_slot[news.sensor]
    prior, is_counter = state.sure_rain[gauges], arrays.s_role[news.sensor] == RAIN_TOTAL
    before = _counters(state, "sure_", gauges, prior)
    said = counted(before, now, news.at_us)
    moves = is_counter & (news.first | ~(now < prior))  # the lesser of two of one instant adds nothing
    after = before.moved_to(said.after, moves)
    rise = np.where(np.isnan(prior), 0.0, now - prior)
    depth = np.where(news.first, now, np.maximum(rise, 0.0))
    other = np.where(news.first, now, np.fmax(prior, now))
    state.sure_rain[gauges] = np.where(moves, after.stood, other)
    flowed = now * _lasted_us(before.stood_us, news.at_us) / 3.6e9
    mm = np.where(is_counter, np.where(moves, said.mm, 0.0), np.where(role == RAIN_DEPTH, depth, flowed))
    too_much = mm > most_mm(since_us(before.stood_us, news.at_us))
    curve = state.sure_curve_us[gauges], state.sure_curve_mm[gauges]
    mm, too_much = _by_period(arrays, news, curve, state.sure_total_mm[gauges], (now, mm, too_much))
    failed = np.where(is_counter, said.failed & moves, too_much)
    _stand(state, "sure_", gauges, after, np.where(is_counter | failed, after.stood_us, news.at_us))
    return mm, failed


def _by_period(
    arrays: SiteArrays,
    news: RainNews,
    curve: tuple[IntArray, FloatArray],
    total_mm: FloatArray,
    told: tuple[FloatArray, FloatArray, BoolArray],
) -> tuple[FloatArray, BoolArray]:
    """Return what readings add, and which cannot be; as told, but for depths of a stated period."""
    period_us, (now, mm, too_much) = arrays.s_period_us[news.sensor], told
    stated = period_us > 0
    if not stated.any():
        return mm, too_much
    added = _of_period_mm(curve, total_mm, news.at_us, period_us, now)
    return np.where(stated, added, mm), np.where(stated, now > most_mm(period_us), too_much)


_STANDS = ("stood_us", "stood_words", "apart_mm", "apart_us", "stands_mm", "stands_us", "stands_words")


def _counters(state: EngineState, path: str, gauges: IntArray, stood_mm: FloatArray) -> Counters:
    """Return where counters stand on one of the two paths, all readings or the sure ones."""
    return Counters(stood_mm, *(getattr(state, path + name)[gauges] for name in _STANDS))


def _stand(state: EngineState, path: str, gauges: IntArray, after: Counters, stood_us: IntArray) -> None:
    """Note where counters stand after readings, and when each gauge stood soundly last."""
    known = (stood_us, after.words, after.apart, after.apart_us, after.stands, after.stands_us, after.stands_words)
    for name, values in zip(_STANDS, known, strict=True):
        getattr(state, path + name)[gauges] = values


def _lasted_us(before_us: IntArray, at_us: IntArray) -> IntArray:
    return np.where(before_us == NEVER_US, 0, np.clip(at_us - before_us, 0, INTENSITY_HOLDS_US))
