"""Any-of rules: a severity per family and space, now, as an alarm would see it, and as it would be left.

The sources of the numbers are in `undercroft.default_thresholds`; the water thresholds are in `risk.levels`. Each
family has four views, shape (families, spaces):

- ``now``: on the held evidence, without delay. The safety level is the greatest of them.
- ``candidate``: what may raise an alarm. Samples of one sensor count, not ticks: red on one, yellow and orange on two
  of three, on one where its rise rate would cross the next level before its next sample. Families that are not
  samples of one sensor (barrier, pump, forecast, leak) count ticks in which evidence of the space came. A warning and
  blindness count at once.
- ``below``: what still holds with the deadband on the newest evidence; starts the off-delay.
- ``lasting``: the same over the last three good samples; ends it.

Bumps ("one level up") stand on what water shows (depth, freeboard, rise, a lifted float switch), so that area-wide rain
or a warning does not turn every open barrier red. Bumps do not add up. A forecast in a bump ends at orange. What may
raise an alarm stands on water that two of three samples confirm (`_confirmed_water`): one sample at orange beside an
open barrier is not red. A float switch needs one word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from risk.arrays import BoolArray, FloatArray, IntArray, SiteArrays
from risk.blindness import blind_spaces, silent_spaces, unheard_spaces
from risk.evidence import Seen, closed_barriers, second_largest
from risk.floats import float_family, part_rows
from risk.forecast import TimeToThreshold
from risk.levels import in_force, release_m, settled, severity_of
from risk.pumping import pumping
from risk.rain_kept import raise_kept
from risk.reports import reported_severity, with_reported_barriers
from risk.rise import least_of_three
from risk.rules_barrier import barrier_step, outside_of, unclosed
from risk.rules_forecast import ahead_only, forecast_family
from risk.rules_rain import RainView, rain_view
from risk.said import pumps_not_coping
from risk.said_water import SaidWater, said_outside
from risk.silence import speaking
from risk.standin import StandIns, Told, fold_stand_ins
from risk.state import (
    BARRIER,
    BLIND,
    DEPTH,
    FAMILIES,
    FLOAT,
    FORECAST,
    FREEBOARD,
    LEAK,
    PUMP,
    RAIN,
    REPORT,
    RISE,
    WARNING,
    EngineState,
)
from risk.statics import SiteStatics
from risk.thresholds import RISING_M_MIN, WET_DEPTH_M
from risk.warnings import colour_of_spaces

Severities = NDArray[np.int8]

DERIVED = (BARRIER, PUMP, FORECAST, LEAK)
"""Families that combine evidence; they are confirmed over ticks in which evidence of the space came."""


@dataclass(frozen=True, slots=True)
class Views:
    """The four views of every rule family, and what they were made from."""

    now: Severities
    candidate: Severities
    below: Severities
    lasting: Severities
    steady: BoolArray
    heard_us: IntArray
    blind: BoolArray
    unheard: BoolArray
    stand_ins: dict[int, StandIns]
    rain: RainView
    times: TimeToThreshold
    soonest: TimeToThreshold
    by_ensemble: BoolArray
    likely: FloatArray
    fresh: BoolArray
    closed: BoolArray
    least_m: FloatArray
    depth_m: FloatArray
    out_depth_m: FloatArray
    out_rate_m_min: FloatArray
    said: dict[int, SaidWater]
    need_observed: BoolArray
    need_forecast: BoolArray
    colour: FloatArray

    @property
    def level(self) -> Severities:
        """Safety level of every space."""
        return np.asarray(self.now.max(axis=0))


def evaluate(state: EngineState, arrays: SiteArrays, statics: SiteStatics, seen: Seen, tick_us: int) -> Views:
    """Return the views of this tick; the last three severities of the derived families move on."""
    n = arrays.n_spaces
    now, candidate, below, lasting = (np.zeros((len(FAMILIES), n), np.int8) for _ in range(4))
    colour = colour_of_spaces(state.warnings, arrays) if state.warnings else np.zeros(n)
    fresh = speaking(state, arrays, statics, tick_us, colour)
    closed = closed_barriers(state, arrays, fresh)
    closed = with_reported_barriers(state, arrays, fresh, closed, statics.barrier_sensors)
    least = in_force(statics.levels, arrays, closed, state.rate > RISING_M_MIN.value)
    depth = seen.depth_m
    views = (now, candidate, below, lasting)
    rows = rows_that_matter(state, seen, depth)
    part = _water(state, arrays, statics, seen, (depth, least, rows), views)
    part |= _rise(state, arrays, statics, seen, (depth, rows), views)
    state.implicated |= part
    rain = rain_view(state, arrays, statics, fresh, bool(state.warnings), tick_us, views)
    if state.rain_kept:
        raise_kept(state, arrays, statics, rain.in_rain, views)
    if state.warnings:
        rain.in_rain[colour > 0] = True
        for view in views:
            view[WARNING] = severity_of(colour, statics.colour)
    known = (closed, pumping(state, arrays, fresh))
    ahead = forecast_family(state, arrays, statics, known, (depth, least, rows), seen.touched, tick_us)
    now[FORECAST] = ahead.severity
    float_family(state, statics.floats, closed, views)
    water = now[[DEPTH, FREEBOARD, RISE, FLOAT]].max(axis=0)
    outside = outside_of(state, arrays)
    reported = reported_severity(state, arrays, closed)
    said = said_outside(state, arrays, statics.floats)
    at = unclosed(arrays, statics, closed, outside, said)
    now[BARRIER], needed, soon = barrier_step(n, at, depth, np.maximum(water, reported), now[FORECAST])
    sure = _confirmed_water(state, arrays, seen, fresh, (least, rows), np.maximum(candidate[RISE], candidate[FLOAT]))
    steps = {BARRIER: barrier_step(n, at, seen.confirmed_m, np.maximum(sure, reported), now[FORECAST])[0]}
    _pump_and_leak(state, arrays, statics, depth, water, now, tick_us)
    steps[PUMP] = np.clip(sure + 1, 1, 4)
    if state.reports:
        pumps_not_coping(state, arrays, statics, fresh, water, now, tick_us)
        for view in views:
            view[REPORT] = reported
    silent = silent_spaces(statics, fresh)
    blind = blind_spaces(state, statics, silent, rain.in_rain)
    stand_ins: dict[int, StandIns] = {}
    if state.stand_ins or blind.any():
        told = Told(fresh, closed, silent, blind)
        stand_ins = fold_stand_ins(state, arrays, statics.neighbours, told, views)
    _derived(state, seen, views, steps)
    blind_rows = np.flatnonzero(blind)
    for view in views if blind_rows.size else ():
        view[BLIND, blind_rows] = np.clip((sure if view is candidate else water)[blind_rows] + 1, 2, 4)
    observed, expected = (np.zeros(closed.size, np.bool_) for _ in range(2))
    observed[at.entrance], expected[at.entrance] = needed, soon
    times = ahead_only(ahead.soonest, now.max(axis=0))
    return Views(
        now, candidate, below, lasting, steady_spaces(state, arrays, statics, fresh, rain),
        heard_by_us(state, arrays, statics, rain), blind,
        unheard_spaces(state, statics), stand_ins, rain, times, ahead.soonest, ahead.by_ensemble, ahead.likely, fresh,
        closed, least, depth, *outside, said, observed, expected, colour,
    )  # fmt: skip


def steady_spaces(
    state: EngineState, arrays: SiteArrays, statics: SiteStatics, fresh: BoolArray, rain: RainView
) -> BoolArray:
    """Tell where every level sensor and float switch that took part in an alarm, and rain, can be believed now."""
    rows = np.flatnonzero(state.implicated)
    sensors = arrays.l_sensor[rows]
    steady = rain.steady | ((state.alarm_families & (1 << RAIN)) == 0)
    steady[arrays.l_space[rows[~fresh[sensors] | (state.good_run[sensors] == 0)]]] = False
    part = part_rows(state, statics.floats)
    switches = statics.floats.sensor[part]
    steady[statics.floats.space[part[~fresh[switches] | (state.good_run[switches] == 0)]]] = False
    return np.asarray(steady)


def heard_by_us(state: EngineState, arrays: SiteArrays, statics: SiteStatics, rain: RainView) -> IntArray:
    """Return the tick by which every level sensor and switch of an alarm, and the rain, gave a good reading."""
    heard = np.full(arrays.n_spaces, 2**62, np.int64)
    rows = np.flatnonzero(state.implicated)
    if rows.size:
        np.minimum.at(heard, arrays.l_space[rows], state.good_tick_us[arrays.l_sensor[rows]])
    part = part_rows(state, statics.floats)
    np.minimum.at(heard, statics.floats.space[part], state.good_tick_us[statics.floats.sensor[part]])
    by_rain = (state.alarm_families & (1 << RAIN)) != 0
    if not by_rain.any():
        return heard
    return np.asarray(np.where(by_rain, np.minimum(heard, rain.heard_us), heard))


def rows_that_matter(state: EngineState, seen: Seen, depth: FloatArray) -> IntArray:
    """Return the level sensors that can say anything but 0 at this tick.

    No threshold lies below 2 cm (`risk.levels`) and none is left above half of itself, so a sensor that stood below
    1 cm now, at every sample of this tick and at its last three, and has no part in an alarm, reaches none of the four
    views of depth, freeboard and rise. 8 mm leaves room for rounding.
    """
    least = 0.4 * WET_DEPTH_M.value
    wet = (depth >= least) | (seen.greatest_m >= least) | (seen.confirmed_m >= least) | state.implicated
    if seen.peak_m is not depth:
        wet |= seen.peak_m >= least
    return np.flatnonzero(wet)


def _water(
    state: EngineState,
    arrays: SiteArrays,
    statics: SiteStatics,
    seen: Seen,
    held: tuple[FloatArray, FloatArray, IntArray],
    views: tuple[Severities, ...],
) -> BoolArray:
    """Fill depth and freeboard from the sensors that matter; return the level sensors that take part in an alarm."""
    part = np.zeros(arrays.l_sensor.size, np.bool_)
    rows = held[2]
    if rows.size == 0:
        return part
    by_view = water_of_sensors(state, arrays, statics, seen, held)
    # Rows are sorted by family and space, so those of a space in a family lie one after another.
    family, space = np.where(arrays.l_family[rows] == 1, FREEBOARD, DEPTH), arrays.l_space[rows]
    firsts = np.flatnonzero(np.concatenate(([True], (space[1:] != space[:-1]) | (family[1:] != family[:-1]))))
    for view, severity in zip(views, np.maximum.reduceat(by_view, firsts, axis=1), strict=True):
        view[family[firsts], space[firsts]] = severity
    part[rows] = by_view[1] >= 2
    return part


def water_of_sensors(
    state: EngineState,
    arrays: SiteArrays,
    statics: SiteStatics,
    seen: Seen,
    held: tuple[FloatArray, FloatArray, IntArray],
) -> Severities:
    """Return the severity of depth or freeboard of some level sensors in each view. Shape (4, rows)."""
    rows = held[2]
    depth, least, rate, peak_m = held[0][rows], held[1][:, rows], state.rate[rows], seen.peak_m[rows]
    climbing = np.where(rate > RISING_M_MIN.value, rate, 0.0)
    projected = peak_m + climbing * statics.l_interval_min[rows]
    seen_now = severity_of(np.stack((depth, peak_m, seen.confirmed_m[rows], projected)), least)
    doubtful = state.implicated[rows] & (state.good_run[arrays.l_sensor[rows]] < 3)
    longest = np.where(doubtful, np.inf, _greatest(state.last_m[rows]))
    leaving = severity_of(np.stack((depth, np.fmax(longest, depth))), release_m(least))
    peak = seen_now[1]
    alarm = np.maximum(seen_now[2], np.where((peak == 4) | (seen_now[3] > peak), peak, 0)).astype(np.int8)
    return np.stack((seen_now[0], alarm, np.maximum(leaving[0], seen_now[0]), np.maximum(leaving[1], leaving[0])))


def _rise(
    state: EngineState,
    arrays: SiteArrays,
    statics: SiteStatics,
    seen: Seen,
    held: tuple[FloatArray, IntArray],
    views: tuple[Severities, ...],
) -> BoolArray:
    """Fill the rise family from the sensors that matter; return the level sensors that take part in an alarm."""
    part = np.zeros(arrays.l_sensor.size, np.bool_)
    rows = held[1][statics.l_rise[held[1]]]
    if rows.size == 0:
        return part
    severity = rise_of_sensors(state, arrays, statics, seen, (held[0], rows))
    for view, severities in zip(views, severity, strict=True):
        np.maximum.at(view[RISE], arrays.l_space[rows], severities)
    part[rows] = severity[1] >= 2
    return part


def rise_of_sensors(
    state: EngineState, arrays: SiteArrays, statics: SiteStatics, seen: Seen, held: tuple[FloatArray, IntArray]
) -> Severities:
    """Return the severity of the rise at some level sensors in each view. Shape (4, rows)."""
    rows = held[1]
    depth, rate = held[0][rows], state.rate[rows]
    doubtful = state.implicated[rows] & (state.good_run[arrays.l_sensor[rows]] < 3)
    longest = np.where(doubtful, np.inf, _greatest(state.last_rate[rows]))
    rates = settled(np.stack((rate, seen.confirmed_rate[rows], rate, np.maximum(longest, rate))))
    wet = np.stack((depth, seen.peak_m[rows], depth, depth)) >= WET_DEPTH_M.value
    wet[3] |= doubtful
    severity = np.where(wet, severity_of(rates, statics.rise_m_min[:, arrays.l_space[rows]]), 0).astype(np.int8)
    severity[3] = np.where(np.isinf(longest) & doubtful, 4, severity[3])
    return severity


def _confirmed_water(
    state: EngineState,
    arrays: SiteArrays,
    seen: Seen,
    fresh: BoolArray,
    held: tuple[FloatArray, IntArray],
    rise: Severities,
) -> Severities:
    """Return the severity of water on which a bump of an alarm may stand: two of three samples, or red on one.

    A sensor that fell silent can confirm nothing any more: what it said last counts, so that blindness fails safe.
    """
    sure = rise.copy()
    rows = held[1]
    if rows.size:
        sensor = arrays.l_sensor[rows]
        said = np.where(fresh[sensor], seen.confirmed_m[rows], np.fmax(seen.confirmed_m[rows], state.held[sensor]))
        severity = severity_of(np.stack((said, seen.peak_m[rows])), held[0][:, rows])
        np.maximum.at(sure, arrays.l_space[rows], np.where(severity[1] == 4, severity[1], severity[0]))
    return sure


def _pump_and_leak(
    state: EngineState,
    arrays: SiteArrays,
    statics: SiteStatics,
    depth: FloatArray,
    water: Severities,
    now: Severities,
    tick_us: int,
) -> None:
    n = arrays.n_spaces
    inside = statics.inside_rows
    pumps = statics.pump_sensors[state.held[statics.pump_sensors] >= 0.5]
    if pumps.size:
        rising = np.zeros(n, np.bool_)
        rising[arrays.l_space[inside[state.rate[inside] > RISING_M_MIN.value]]] = True
        space = arrays.s_space[pumps]
        space = space[(tick_us - state.running_us[pumps]) / 60e6 >= statics.pump_min[space]]
        space = space[rising[space]]
        now[PUMP, space] = np.clip(water[space] + 1, 1, 4)
    wet_inside = inside[depth[inside] >= statics.leak_rows_m]
    if wet_inside.size:
        out = arrays.l_family == 1
        watched, wet_out = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
        watched[arrays.l_space[out & (depth > -np.inf)]] = True
        wet_out[arrays.l_space[out & (state.sure_m[:, -1] >= WET_DEPTH_M.value)]] = True  # doubt dries nothing
        leaks = np.zeros(n, np.bool_)
        leaks[arrays.l_space[wet_inside]] = True
        now[LEAK] = np.where(leaks & watched & ~wet_out & ~statics.underpass, 2, 0)


def _derived(state: EngineState, seen: Seen, views: tuple[Severities, ...], steps: dict[int, Severities]) -> None:
    """Confirm the derived families over ticks; a bump goes no further than ``steps``, on confirmed water."""
    now, candidate, below, lasting = views
    heard, doubted = np.flatnonzero(seen.heard), np.flatnonzero(seen.touched & ~seen.heard)
    families = np.array(DERIVED)
    if heard.size:
        last = state.derived_last[heard]
        last[:, :, :2] = last[:, :, 1:]
        last[:, families, 2] = now[families][:, heard].T
        state.derived_last[heard] = last
    if doubted.size:  # what only doubtful evidence shows takes the place of the least of the three, where it is more
        cells = np.ix_(doubted, families)
        last = state.derived_last[cells]
        place = np.arange(3) == least_of_three(last)[..., None]
        shown = now[families][:, doubted].T[..., None]
        state.derived_last[cells] = np.where(place, np.maximum(last, shown), last)
    live = seen.touched.copy()
    live[rows_with_memory(state)] = True
    for family in DERIVED:
        live |= now[family] != 0
    rows = np.flatnonzero(live)
    if rows.size == 0:
        return
    cells = np.ix_(families, rows)
    last = state.derived_last[np.ix_(rows, families)]
    confirmed = second_largest(last).T
    current = now[cells]
    candidate[cells] = np.maximum(confirmed, np.where(current == 4, 4, 0))
    for family, sure in steps.items():
        candidate[family] = np.minimum(candidate[family], sure)
    below[cells] = current
    lasting[cells] = np.maximum(_greatest(last).T, current)


def rows_with_memory(state: EngineState) -> IntArray:
    """Return at least the spaces whose derived families were above 0 at one of their last three ticks.

    Looked for eight bytes at a time: a space beside such a one may be among them, and is 0 in all that is asked of it.
    """
    memory = state.derived_last.reshape(-1)
    whole = memory.size // 8 * 8
    words = np.flatnonzero(memory[:whole].view(np.int64))
    cells = np.concatenate(((words[:, None] * 8 + np.arange(8)).ravel(), np.arange(whole, memory.size)))
    return np.asarray(cells // state.derived_last[0].size)


def _greatest(last: NDArray[Any]) -> NDArray[Any]:
    """Return the greatest along a last axis of three."""
    return np.asarray(np.maximum(np.maximum(last[..., 0], last[..., 1]), last[..., 2]))
