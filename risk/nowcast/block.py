"""A block of spaces for the ensemble's kernel: entrances padded to the same number, constants folded, 32-bit floats.

Heads are differences of levels, taken in 64 bit before they are rounded, so that a high datum costs no resolution.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk.hydraulics.arrays import BoolArray, FloatArray
from risk.hydraulics.weir import WEIR_COEFFICIENT
from risk.nowcast.layout import IntArray, Layout, Now
from risk.nowcast.members import OUTSIDE_PATHS, SHARES, STEP_OF_PATH_MIN

Float32Array = NDArray[np.float32]

STEP_S = 60.0


@dataclass(frozen=True, slots=True)
class Shape:
    """How many members differ: outside paths, barriers that hold or fail, pumps that run or fail (1: all alike)."""

    paths: int
    barriers: int
    pumps: int

    def shares(self) -> FloatArray:
        """Return how likely the members are that differ: those that are alike add up. Shape as this one."""
        share = SHARES
        for axis, size in enumerate((self.paths, self.barriers, self.pumps)):
            if size == 1:
                share = share.sum(axis=axis, keepdims=True)
        return share


@dataclass(frozen=True, slots=True, eq=False)
class Likeness:
    """Which members of each space can differ, and a rank that brings like spaces together. Shape (S,)."""

    moving: BoolArray
    shut: BoolArray
    pumped: BoolArray
    rank: IntArray
    first: IntArray
    entrances: IntArray

    @classmethod
    def of(cls, layout: Layout, now: Now) -> Likeness:
        """Return the likeness of every space of a layout."""
        size = now.volume_m3.size
        count = np.bincount(layout.space, minlength=size)
        moving = np.bincount(layout.space, ~(now.rise_m_min <= 0.0), minlength=size) > 0
        moving |= ~(now.rain_mm_h * layout.ramp_m2 <= 0.0) | ~(now.unseen_m3_min <= 0.0)
        shut = np.bincount(layout.space, now.closed, minlength=size) > 0
        pumped = np.asarray(((layout.pump_m3_s > 0.0) & now.pump_powered).any(axis=1))
        unseen = ~(now.unseen_m3_min <= 0.0)
        rank = ((((unseen * (count.max(initial=0) + 1) + count) * 2 + moving) * 2) + shut) * 2 + pumped
        first = np.searchsorted(layout.space, np.arange(size))
        return cls(moving, shut, pumped, rank.astype(np.int64), first.astype(np.int64), count.astype(np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class Pump:
    """One pump of every space of a block, shape (S,); what one has not pumps nothing. [m³ a step], [m³], [m³]"""

    capacity_m3: Float32Array
    on_m3: Float32Array
    off_m3: Float32Array
    running: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """S spaces with at most E entrances; an entrance that a space has not lets nothing in.

    Attributes
    ----------
    volume_m3 : ndarray, shape (S,)
        Water inside. [m³]
    target_m3 : ndarray, shape (K, S)
        Volumes to be reached. [m³]
    rain_m3 : ndarray, shape (1 or steps, paths, S)
        Rain that runs in in each step, and what comes in unseen; one row where no step differs. [m³]
    head_m, rise_m_min : ndarray, shape (E, S)
        Outside level over the crest [m], and its rate, falling as 0 [m/min].
    weir_m3, seal_m3 : ndarray, shape (E, S)
        Flow of a step at 1 m of head [m³/m^1.5], leakage of a step per metre wetted [m³/m].
    height_m : ndarray, shape (E, S)
        Top of the barrier over the crest, 0 where there is none. [m]
    shut, deployable : ndarray of bool, shape (E, S)
        Known to be deployed; not deployed, but could be.
    deploy_min : ndarray, shape (E, S)
        Minutes to deploy; 0 where it cannot be. [min]
    raises_m : ndarray, shape (E, S)
        How much higher ``target_level_m`` is behind a barrier that can be deployed; 0 where none can. [m]
    outside_m : ndarray, shape (E, S)
        Outside level. [m over datum]
    target_level_m : ndarray, shape (K, E, S)
        Outside levels to be reached. [m over datum]
    unknown : ndarray of bool, shape (S,)
        Evidence is missing.
    """

    shape: Shape
    volume_m3: Float32Array
    target_m3: Float32Array
    rain_m3: Float32Array
    pumps: tuple[Pump, ...]
    head_m: Float32Array
    rise_m_min: FloatArray
    weir_m3: Float32Array
    seal_m3: Float32Array
    height_m: Float32Array
    shut: BoolArray
    deployable: BoolArray
    deploy_min: FloatArray
    raises_m: FloatArray
    outside_m: FloatArray
    target_level_m: FloatArray
    unknown: BoolArray


def block_of(layout: Layout, now: Now, chosen: IntArray, likeness: Likeness) -> Block:
    """Return some spaces as a block."""
    moving, shut, pumped = (bool(flag[chosen].any()) for flag in (likeness.moving, likeness.shut, likeness.pumped))
    shape = Shape(len(OUTSIDE_PATHS) if moving else 1, 2 if shut else 1, 2 if pumped else 1)
    place = np.arange(int(likeness.entrances[chosen].max()))[:, None]
    there = place < likeness.entrances[chosen]
    rows = np.where(there, likeness.first[chosen] + place, 0)

    def each(values: FloatArray, missing: float) -> FloatArray:
        return np.where(there, values[rows], missing)

    outside, rise = each(now.outside_m, -np.inf), each(now.rise_m_min, 0.0)
    width, deploy = each(layout.width_m, 0.0), each(layout.deploy_min, np.nan)
    closed = there & now.closed[rows]
    persistence = np.array([path.rain_persistence for path in OUTSIDE_PATHS[: shape.paths]])
    rain = now.rain_mm_h[chosen] / 1000.0 / 3600.0 * layout.ramp_m2[chosen] * STEP_S
    unseen = now.unseen_m3_min[chosen]
    unknown = np.isnan(now.volume_m3[chosen] + now.rain_mm_h[chosen] + unseen) | np.isnan(outside + rise).any(axis=0)
    return Block(
        shape=shape,
        volume_m3=now.volume_m3[chosen].astype(np.float32),
        target_m3=layout.target_m3[:, chosen].astype(np.float32),
        rain_m3=_coming_m3(persistence[:, None] * rain, unseen).astype(np.float32),
        pumps=_pumps(layout, now, chosen) if pumped else (),
        head_m=(outside - each(layout.crest_m, 0.0)).astype(np.float32),
        rise_m_min=np.maximum(rise, 0.0),
        weir_m3=(WEIR_COEFFICIENT * width * STEP_S).astype(np.float32),
        seal_m3=(width * each(layout.leakage_m3_h_m2, 0.0) / 3600.0 * STEP_S).astype(np.float32),
        height_m=each(layout.barrier_height_m, 0.0).astype(np.float32),
        shut=closed,
        deployable=np.isfinite(deploy) & ~closed,
        deploy_min=np.nan_to_num(deploy),
        raises_m=np.where(np.isfinite(deploy) & ~closed, each(layout.barrier_raises_m, 0.0), 0.0),
        outside_m=outside,
        target_level_m=np.stack([each(level, np.inf) for level in layout.target_level_m]),
        unknown=unknown,
    )


def _coming_m3(rain_m3: FloatArray, unseen_m3_min: FloatArray) -> FloatArray:
    """Return rain, and what comes in unseen as the paths carry it on, shape (1 or steps, paths, S)."""
    if not np.any(unseen_m3_min != 0.0):
        return rain_m3[None]
    return rain_m3[None] + STEP_OF_PATH_MIN[:, : rain_m3.shape[0], None] * unseen_m3_min


def _pumps(layout: Layout, now: Now, chosen: IntArray) -> tuple[Pump, ...]:
    capacity = np.where(now.pump_powered[chosen], layout.pump_m3_s[chosen], 0.0) * STEP_S
    return tuple(
        Pump(
            capacity[:, p].astype(np.float32),
            layout.pump_on_m3[chosen, p].astype(np.float32),
            layout.pump_off_m3[chosen, p].astype(np.float32),
            np.asarray(now.pump_running[chosen, p] & (capacity[:, p] > 0.0)),
        )
        for p in np.flatnonzero((capacity > 0.0).any(axis=0))
    )
