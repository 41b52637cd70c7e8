"""Nowcast of the inside of every space: an ensemble of water balances, minute by minute.

Everything is counted in volume, so no water is made or lost: thresholds and pump switches are volumes too, taken once
from the storage curve. Submergence is left out: the inside is taken to stay below the crest, which errs early.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk.hydraulics.arrays import BoolArray, FloatArray
from risk.hydraulics.leakage import leakage_m3_s
from risk.hydraulics.weir import weir_m3_s
from risk.nowcast.deadline import last_order_min, per_space
from risk.nowcast.members import INSIDE_MEMBERS, OUTSIDE_PATHS, InsideMember, OutsidePath, outside_rise_m
from risk.nowcast.summary import NowcastResult, dry, summarise

IntArray = NDArray[np.int64]

STEPS = 60
"""Minutes ahead."""
STEP_S = 60.0
SPACES_AT_A_TIME = 32
"""So that a block of members stays in the cache."""


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """What does not change from minute to minute. S spaces, P pumps each, E entrances, K thresholds.

    Attributes
    ----------
    target_m3 : ndarray, shape (K, S)
        Volume at which each threshold is reached inside; infinite where there is none. [m³]
    pump_m3_s, pump_on_m3, pump_off_m3 : ndarray, shape (S, P)
        Capacity (0: no pump) [m³/s] and volumes at which it switches [m³].
    ramp_m2 : ndarray, shape (S,)
        Open area whose rain runs in. [m²]
    space : ndarray, shape (E,)
        Space of each entrance, rising.
    width_m, crest_m, barrier_height_m, leakage_m3_h_m2 : ndarray, shape (E,)
        As in `risk.hydraulics.weir`; barrier height 0 where there is no barrier.
    deploy_min : ndarray, shape (E,)
        Minutes from the order to the closed barrier; NaN where there is none. [min]
    target_level_m : ndarray, shape (K, E)
        Outside level at which each threshold is reached; infinite where there is none. [m over datum]
    """

    target_m3: FloatArray
    pump_m3_s: FloatArray
    pump_on_m3: FloatArray
    pump_off_m3: FloatArray
    ramp_m2: FloatArray
    space: IntArray
    width_m: FloatArray
    crest_m: FloatArray
    barrier_height_m: FloatArray
    leakage_m3_h_m2: FloatArray
    deploy_min: FloatArray
    target_level_m: FloatArray

    def __post_init__(self) -> None:
        if np.any(np.diff(self.space) < 0):
            raise ValueError("entrances must be sorted by space")
        if np.any((self.pump_on_m3 <= self.pump_off_m3) & (self.pump_m3_s > 0.0)):
            raise ValueError("pump_on_m3 must be above pump_off_m3")


@dataclass(frozen=True, slots=True, eq=False)
class Now:
    """What is known at this minute.

    Attributes
    ----------
    volume_m3, rain_mm_h : ndarray, shape (S,)
        Water inside [m³] and rain [mm/h]. NaN: unknown, and so is the nowcast of that space.
    pump_running, pump_powered : ndarray of bool, shape (S, P)
        State of the pumps.
    outside_m, rise_m_min : ndarray, shape (E,)
        Outside level [m over datum] and its recent rate [m/min]; NaN: unknown.
    closed : ndarray of bool, shape (E,)
        True only where the barrier is known to be deployed.
    """

    volume_m3: FloatArray
    rain_mm_h: FloatArray
    pump_running: BoolArray
    pump_powered: BoolArray
    outside_m: FloatArray
    rise_m_min: FloatArray
    closed: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class Inflow:
    """Inflow of some entrances in every step, shape (steps, paths, entrances), barriers open and closed. [m³]"""

    open_m3: FloatArray
    closed_m3: FloatArray
    level_m: FloatArray


def nowcast(
    layout: Layout,
    now: Now,
    paths: Sequence[OutsidePath] = OUTSIDE_PATHS,
    members: Sequence[InsideMember] = INSIDE_MEMBERS,
) -> NowcastResult:
    """Return times and probabilities of every space; dry spaces that stay dry are not run.

    Examples
    --------
    See ``tests/unit/risk_nowcast/test_ensemble.py``: 2000 m², a 6 m ramp, 0.20 m over the crest and steady: 0.15 m
    inside in 5.5 min, as in ``docs/hydraulics.md``.
    """
    result = dry(layout.target_m3.shape[0], layout.target_m3.shape[1], len(members))
    wet = np.nonzero(_may_get_wet(layout, now, paths))[0]
    entrances = np.bincount(layout.space, minlength=now.volume_m3.size)
    for count in np.unique(entrances[wet]):
        alike = wet[entrances[wet] == count]
        for start in range(0, alike.size, SPACES_AT_A_TIME):
            _run_block(layout, now, alike[start : start + SPACES_AT_A_TIME], paths, members, result)
    return result


def _may_get_wet(layout: Layout, now: Now, paths: Sequence[OutsidePath]) -> BoolArray:
    """Tell where water is inside, comes in or reaches an outside threshold on any path, or evidence is missing."""
    end = np.array([float(STEPS)])
    highest = now.outside_m + np.max([outside_rise_m(now.rise_m_min, path, end)[0] for path in paths], axis=0)
    least = np.minimum(layout.crest_m, layout.target_level_m.min(axis=0))
    entrance_dry = (highest <= least) & (highest < least + 1.0)
    touched = np.bincount(layout.space, ~entrance_dry, minlength=now.volume_m3.size) > 0
    rain_in = now.rain_mm_h * layout.ramp_m2
    return np.asarray(touched | ~(now.volume_m3 <= 0.0) | ~(rain_in <= 0.0), dtype=np.bool_)


def _run_block(
    layout: Layout,
    now: Now,
    chosen: IntArray,
    paths: Sequence[OutsidePath],
    members: Sequence[InsideMember],
    result: NowcastResult,
) -> None:
    """Run the ensemble of some spaces with equally many entrances and write it into the result."""
    first = np.searchsorted(layout.space, chosen)
    each = int(np.searchsorted(layout.space, chosen[0], side="right") - first[0])
    rows = (first[:, None] + np.arange(each)).ravel()
    inflow = _inflow(layout, now, rows, paths)
    rain_m3 = _rain_m3(layout, now, chosen, paths)
    as_reported = np.where(now.closed[rows], inflow.closed_m3, inflow.open_m3)
    both = {held: per_space(flow, each) + rain_m3 for held, flow in ((True, as_reported), (False, inflow.open_m3))}
    volume = _balance(layout, now, chosen, members, both)
    highest = _running_maximum(volume)
    minutes = np.stack([_crossing_min(volume, highest, target) for target in layout.target_m3[:, chosen]])
    path_of = [member.path for member in members]
    for k, level in enumerate(layout.target_level_m[:, rows]):
        if np.isfinite(level).any():
            rising = inflow.level_m
            outside = _crossing_min(rising, rising, level).reshape(-1, chosen.size, each).min(axis=2)
            minutes[k] = np.minimum(minutes[k], outside[path_of])
    order = last_order_min(
        start_m3=now.volume_m3[chosen],
        target_m3=layout.target_m3[:, chosen].min(axis=0),
        kept_m3=both[True],
        saved_m3=as_reported - inflow.closed_m3,
        deploy_min=np.where(now.closed[rows], np.nan, layout.deploy_min[rows]),
        each=each,
        share=np.array([path.share for path in paths]),
    )
    unknown = np.isnan(now.volume_m3[chosen] + now.rain_mm_h[chosen])
    unknown |= np.isnan(now.outside_m[rows] + now.rise_m_min[rows]).reshape(-1, each).any(axis=1)
    summarise(result, chosen, minutes, np.array([member.share for member in members]), order, unknown)


def _inflow(layout: Layout, now: Now, rows: IntArray, paths: Sequence[OutsidePath]) -> Inflow:
    """Inflow of each step from the level at its middle, and levels at the ends of the steps (the present first)."""
    ends = np.arange(STEPS + 1, dtype=np.float64)
    rise = now.rise_m_min[rows]
    level = np.stack([now.outside_m[rows] + outside_rise_m(rise, path, ends) for path in paths], axis=1)
    head = 0.5 * (level[1:] + level[:-1]) - layout.crest_m[rows]
    width, height = layout.width_m[rows], layout.barrier_height_m[rows]
    over_barrier = weir_m3_s(width, head - height)
    seals = leakage_m3_s(width, head, height, layout.leakage_m3_h_m2[rows])
    return Inflow(weir_m3_s(width, head) * STEP_S, (over_barrier + seals) * STEP_S, level)


def _rain_m3(layout: Layout, now: Now, chosen: IntArray, paths: Sequence[OutsidePath]) -> FloatArray:
    """Rain that falls on the ramp in each step, shape (1, paths, spaces). [m³]"""
    persistence = np.array([path.rain_persistence for path in paths])
    rate = now.rain_mm_h[chosen] / 1000.0 / 3600.0 * layout.ramp_m2[chosen]
    return np.asarray(persistence[None, :, None] * rate * STEP_S)


def _balance(
    layout: Layout, now: Now, chosen: IntArray, members: Sequence[InsideMember], inflow: dict[bool, FloatArray]
) -> FloatArray:
    """Volume at the start and after every step, shape (steps + 1, members, spaces). [m³]"""
    held = np.array([member.barriers_hold for member in members])
    path_of = np.array([member.path for member in members])
    works = np.array([member.pumps_run for member in members])[:, None]
    pumps = [p for p in range(layout.pump_m3_s.shape[1]) if np.any(layout.pump_m3_s[chosen, p] > 0.0)]
    powered = [works & now.pump_powered[chosen, p] for p in pumps]
    running = [powered[k] & now.pump_running[chosen, p] for k, p in enumerate(pumps)]
    volume = np.empty((STEPS + 1, len(members), chosen.size))
    volume[0] = now.volume_m3[chosen]
    for step in range(STEPS):
        after = volume[step] + np.where(held[:, None], inflow[True][step, path_of], inflow[False][step, path_of])
        for k, p in enumerate(pumps):
            on = volume[step] >= layout.pump_on_m3[chosen, p]
            running[k] = powered[k] & (on | (running[k] & (volume[step] > layout.pump_off_m3[chosen, p])))
            after -= running[k] * (layout.pump_m3_s[chosen, p] * STEP_S)
        np.maximum(after, 0.0, out=volume[step + 1])
    return volume


def _running_maximum(value: FloatArray) -> FloatArray:
    """Highest value so far; step by step, which is much faster than along the first axis at once."""
    highest = np.empty_like(value)
    highest[0] = value[0]
    for step in range(1, value.shape[0]):
        np.maximum(value[step], highest[step - 1], out=highest[step])
    return highest


def _crossing_min(value: FloatArray, highest: FloatArray, target: FloatArray) -> FloatArray:
    """Minute at which each series first reaches its target, straight within the minute; infinite when it does not."""
    before = (highest < target).sum(axis=0)
    reached = np.clip(before, 1, STEPS)[None]
    above = np.take_along_axis(value, reached, axis=0)[0]
    below = np.take_along_axis(value, reached - 1, axis=0)[0]
    rise = above - below
    within = (before > 0) & (before <= STEPS)
    part = np.divide(target - below, rise, out=np.ones(rise.shape), where=within & (rise > 0.0))
    minutes = reached[0] - 1 + np.clip(part, 0.0, 1.0)
    return np.where(before == 0, 0.0, np.where(before > STEPS, np.inf, minutes))
