"""Readings into evidence: what each sensor is taken to say, and what it said last.

Rules of the fold (docs/risk.md):

- Readings are taken per sensor in order of ``observed_at``, whatever order they came in.
- A good reading sets the held value. A suspect or unchecked one may raise it, never lower it, not even as the first
  word: a barrier that was never well heard counts as open. Failed and missing ones are no evidence, and end a run of
  good readings.
- A doubtful reading takes nothing from the good ones: it keeps no sensor fresh, makes no history of a good reading
  that comes after it, and pushes none out of the samples that count.
- Two values for one instant are a conflict: the more dangerous one, doubtful, whichever came first.
- A reading older than the newest of its sensor is history; so is a level out of a buffer when a newer one is there.
  One from the future of the tick counts as taken at the tick, and is doubtful if over 60 s ahead; not so a device's
  state, whose time is that of its receipt: states stand in order of delivery after a clock was set back, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from risk.arrays import NEVER_US, BoolArray, FloatArray, IntArray, SiteArrays
from risk.floats import let_down
from risk.levels import settled
from risk.pumping import fold_pumps
from risk.rain import RainNews, fold_rain
from risk.rise import LevelNews, push_level_samples
from risk.sensors import BARRIER, LEVEL, MAINS, ONLINE, RAIN_INTENSITY, RAIN_TOTAL, STOCK
from risk.state import EngineState
from risk.thresholds import CLOCK_AHEAD_S, OFF_DELAY_S, WET_DEPTH_M
from undercroft.quality import Quality
from undercroft.quantities import BarrierState

GOOD, SUSPECT, FAIL = int(Quality.GOOD), int(Quality.SUSPECT), int(Quality.FAIL)

NOT_CLOSED = (BarrierState.OPEN, BarrierState.DEPLOYING, BarrierState.OVERTOPPED, BarrierState.FAILED)
"""What a switch must say to contradict a person; one that is unsure does not."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Readings of one tick, in any order: index of the sensor (-1: not of this site), time, value, quality.

    ``buffered``: came long after it was taken, says ingest (`QualityTest.BUFFERED`); None: none did.
    """

    sensor: IntArray
    observed_us: IntArray
    value: FloatArray
    quality: NDArray[np.int8]
    buffered: BoolArray | None = None

    @classmethod
    def none(cls) -> Samples:
        """Return no readings."""
        return cls(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int8))


@dataclass(frozen=True, slots=True)
class Seen:
    """What one tick's readings showed beyond what the state keeps.

    Attributes
    ----------
    peak_m, peak_us : ndarray, shape (L,)
        Worst sample of this tick and its time; the held one where none came.
    confirmed_m, confirmed_rate : ndarray, shape (L,)
        Exceeded by two of three consecutive samples, at worst within this tick; the rate is -inf where neither the held
        value nor a sample of this tick stands at 2 cm. [m], [m/min]
    touched, heard : ndarray, shape (N,)
        Spaces of which evidence came, and those of which good evidence came.
    depth_m : ndarray, shape (L,)
        The held value of each level sensor, NaN before its first. [m]
    greatest_m : ndarray, shape (L,)
        The greatest of its last three samples, -inf for none. [m]
    """

    peak_m: FloatArray
    peak_us: IntArray
    confirmed_m: FloatArray
    confirmed_rate: FloatArray
    touched: BoolArray
    heard: BoolArray
    depth_m: FloatArray
    greatest_m: FloatArray


def second_largest(last: FloatArray) -> FloatArray:
    """Return the second largest along a last axis of three: what two of three samples reach.

    Examples
    --------
    >>> second_largest(np.array([[1.0, 5.0, 3.0], [-np.inf, -np.inf, 9.0]])).tolist()
    [3.0, -inf]
    """
    first, middle, newest = last[..., 0], last[..., 1], last[..., 2]
    lower = np.minimum(first, middle)
    upper = np.minimum(np.maximum(first, middle), newest)
    return np.asarray(np.maximum(lower, upper))


def _danger_scale(arrays: SiteArrays, sensor: IntArray, value: FloatArray) -> FloatArray:
    """Return values where more is worse: depth over ground; 1 for a barrier not closed; less stock, no power."""
    role = arrays.s_role[sensor]
    x = settled(value + arrays.s_offset[sensor])
    x = np.where(role == BARRIER, np.where(value == float(BarrierState.DEPLOYED), 0.0, 1.0), x)
    x = np.where((role == STOCK) | (role == MAINS) | (role == ONLINE), -value, x)
    return np.asarray(x)


@dataclass(frozen=True, slots=True)
class _Round:
    """Readings by sensor and instant, one for each.

    ``good_x``: the worst of the good readings of that instant, NaN for none; ``denies``: a barrier switch said, well or
    not, that the barrier does not close its entrance.
    """

    sensor: IntArray
    observed_us: IntArray
    value: FloatArray
    x: FloatArray
    quality: NDArray[np.int8]
    good_x: FloatArray
    denies: BoolArray

    def where(self, keep: BoolArray | IntArray) -> _Round:
        return _Round(
            self.sensor[keep], self.observed_us[keep], self.value[keep], self.x[keep], self.quality[keep],
            self.good_x[keep], self.denies[keep],
        )  # fmt: skip


def _merged(arrays: SiteArrays, samples: Samples, tick_us: int) -> _Round:
    """Return the readings sorted by sensor and instant, one row for each."""
    known = (samples.sensor >= 0) & np.isfinite(samples.value)
    sensor, observed = samples.sensor[known], samples.observed_us[known]
    value, quality = samples.value[known], samples.quality[known]
    x = _danger_scale(arrays, sensor, value)
    doubted = _ahead(observed, tick_us) & (quality < SUSPECT) & (arrays.s_role[sensor] != ONLINE)
    quality = np.where(doubted, SUSPECT, quality).astype(np.int8)
    failed = quality >= FAIL
    order = np.lexsort((quality, value, x, ~failed, observed, sensor))
    sensor, observed, value, x, quality = sensor[order], observed[order], value[order], x[order], quality[order]
    good_x = np.where(quality == GOOD, x, np.nan)
    denies = np.zeros(sensor.size, np.bool_)
    switch = np.flatnonzero(arrays.s_role[sensor] == BARRIER)
    denies[switch] = (quality[switch] < FAIL) & np.isin(value[switch], NOT_CLOSED)
    rows = _Round(sensor, observed, value, x, quality, good_x, denies)
    same = (sensor[1:] == sensor[:-1]) & (observed[1:] == observed[:-1])
    if not same.any():
        return rows
    # The last row of a group is its worst evidence; any other value beside it makes it doubtful.
    differs = same & (value[1:] != value[:-1])
    starts = np.flatnonzero(np.concatenate(([True], ~same)))
    last = np.concatenate((starts[1:], [sensor.size])) - 1
    in_conflict = np.maximum.reduceat(np.concatenate(([False], differs)), starts)
    worst_quality = np.where(in_conflict & (quality[last] < SUSPECT), SUSPECT, quality[last]).astype(np.int8)
    merged = rows.where(last)
    return replace(
        merged,
        quality=worst_quality,
        good_x=np.fmax.reduceat(good_x, starts),
        denies=np.logical_or.reduceat(denies, starts),
    )


def _ahead(observed_us: IntArray, tick_us: int) -> BoolArray:
    return np.asarray(observed_us > tick_us + int(CLOCK_AHEAD_S.value * 1e6))


def _without_history(arrays: SiteArrays, samples: Samples, tick_us: int) -> Samples:
    """Leave out buffered levels that a newer good reading of this tick supersedes: they are history and raise nothing.

    The newest of a sensor always counts, however old. Rain stays whole, since its sums need every step.
    """
    buffered = samples.buffered
    if buffered is None or not buffered.any():
        return samples
    sound = (samples.sensor >= 0) & (samples.quality == GOOD) & ~_ahead(samples.observed_us, tick_us)
    newest = np.full(len(arrays.sensors), NEVER_US, np.int64)
    np.maximum.at(newest, samples.sensor[sound], samples.observed_us[sound])
    levels = (samples.sensor >= 0) & (arrays.s_role[samples.sensor] == LEVEL)
    kept = ~(buffered & levels & (samples.observed_us < newest[samples.sensor]))
    return Samples(samples.sensor[kept], samples.observed_us[kept], samples.value[kept], samples.quality[kept])


def fold(state: EngineState, arrays: SiteArrays, samples: Samples, tick_us: int) -> Seen:
    """Take one tick's readings into the state; the order of arrival does not matter."""
    if state.known_us.size and state.known_us.min() == NEVER_US:
        state.known_us[state.known_us == NEVER_US] = tick_us
    touched, heard = np.zeros(arrays.n_spaces, np.bool_), np.zeros(arrays.n_spaces, np.bool_)
    rows = _merged(arrays, _without_history(arrays, samples, tick_us), tick_us)
    first = np.searchsorted(rows.sensor, rows.sensor, side="left")
    rank = np.arange(rows.sensor.size) - first
    rounds = int(rank.max()) + 1 if rank.size else 0
    earlier: list[tuple[IntArray, FloatArray, IntArray, FloatArray, FloatArray]] = []
    for number in range(rounds):
        part = rows if rounds == 1 else rows.where(rank == number)
        levels, at_us = _fold_round(state, arrays, part, tick_us, (touched, heard))
        if number < rounds - 1:
            earlier.append(
                (
                    levels,
                    state.held[arrays.l_sensor[levels]],
                    at_us,
                    second_largest(state.last_m[levels]),
                    second_largest(state.last_rate[levels]),
                )
            )
    return _seen(state, arrays, (touched, heard), earlier)


def _seen(
    state: EngineState,
    arrays: SiteArrays,
    spaces: tuple[BoolArray, BoolArray],
    earlier: list[tuple[IntArray, FloatArray, IntArray, FloatArray, FloatArray]],
) -> Seen:
    depth_m = state.held.take(arrays.l_sensor)
    peak_m = depth_m.copy() if earlier else depth_m
    peak_us = state.evidence_us.take(arrays.l_sensor)
    first, middle, newest = np.ascontiguousarray(state.last_m.T)  # read once: columns of rows of three are slow to walk
    more = np.maximum(first, middle)
    confirmed_m, greatest_m = np.maximum(np.minimum(first, middle), np.minimum(more, newest)), np.maximum(more, newest)
    for levels, sample_m, sample_us, two_of_three_m, _ in earlier:
        worse = sample_m > peak_m[levels]
        peak_us[levels] = np.where(worse, sample_us, peak_us[levels])
        peak_m[levels] = np.fmax(peak_m[levels], sample_m)
        confirmed_m[levels] = np.maximum(confirmed_m[levels], two_of_three_m)
    confirmed_rate = np.full(peak_m.size, -np.inf)
    wet = np.flatnonzero(peak_m >= WET_DEPTH_M.value)  # no rule looks at the rate of less water
    confirmed_rate[wet] = second_largest(state.last_rate[wet])
    for levels, *_, two_of_three_rate in earlier:
        confirmed_rate[levels] = np.maximum(confirmed_rate[levels], two_of_three_rate)
    return Seen(peak_m, peak_us, confirmed_m, confirmed_rate, *spaces, depth_m, greatest_m)


def _fold_round(
    state: EngineState, arrays: SiteArrays, rows: _Round, tick_us: int, spaces: tuple[BoolArray, BoolArray]
) -> tuple[IntArray, IntArray]:
    """Fold one reading per sensor; return the level sensors that have new evidence, and its times."""
    order = np.minimum(rows.observed_us, tick_us)  # a clock ahead must not make history of what is said next
    newest = order >= state.order_us[rows.sensor]
    well = np.isfinite(rows.good_x)
    behind = ~newest & well & (order >= state.good_us[rows.sensor])
    same = rows.observed_us == state.observed_us[rows.sensor]
    repeated = same & (rows.value == state.value[rows.sensor]) & ~(well & (state.good_us[rows.sensor] < order))
    late = _fold_behind(state, rows.where(behind), order[behind]) if behind.any() else None
    keep = newest & ~repeated
    if not keep.all():
        rows, order, same, well = rows.where(keep), order[keep], same[keep], well[keep]
    s = rows.sensor
    evident = rows.quality < FAIL
    good = (rows.quality == GOOD) & ~same
    x = np.where(same, np.fmax(rows.x, state.x[s]), rows.x)
    base = np.where(same, state.held_before[s], state.held[s])
    unsaid = ~good & np.isnan(base) & (arrays.s_role[s] == BARRIER)
    base = np.where(unsaid, 1.0, base)  # doubt about a barrier that was never well heard: it counts as open
    prior = state.held[s]
    state.held_before[s] = base
    held = np.where(good, x, np.fmax(base, x))
    state.held[s] = np.where(evident, held, np.where(same, state.held[s], base))
    left = s[(arrays.s_role[s] == BARRIER) & (prior == 0.0) & (state.held[s] != 0.0)]
    state.left_us[left] = tick_us
    state.denied_us[s[good]] = NEVER_US
    state.value[s] = np.where(~same | (x == rows.x), rows.value, state.value[s])
    state.quality[s] = np.where(same, np.maximum(rows.quality, SUSPECT), rows.quality)
    state.observed_us[s], state.order_us[s] = rows.observed_us, order
    state.x[s] = np.where(evident, x, np.nan)
    state.good_run[s] = np.where(good, np.minimum(state.good_run[s] + 1, 3), 0)
    state.good_tick_us[s[good]] = tick_us
    taken = _Taken(
        s, order, rows.good_x, rows.denies, good, same, np.zeros(s.size, np.bool_), state.evidence_us[s], prior
    )
    taken = taken.where(evident)
    taken = taken if late is None else taken.beside(late)
    state.evidence_tick_us[taken.sensor] = tick_us
    return _take(state, arrays, taken, spaces)


def _fold_behind(state: EngineState, rows: _Round, order: IntArray) -> _Taken:
    """Fold good readings that a doubtful one overtook: they are no history, and raise only."""
    s = rows.sensor
    prior = state.held[s]
    state.held[s] = np.fmax(prior, rows.good_x)
    none = np.zeros(s.size, np.bool_)
    return _Taken(s, order, rows.good_x, rows.denies, none, none, ~none, state.evidence_us[s], prior)


@dataclass(frozen=True, slots=True)
class _Taken:
    """Evidence that was taken: what came, how good it was, and what was known before. One row per sensor."""

    sensor: IntArray
    order_us: IntArray
    good_x: FloatArray
    denies: BoolArray
    good: BoolArray
    same: BoolArray
    behind: BoolArray
    previous_us: IntArray
    prior: FloatArray

    def where(self, keep: BoolArray) -> _Taken:
        return self if keep.all() else _Taken(*(getattr(self, name)[keep] for name in self.__slots__))

    def beside(self, other: _Taken) -> _Taken:
        return _Taken(*(np.concatenate((getattr(self, name), getattr(other, name))) for name in self.__slots__))


def _take(
    state: EngineState, arrays: SiteArrays, new: _Taken, spaces: tuple[BoolArray, BoolArray]
) -> tuple[IntArray, IntArray]:
    """Let times, pumps, rain and level samples follow evidence that was taken."""
    s, order = new.sensor, new.order_us
    well = np.isfinite(new.good_x)
    before = state.good_us[s]
    first = well & (before < order)
    state.spacing_us[s] = np.where(first & (before != NEVER_US), order - before, state.spacing_us[s])
    state.evidence_us[s] = np.maximum(state.evidence_us[s], order)
    state.good_us[s] = np.where(first, order, before)
    state.denied_us[s] = np.where(new.denies, np.maximum(state.denied_us[s], order), state.denied_us[s])
    fold_pumps(state, arrays, s, order)
    let_down(state, arrays, s, new.good)
    places = arrays.s_space[s]
    for spoke, rows in zip(spaces, (places, places[well]), strict=True):
        spoke[rows[rows >= 0]] = True
    role = arrays.s_role[s]
    raining = (role >= RAIN_TOTAL) & (role <= RAIN_INTENSITY)
    if raining.any():
        news = RainNews(
            s, order, new.previous_us, new.prior, new.good, new.same, new.behind, new.good_x, before, first
        ).where(np.flatnonzero(raining))
        fold_rain(state, arrays, news)
    levelled = (role == LEVEL) & (places >= 0)
    levels: IntArray = arrays.s_slot[s[levelled]]
    at_us, held = order[levelled], state.held[s[levelled]]
    how = LevelNews(new.good, new.same, new.behind, new.good_x, first).where(levelled)
    push_level_samples(state, levels, at_us, held, how)
    return levels, at_us


def fresh_sensors(state: EngineState, arrays: SiteArrays, tick_us: int, intervals: FloatArray | float) -> BoolArray:
    """Tell which sensors are neither stale nor offline; one never heard has as long from when it became known.

    Stale is ``intervals`` missed intervals (docs/risk.md) without a good reading, of each sensor or of all: the wet
    interval for a level sensor that stands in water and has shown that pace, else the dry one. Offline is the broker's
    word, until a newer good reading comes.
    """
    heard = np.maximum(state.good_us, state.known_us)
    fresh = np.asarray(heard >= tick_us - arrays.stale_us(intervals))
    wet = np.flatnonzero((state.held >= WET_DEPTH_M.value) & arrays.is_level)
    wet = wet[state.spacing_us[wet] <= 2 * arrays.s_limit_wet_us[wet]]
    missed = intervals if isinstance(intervals, float) else intervals[wet]
    fresh[wet] = tick_us - heard[wet] <= missed * arrays.s_limit_wet_us[wet]
    online = arrays.s_online
    gone = online[state.held.take(online) == 0.0]
    if gone.size:
        offline_us = np.full(len(arrays.devices), NEVER_US, np.int64)
        offline_us[arrays.s_device[gone]] = state.evidence_us[gone]
        fresh &= offline_us[arrays.s_device] < heard
    return fresh


def flapping(state: EngineState, switches: IntArray) -> BoolArray:
    """Tell which barrier switches left ``deployed`` and have given no good word from the off-delay after that on."""
    left_us = state.left_us[switches]
    return np.asarray((left_us != NEVER_US) & (state.good_us[switches] - left_us < int(OFF_DELAY_S.value * 1e6)))


def closed_barriers(state: EngineState, arrays: SiteArrays, fresh: BoolArray) -> BoolArray:
    """Tell at which entrances a barrier is known to be deployed: one that says so now, and none that says otherwise.

    One that said so, and then something else, is not believed again before a good word after the off-delay: a switch
    that flaps must not take a level down each time.
    """
    says = np.flatnonzero((state.held == 0.0) & arrays.is_switch & fresh)
    says = says[~flapping(state, says)]
    if says.size == 0:
        return np.zeros(len(arrays.entrances), np.bool_)
    yes = np.bincount(arrays.s_entrance[says], minlength=len(arrays.entrances))
    return np.asarray(yes == arrays.e_switches)


def said_by_switches(
    state: EngineState, arrays: SiteArrays, fresh: BoolArray, words: Sequence[BarrierState]
) -> BoolArray:
    """Tell at which entrances a fresh barrier switch says one of some states. Shape (E,)."""
    switches = arrays.s_switch[fresh[arrays.s_switch]]
    said = np.zeros(len(arrays.entrances), np.bool_)
    said[arrays.s_entrance[switches[np.isin(state.value[switches], [float(word) for word in words])]]] = True
    return said
