"""What `risk.ahead` needs to know of a site: volumes, levels and pumps as the ensemble has them, once per version."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from risk.ahead import TARGETS
from risk.arrays import FloatArray, SiteArrays
from risk.forecast import Storage
from risk.hydraulics.leakage import LEAKAGE_LIMIT_M3_H_M2
from risk.levels import least_at
from risk.nowcast.layout import Layout

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
    by_depth = np.array([arrays.spaces[space].kind == "underpass" for space in arrays.e_space], np.bool_)
    height_m = np.nan_to_num(arrays.e_barrier_top_m - arrays.e_crest_m)
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
        barrier_height_m=height_m,
        leakage_m3_h_m2=np.array([0.0 if b is None else LEAKAGE_LIMIT_M3_H_M2[b.leakage_grade] for b in barriers]),
        deploy_min=np.array([np.nan if b is None else b.deploy_min for b in barriers], np.float64),
        barrier_raises_m=np.where(by_depth, 0.0, height_m),
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
