"""What lies ahead of every wet space, from the ensemble of `risk.nowcast`, made beside the safety tick.

A nowcast is asked of the memory after one tick (`asked`), worked out (`answered`) while later ticks are taken, and
given to a later one, which keeps it in the memory (`taken`). Its ``nowcast_id`` names the tick whose memory it was made
from. Nothing but that memory goes into it, no chance and no clock, so whoever folds the log again makes the same
nowcast and gives it to the same tick (docs/decisions/0018).

An entrance without a sensor is taken to stand as deep as the deepest other entrance of its space. Where no entrance has
one, what comes in is told by the rise inside and goes on as the street would; what happens outside is not foreseen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from risk.arrays import NEVER_US, BoolArray, FloatArray, IntArray, SiteArrays, iso
from risk.barriers_out import barriers_out
from risk.evidence import closed_barriers, said_by_switches
from risk.forecast import Storage
from risk.hydraulics.leakage import LEAKAGE_LIMIT_M3_H_M2
from risk.levels import least_at
from risk.nowcast.calibration import Around, calibrated
from risk.nowcast.ensemble import nowcast
from risk.nowcast.layout import Layout, Now
from risk.past.ask import ByPast, PastOfSite, by_past, past_asked, past_kept
from risk.past.foreseen import PastAsked
from risk.pumping import powerless_spaces, pumping
from risk.reports import known_not_closed, with_reported_barriers
from risk.rules_barrier import outside_of
from risk.silence import speaking
from risk.state import EngineState
from risk.statics import SiteStatics
from risk.thresholds import ORANGE, RED, RISING_M_MIN, WET_DEPTH_M
from undercroft.quantities import BarrierState

TARGETS = (int(ORANGE), int(RED))
NAMES = ("orange", "red")
SMALL_M3 = 1e-6
"""Least distance between the volumes at which a pump starts and stops. [m³]"""


@dataclass(frozen=True, slots=True, eq=False)
class SiteAhead:
    """The ensemble's view of a site: barriers open, the red that holds only while the inside rises.

    ``inside_m``, shape (2, N), is the inside depth of orange and of red, rising. [m]
    """

    layout: Layout
    steady_red_m3: FloatArray
    rising_red_m: FloatArray
    inside_m: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """What an ensemble is asked: the wet spaces as the memory after a tick has them.

    ``valid_from_us``: since when its thresholds hold. [µs since 1970] ``around``: what its shares are weighed with.
    ``unsure``, shape (spaces, 2): stands at orange, at red, only because a barrier that is not heard counts as open.
    ``past``: what a library of floods is asked, empty without one; ``kept``: what it said last of spaces whose sensor
    is silent or doubted since.
    """

    nowcast_id: int
    site_commit_seq: int
    valid_from_us: int
    made_us: int
    spaces: IntArray
    layout: Layout
    now: Now
    around: Around
    unsure: BoolArray
    past: tuple[PastAsked, ...]
    kept: ByPast


@dataclass(frozen=True, slots=True, eq=False)
class Nowcast:
    """What an ensemble answered, for the spaces that were asked about; nothing lies ahead of the others.

    Attributes
    ----------
    times_min : ndarray, shape (spaces, 2, 3)
        Earliest, likely and latest time to orange and to red; infinite for not within the hour, NaN for unknown. [min]
    probability : ndarray, shape (spaces, 2, 3)
        That it is reached within 15, 30 and 60 minutes, calibrated (`risk.nowcast.calibration`); 1 where it stands
        already, NaN where it does so only by a barrier that is not heard: open, it stands; closed, it may never come.
    members : ndarray, shape (spaces, 2, 3)
        Share of the members in which it is.
    order_min : ndarray, shape (spaces,)
        Last minute of the order, see `risk.nowcast.deadline`. [min]
    floods : ndarray, shape (spaces,)
        Past floods behind times and probabilities; 0 where the ensemble made them.
    """

    nowcast_id: int
    site_commit_seq: int
    valid_from_us: int
    made_us: int
    spaces: IntArray
    times_min: FloatArray
    probability: FloatArray
    members: FloatArray
    order_min: FloatArray
    floods: IntArray


def site_ahead(arrays: SiteArrays, storage: Storage) -> SiteAhead:
    """Return the ensemble's view of a site."""
    spaces = np.arange(arrays.n_spaces)
    most = max((len(space.pumps) for space in arrays.spaces), default=0)
    capacity, on, off = (np.zeros((arrays.n_spaces, max(most, 1))) for _ in range(3))
    for row, space in enumerate(arrays.spaces):
        for place, pump in enumerate(space.pumps):
            capacity[row, place], on[row, place], off[row, place] = (
                pump.capacity_m3_s, pump.on_depth_m, pump.off_depth_m,
            )  # fmt: skip
    on_m3 = np.stack([storage.volume_at_m3(spaces, on[:, place]) for place in range(on.shape[1])], axis=1)
    off_m3 = np.stack([storage.volume_at_m3(spaces, off[:, place]) for place in range(off.shape[1])], axis=1)
    barriers = [ref.entrance.barrier for ref in arrays.entrances]
    orange = np.fmin(
        _inside_m(arrays, "inside-depth", TARGETS[0]), _inside_m(arrays, "inside-depth-rising", TARGETS[0])
    )
    steady, rising = (_inside_m(arrays, rule, TARGETS[1]) for rule in ("inside-depth", "inside-depth-rising"))
    layout = Layout(
        target_m3=np.stack([storage.volume_at_m3(spaces, depth) for depth in (orange, np.fmin(steady, rising))]),
        pump_m3_s=capacity,
        pump_on_m3=np.maximum(on_m3, off_m3 + SMALL_M3),
        pump_off_m3=off_m3,
        ramp_m2=np.array([space.open_ramp_m2 for space in arrays.spaces], np.float64),
        space=arrays.e_space,
        width_m=arrays.e_width_m,
        crest_m=arrays.e_crest_m,
        barrier_height_m=np.nan_to_num(arrays.e_barrier_top_m - arrays.e_crest_m),
        leakage_m3_h_m2=np.array([0.0 if b is None else LEAKAGE_LIMIT_M3_H_M2[b.leakage_grade] for b in barriers]),
        deploy_min=np.array([np.nan if b is None else b.deploy_min for b in barriers], np.float64),
        target_level_m=_outside_levels_m(arrays),
    )
    inside_m = np.stack((orange, np.fmin(steady, rising)))
    return SiteAhead(layout, storage.volume_at_m3(spaces, steady), rising, inside_m)


def _inside_m(arrays: SiteArrays, rule: str, severity: int) -> FloatArray:
    """Return the inside depth at which a rule brings each space to a severity; infinite for none. [m]"""
    find = arrays.thresholds.value
    values = np.array([find(rule, space.id, space.kind, severity) for space in arrays.spaces])
    return np.asarray(np.where(np.isnan(values), np.inf, values))


def _outside_levels_m(arrays: SiteArrays) -> FloatArray:
    """Return the outside level at which each entrance reaches orange and red, barrier open. [m over datum]"""
    least = [least_at(arrays, ref.space, row, closed=False)[0] for row, ref in enumerate(arrays.entrances)]
    table = np.array(least, np.float64).reshape(-1, 4)
    return np.asarray(table[:, [severity - 1 for severity in TARGETS]].T + arrays.e_roadway_m)


def asked(
    state: EngineState,
    arrays: SiteArrays,
    statics: SiteStatics,
    site: SiteAhead,
    past: PastOfSite | None,
    among: BoolArray | None = None,
) -> Question:
    """Return what the ensemble is asked after a tick: of the memory alone, so that a restored one asks the same.

    ``among``: the spaces that anybody wants to know of, all unless it is given; what is said of one hangs on no other's
    being asked about.
    """
    wet = np.zeros(arrays.n_spaces, np.bool_)
    wet[arrays.l_space[state.held[arrays.l_sensor] >= WET_DEPTH_M.value]] = True
    chosen = np.flatnonzero(wet if among is None else wet & among)
    fresh = speaking(state, arrays, statics, state.tick_us)
    closed = closed_barriers(state, arrays, fresh)
    closed = with_reported_barriers(state, arrays, fresh, closed, statics.barrier_sensors)
    rows = np.flatnonzero(np.isin(arrays.e_space, chosen))
    depth_m, rate_m_min = _inside(state, arrays, chosen)
    layout = _part(arrays, site, chosen, rows, closed)
    rising_only = (depth_m >= site.rising_red_m[chosen]) & ~(rate_m_min > RISING_M_MIN.value)
    layout.target_m3[1] = np.where(rising_only, site.steady_red_m3[chosen], layout.target_m3[1])
    volume_m3 = np.where(np.isnan(depth_m), np.nan, statics.storage.volume_at_m3(chosen, np.nan_to_num(depth_m)))
    running = statics.storage.pump_words.running_share(pumping(state, arrays, fresh), chosen)
    blind = ~_heard_outside(state, arrays)[chosen] & ~np.isnan(depth_m)
    layout = replace(layout, pump_m3_s=_lifting(layout, volume_m3, running, blind))
    heard, gauges_mm, fallen_mm = _rain(state, arrays, fresh)
    basin = arrays.basin_of_space[chosen]
    known = (closed, depth_m, rate_m_min, volume_m3, fallen_mm[basin])
    now = _now(state, arrays, statics, chosen, rows, (known, (running > 0.0, layout.pump_m3_s, blind)))
    deploying = said_by_switches(state, arrays, fresh, (BarrierState.DEPLOYING,))
    layout = replace(layout, deploy_min=np.where(barriers_out(state, arrays)[rows], np.nan, layout.deploy_min))
    unheard = (layout.barrier_height_m > 0.0) & ~(closed | known_not_closed(state, arrays, fresh))[rows]
    missing_m = np.where(blind, site.inside_m[:, chosen] - depth_m, np.inf)
    around = _around(layout, now, missing_m, gauges_mm[basin], deploying[rows])
    around = replace(around, by_inside=blind, no_gauge=~heard[basin], last_mm=fallen_mm[basin])
    unsure = _unsure(layout, now, unheard)
    of_past = past_asked(state, arrays, past, chosen, fresh, missing_m)
    kept = past_kept(state, arrays, past, chosen, fresh)
    names = state.tick_seq, state.site_commit_seq, arrays.valid_from_us, state.tick_us, chosen
    return Question(*names, layout, now, around, unsure, of_past, kept)


def _around(layout: Layout, now: Now, inside_m: FloatArray, rain_mm: FloatArray, deploying: BoolArray) -> Around:
    """Return what shares are weighed with; the barrier is that of the entrance where least is missing to orange."""
    missing_m, no = inside_m.copy(), np.zeros(rain_mm.shape[0], np.bool_)
    over_m = layout.target_level_m - now.outside_m
    for target, level_m in zip(missing_m, over_m, strict=True):
        np.fmin.at(target, layout.space, level_m)
    order = np.lexsort((np.nan_to_num(over_m[0], nan=np.inf), layout.space))
    nearest = order[np.searchsorted(layout.space[order], np.arange(rain_mm.shape[0]))]
    nothing = ~(layout.barrier_height_m[nearest] > 0.0)
    return Around(missing_m.T, rain_mm, nothing, deploying[nearest], no, no, rain_mm)


def _unsure(layout: Layout, now: Now, unheard: BoolArray) -> BoolArray:
    """Tell which spaces stand at each target outside, at entrances with an unheard barrier alone, and not inside."""
    surely = now.volume_m3 >= layout.target_m3
    over = layout.target_level_m <= now.outside_m
    for target in range(2):
        surely[target, layout.space[over[target] & ~unheard]] = True
    return _stands(layout, now) & ~surely.T


def _stands(layout: Layout, now: Now) -> BoolArray:
    """Tell which spaces stand at each target, inside or outside, shape (S, 2); what is not known stands at none."""
    stands = now.volume_m3 >= layout.target_m3
    over = layout.target_level_m <= now.outside_m
    for target in range(2):
        stands[target, layout.space[over[target]]] = True
    return np.asarray(stands.T)


def answered(question: Question) -> Nowcast:
    """Run the ensemble; the same question has the same answer, whoever asks and whenever."""
    size = question.spaces.size
    times, members, order = np.zeros((size, 2, 3)), np.zeros((size, 2, 3)), np.zeros(size)
    floods = np.zeros(size, np.int64)
    probability = members
    if size:
        result = nowcast(question.layout, question.now)
        times = np.stack((result.earliest_min, result.likely_min, result.latest_min), axis=-1).swapaxes(0, 1)
        members = result.probability.transpose(2, 1, 0)
        probability = calibrated(members, question.around)
        for found in map(by_past, question.past):
            not_yet = times[found.place] > 0.0
            times[found.place] = np.where(not_yet, found.times_min, times[found.place])
            probability[found.place], members[found.place] = found.probability, found.members
            floods[found.place] = found.floods
        kept, at = question.kept, question.kept.place
        times[at] = np.fmin(times[at], kept.times_min)
        probability[at], members[at] = np.fmax(probability[at], kept.probability), kept.members
        floods[at] = kept.floods
        stands = _stands(question.layout, question.now)
        times[stands] = 0.0
        probability[times[:, :, 2] <= 0.0] = 1.0  # it is there already
        probability[question.unsure] = np.nan
        order = result.last_order_min
    names = question.nowcast_id, question.site_commit_seq, question.valid_from_us, question.made_us
    return Nowcast(*names, question.spaces, times, probability, members, order, floods)


def taken(state: EngineState, found: Nowcast) -> None:
    """Keep a nowcast in the memory until the next; one of another version of the site is not for this one."""
    if found.site_commit_seq != state.site_commit_seq:
        return
    state.nowcast_id = found.nowcast_id
    state.ahead_us[:] = NEVER_US
    state.ahead_us[found.spaces] = found.made_us
    state.ahead_min[found.spaces] = found.times_min
    state.ahead_p[found.spaces] = found.probability
    state.ahead_members[found.spaces] = found.members
    state.ahead_order_min[found.spaces] = found.order_min
    state.ahead_floods[found.spaces] = found.floods


def _part(arrays: SiteArrays, site: SiteAhead, chosen: IntArray, rows: IntArray, closed: BoolArray) -> Layout:
    """Return the layout of some spaces; a closed barrier moves the outside thresholds to its top."""
    layout = site.layout
    top = np.where(closed[rows], layout.barrier_height_m[rows], 0.0)
    by_depth = np.array([arrays.spaces[space].kind == "underpass" for space in arrays.e_space[rows]], np.bool_)
    return replace(
        layout,
        target_m3=layout.target_m3[:, chosen],
        pump_m3_s=layout.pump_m3_s[chosen],
        pump_on_m3=layout.pump_on_m3[chosen],
        pump_off_m3=layout.pump_off_m3[chosen],
        ramp_m2=layout.ramp_m2[chosen],
        space=np.searchsorted(chosen, arrays.e_space[rows]),
        width_m=layout.width_m[rows],
        crest_m=layout.crest_m[rows],
        barrier_height_m=layout.barrier_height_m[rows],
        leakage_m3_h_m2=layout.leakage_m3_h_m2[rows],
        deploy_min=layout.deploy_min[rows],
        target_level_m=layout.target_level_m[:, rows] + np.where(by_depth, 0.0, top),
    )


def _lifting(layout: Layout, volume_m3: FloatArray, running: FloatArray, blind: BoolArray) -> FloatArray:
    """Return what pumps lift; one with a sensor, where the water stands over its on-depth, only if that says it runs.

    Its silence and doubt are no better than its "stopped". Where nothing measures outside (``blind``), what comes in is
    told by the rise, which has in it what runs already: from its off-depth on, a pump that nothing says to run lifts
    nothing more, with a sensor or without. ``running``: `risk.pumping.PumpWords.running_share`. [m³/s]
    """
    told = ~np.isnan(running) & (volume_m3[:, None] >= layout.pump_on_m3)
    told |= blind[:, None] & (volume_m3[:, None] > layout.pump_off_m3)
    return np.asarray(np.where(told, layout.pump_m3_s * np.nan_to_num(running), layout.pump_m3_s))


def _now(
    state: EngineState,
    arrays: SiteArrays,
    statics: SiteStatics,
    chosen: IntArray,
    rows: IntArray,
    told: tuple[
        tuple[BoolArray, FloatArray, FloatArray, FloatArray, FloatArray], tuple[BoolArray, FloatArray, BoolArray]
    ],
) -> Now:
    """Return what the members start from; where nothing measures outside, the rise inside tells what comes.

    What comes in is the rise over the storage curve, and what running pumps take out. By hand, 2000 m², 1 cm/min, a
    pump of 0.05 m³/s that runs: 20 + 3 = 23 m³/min; the same level steady, 3 m³/min; falling by 2 mm/min, 0.
    """
    storage = statics.storage
    (closed, depth_m, rate_m_min, volume, rain_mm), (running, capacity_m3_s, blind) = told
    powered = ~powerless_spaces(state, arrays)[chosen]
    out_depth, out_rate = outside_of(state, arrays)
    outside_m, rise_m_min = (_filled(of, arrays, rows) for of in (out_depth, out_rate))
    of_row = np.searchsorted(chosen, arrays.e_space[rows])
    pumped = 60.0 * np.where(running & powered[:, None], capacity_m3_s, 0.0).sum(axis=1)
    after = storage.volume_at_m3(chosen, np.where(blind, depth_m + rate_m_min, 0.0))
    unseen = np.where(blind, np.maximum(after - volume + pumped, 0.0), 0.0)
    outside_m, rise_m_min = (np.where(blind[of_row], dry, of) for dry, of in ((-np.inf, outside_m), (0.0, rise_m_min)))
    return Now(
        volume_m3=volume,
        rain_mm_h=rain_mm[:, 1] * 6.0,
        pump_running=running,
        pump_powered=np.broadcast_to(powered[:, None], running.shape),
        outside_m=outside_m + arrays.e_roadway_m[rows],
        rise_m_min=rise_m_min,
        closed=closed[rows],
        unseen_m3_min=unseen,
    )


def _rain(state: EngineState, arrays: SiteArrays, fresh: BoolArray) -> tuple[BoolArray, FloatArray, FloatArray]:
    """Return of each basin whether a gauge is heard, and the most rain of 5, 10 and 60 min: of those, of all. [mm]"""
    heard, rain_mm, ever_mm = np.zeros(len(arrays.basins), np.bool_), *np.zeros((2, len(arrays.basins), 3))
    speaks = fresh[arrays.g_sensor]
    heard[arrays.g_basin[speaks]] = True
    np.maximum.at(rain_mm, arrays.g_basin[speaks], state.acc_mm[speaks])
    np.maximum.at(ever_mm, arrays.g_basin, state.acc_mm)
    return heard, rain_mm, ever_mm


def _heard_outside(state: EngineState, arrays: SiteArrays) -> BoolArray:
    """Tell where a level sensor outside has ever spoken; of the other spaces the rise inside must say what comes."""
    spoke = arrays.l_outside & ~np.isnan(state.held[arrays.l_sensor])
    return np.asarray(np.bincount(arrays.l_space[spoke], minlength=arrays.n_spaces) > 0)


def _inside(state: EngineState, arrays: SiteArrays, chosen: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return the greatest depth inside and its rate; 0 where nothing measures it, NaN where that was never heard."""
    inside = np.flatnonzero(~arrays.l_outside)
    held = state.held[arrays.l_sensor[inside]]
    depth, rate = np.full(arrays.n_spaces, -np.inf), np.full(arrays.n_spaces, -np.inf)
    np.fmax.at(depth, arrays.l_space[inside], held)
    np.maximum.at(rate, arrays.l_space[inside], state.rate[inside])
    has = np.zeros(arrays.n_spaces, np.bool_)
    has[arrays.l_space[inside]] = True
    depth = np.where(has, np.where(np.isinf(depth), np.nan, depth), 0.0)
    return depth[chosen], rate[chosen]


def _filled(values: FloatArray, arrays: SiteArrays, rows: IntArray) -> FloatArray:
    """Return values of entrances; one that is not known has the greatest of its space."""
    most = np.full(arrays.n_spaces, -np.inf)
    np.fmax.at(most, arrays.e_space[rows], values[rows])
    of_space = most[arrays.e_space[rows]]
    return np.asarray(np.where(np.isnan(values[rows]), np.where(np.isinf(of_space), np.nan, of_space), values[rows]))


def shown(state: EngineState, space: int) -> dict[str, Any] | None:
    """Return what the nowcast in the memory says of a space, None where it was not asked."""
    if state.ahead_us[space] == NEVER_US:
        return None
    told: dict[str, Any] = {"nowcast_id": state.nowcast_id, "made_at": iso(int(state.ahead_us[space]))}
    for row, name in enumerate(NAMES):
        earliest, likely, latest = (_minutes(value) for value in state.ahead_min[space, row].tolist())
        within, members = (
            [None if np.isnan(p) else round(p, 3) for p in shares[space, row].tolist()]
            for shares in (state.ahead_p, state.ahead_members)
        )
        told[name] = {
            "earliest_min": earliest, "likely_min": likely, "latest_min": latest,
            "within_15": within[0], "within_30": within[1], "within_60": within[2],
            "members_15": members[0], "members_30": members[1], "members_60": members[2],
        }  # fmt: skip
    order = float(state.ahead_order_min[space])
    told["last_order_min"] = _minutes(order)
    finite = "by" if np.isfinite(order) else "too_late" if order < 0 else "not_needed"
    told["order"] = "none" if np.isnan(order) else finite
    if state.ahead_floods[space]:
        told["past_floods"] = int(state.ahead_floods[space])
    return told


def _minutes(value: float) -> float | None:
    """Return minutes to one decimal; None for not within the hour, or not known."""
    return round(value + 0.0, 1) if np.isfinite(value) else None
