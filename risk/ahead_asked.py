"""The question of `risk.ahead`: what the memory after a tick says of the wet spaces, as the ensemble starts from it.

An entrance without a sensor is taken to stand as deep as the deepest other entrance of its space. Where no entrance has
one, what comes in is told by the rise inside and goes on as the street would; what happens outside is not foreseen.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from risk.ahead import Question, there_already
from risk.ahead_site import SiteAhead
from risk.arrays import BoolArray, FloatArray, IntArray, SiteArrays
from risk.barriers_out import barriers_out
from risk.evidence import closed_barriers, said_by_switches
from risk.nowcast.calibration import Around
from risk.nowcast.layout import Layout, Now
from risk.past.ask import PastOfSite, past_asked, past_kept
from risk.pumping import powerless_spaces, pumping
from risk.reports import known_not_closed, with_reported_barriers
from risk.rules_barrier import outside_of
from risk.silence import speaking
from risk.state import EngineState
from risk.statics import SiteStatics
from risk.thresholds import RISING_M_MIN, WET_DEPTH_M
from undercroft.quantities import BarrierState


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
    return there_already(layout, now) & ~surely.T


def _part(arrays: SiteArrays, site: SiteAhead, chosen: IntArray, rows: IntArray, closed: BoolArray) -> Layout:
    """Return the layout of some spaces; a closed barrier moves the outside thresholds to its top."""
    layout = site.layout
    raises_m = layout.barrier_raises_m[rows]
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
        barrier_raises_m=raises_m,
        target_level_m=layout.target_level_m[:, rows] + np.where(closed[rows], raises_m, 0.0),
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
