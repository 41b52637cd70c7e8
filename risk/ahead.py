"""What lies ahead of a space, from the ensemble of `risk.nowcast`: for people, beside the level; it decides nothing.

Fixed members, no chance: the same evidence gives the same numbers. Worked out when a wet space is written up, not in
the safety tick. An entrance without a sensor is taken to stand as deep as the deepest other entrance of its space.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from risk.arrays import FloatArray, IntArray, SiteArrays
from risk.facts.fact import Context
from risk.forecast import Storage
from risk.hydraulics.leakage import LEAKAGE_LIMIT_M3_H_M2
from risk.levels import least_at
from risk.nowcast.ensemble import nowcast
from risk.nowcast.layout import Layout, Now
from risk.nowcast.summary import NowcastResult
from risk.rules import Views
from risk.state import EngineState
from risk.thresholds import ORANGE, RED, WET_DEPTH_M

TARGETS = (int(ORANGE), int(RED))
NAMES = ("orange", "red")
SMALL_M3 = 1e-6
"""Least distance between the volumes at which a pump starts and stops. [m³]"""


def layout_of(arrays: SiteArrays, storage: Storage) -> Layout:
    """Return the ensemble's view of a site, barriers open."""
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
    return Layout(
        target_m3=np.stack([storage.volume_at_m3(spaces, _inside_m(arrays, severity)) for severity in TARGETS]),
        pump_m3_s=capacity,
        pump_on_m3=np.maximum(on_m3, off_m3 + SMALL_M3),
        pump_off_m3=off_m3,
        ramp_m2=np.zeros(arrays.n_spaces),
        space=arrays.e_space,
        width_m=arrays.e_width_m,
        crest_m=arrays.e_crest_m,
        barrier_height_m=np.nan_to_num(arrays.e_barrier_top_m - arrays.e_crest_m),
        leakage_m3_h_m2=np.array([0.0 if b is None else LEAKAGE_LIMIT_M3_H_M2[b.leakage_grade] for b in barriers]),
        deploy_min=np.array([np.nan if b is None else b.deploy_min for b in barriers], np.float64),
        target_level_m=_outside_levels_m(arrays),
    )


def _inside_m(arrays: SiteArrays, severity: int) -> FloatArray:
    """Return the inside depth at which a space reaches a severity, rising; infinite for none. [m]"""
    find = arrays.thresholds.value
    rules = ("inside-depth", "inside-depth-rising")
    values = np.array([[find(rule, s.id, s.kind, severity) for rule in rules] for s in arrays.spaces])
    return np.asarray(np.where(np.isnan(values), np.inf, values).min(axis=1))


def _outside_levels_m(arrays: SiteArrays) -> FloatArray:
    """Return the outside level at which each entrance reaches orange and red, barrier open. [m over datum]"""
    least = [least_at(arrays, ref.space, row, closed=False)[0] for row, ref in enumerate(arrays.entrances)]
    table = np.array(least, np.float64).reshape(-1, 4)
    return np.asarray(table[:, [severity - 1 for severity in TARGETS]].T + arrays.e_roadway_m)


def looked_ahead(context: Context, layout: Layout, spaces: IntArray) -> dict[int, dict[str, Any]]:
    """Return what lies ahead of those of some spaces that are wet, by space."""
    state, arrays, views = context.state, context.arrays, context.views
    wet = np.zeros(arrays.n_spaces, np.bool_)
    wet[arrays.l_space[state.held[arrays.l_sensor] >= WET_DEPTH_M.value]] = True
    chosen = np.unique(spaces[wet[spaces]])
    if chosen.size == 0:
        return {}
    rows = np.flatnonzero(np.isin(arrays.e_space, chosen))
    part = _part(arrays, layout, chosen, rows, views)
    result = nowcast(part, _now(context, chosen, rows, layout.pump_m3_s.shape[1]))
    return {space: _shown(result, place) for place, space in enumerate(chosen.tolist())}


def _part(arrays: SiteArrays, layout: Layout, chosen: IntArray, rows: IntArray, views: Views) -> Layout:
    """Return the layout of some spaces; a closed barrier moves the outside thresholds to its top."""
    top = np.where(views.closed[rows], layout.barrier_height_m[rows], 0.0)
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


def _now(context: Context, chosen: IntArray, rows: IntArray, pumps: int) -> Now:
    state, arrays, storage, views = context.state, context.arrays, context.statics.storage, context.views
    depth = [_inside_depth_m(state, arrays, storage, space) for space in chosen.tolist()]
    known = np.array(depth, np.float64)
    volume = np.where(np.isnan(known), np.nan, storage.volume_at_m3(chosen, np.nan_to_num(known)))
    running = np.array([bool((state.held[storage.pump_sensors[space]] >= 0.5).any()) for space in chosen.tolist()])
    shape = (chosen.size, pumps)
    return Now(
        volume_m3=volume,
        rain_mm_h=views.rain.basin_mm[arrays.basin_of_space[chosen], 1] * 6.0,
        pump_running=np.broadcast_to(running[:, None], shape),
        pump_powered=np.ones(shape, np.bool_),
        outside_m=_filled(views.out_depth_m, arrays, rows) + arrays.e_roadway_m[rows],
        rise_m_min=_filled(views.out_rate_m_min, arrays, rows),
        closed=views.closed[rows],
    )


def _inside_depth_m(state: EngineState, arrays: SiteArrays, storage: Storage, space: int) -> float:
    """Return the greatest depth inside; 0 where nothing measures it, NaN where what does was never heard. [m]"""
    sensors = arrays.l_sensor[storage.inside_rows[space]]
    if sensors.size == 0:
        return 0.0
    held = state.held[sensors]
    return float(np.nan) if np.isnan(held).all() else float(np.nanmax(held))


def _filled(values: FloatArray, arrays: SiteArrays, rows: IntArray) -> FloatArray:
    """Return values of entrances; one that is not known has the greatest of its space."""
    most = np.full(arrays.n_spaces, -np.inf)
    np.fmax.at(most, arrays.e_space[rows], values[rows])
    of_space = most[arrays.e_space[rows]]
    return np.asarray(np.where(np.isnan(values[rows]), np.where(np.isinf(of_space), np.nan, of_space), values[rows]))


def _shown(result: NowcastResult, place: int) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for row, name in enumerate(NAMES):
        times = (result.earliest_min[row, place], result.likely_min[row, place], result.latest_min[row, place])
        earliest, likely, latest = (_minutes(float(value)) for value in times)
        within = [None if np.isnan(p) else round(float(p), 3) for p in result.probability[:, row, place]]
        shown[name] = {
            "earliest_min": earliest, "likely_min": likely, "latest_min": latest,
            "within_15": within[0], "within_30": within[1], "within_60": within[2],
        }  # fmt: skip
    order = float(result.last_order_min[place])
    shown["last_order_min"] = _minutes(order)
    finite = "by" if np.isfinite(order) else "too_late" if order < 0 else "not_needed"
    shown["order"] = "none" if np.isnan(order) else finite
    return shown


def _minutes(value: float) -> float | None:
    """Return minutes to one decimal; None for not within the hour, or not known."""
    return round(value + 0.0, 1) if np.isfinite(value) else None
