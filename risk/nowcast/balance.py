"""The ensemble's kernel: one step for all members and spaces of a block at once, in place.

Time is the outermost axis, spaces the innermost, so that every step reads and writes whole stretches of memory that
stay in the cache. What comes in does not hang on what is inside, so it is worked out for several steps at once where a
block is small, and a few spaces do not cost as many calls as many do. The formulas are those of `risk.hydraulics`;
``tests/unit/risk_nowcast/test_kernel.py`` holds the kernel to them, member by member.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from risk.nowcast.block import Block, Float32Array, Pump
from risk.nowcast.members import MIDDLE_MIN, STEPS

CELLS_AT_ONCE = 16_384
"""So that what is worked out at once stays in the cache: 64 KB an array."""


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """What the balance of a block came to.

    Attributes
    ----------
    minutes : ndarray, shape (K, paths, barriers, pumps, S)
        Minute at which each target is first reached inside, straight within the minute; infinite when it is not.
    volume_m3 : ndarray, shape (steps + 1, paths, barriers, pumps, S)
        Water inside at the beginning and after each step. [m³]
    saved_m3 : ndarray, shape (steps, paths, E, S)
        What every barrier that could still be deployed would keep out in each step. [m³]
    """

    minutes: Float32Array
    volume_m3: Float32Array
    saved_m3: Float32Array


def run_balance(block: Block) -> Run:
    """Step the balance of a block for an hour.

    Returns
    -------
    Run
        NaN in, NaN out: a space whose evidence is missing has no time.
    """
    shape, (entrances, spaces) = block.shape, block.head_m.shape
    members = (shape.paths, shape.barriers, shape.pumps, spaces)
    street = _Street(block)
    volume = np.empty((STEPS + 1, *members), np.float32)
    volume[0] = block.volume_m3
    pumps = [_Running(pump, members) for pump in block.pumps]
    below = [np.array(volume[0] < target) for target in block.target_m3]
    before = [flags.astype(np.uint8) for flags in below]
    less = np.empty(members, np.bool_)
    saved = np.zeros((STEPS, shape.paths, entrances, spaces), np.float32)
    for step in range(STEPS):
        if step % street.at_once == 0:
            flows = street.flows_m3(step, saved[step : step + street.at_once])
        inflow = flows[step % street.at_once]
        after = volume[step + 1]
        np.add(volume[step], inflow[:, :, None], out=after)
        for pump in pumps:
            pump.take(volume[step], after)
        np.maximum(after, 0.0, out=after)
        for flags, count, target in zip(below, before, block.target_m3, strict=True):
            np.less(after, target, out=less)
            np.logical_and(flags, less, out=flags)
            np.add(count, flags.view(np.uint8), out=count)
    minutes = [_crossing_min(volume, count, target) for count, target in zip(before, block.target_m3, strict=True)]
    return Run(np.stack(minutes), volume, saved)


class _Street:
    """Flow through the entrances of a block, some steps at once: over the crest, or over and through a barrier."""

    def __init__(self, block: Block) -> None:
        self._block = block
        self._rise = block.rise_m_min.astype(np.float32)
        self._middle = MIDDLE_MIN.astype(np.float32)
        self._barriers = bool(block.shut.any() or block.deployable.any())
        self._deployable = block.deployable.astype(np.float32)
        shape = (block.shape.paths, *block.head_m.shape)
        self.at_once = next(n for n in (60, 30, 15, 5, 1) if n == 1 or n * prod(shape) <= CELLS_AT_ONCE)
        self._head, self._open, self._over, self._shut = (
            np.empty((self.at_once, *shape), np.float32) for _ in range(4)
        )
        self._flows = np.empty((self.at_once, shape[0], block.shape.barriers, shape[-1]), np.float32)

    def flows_m3(self, step: int, saved_m3: Float32Array) -> Float32Array:
        """Return inflows, shape (steps, paths, barriers hold or fail, S); fill what more barriers would save."""
        block, head, flow, into = self._block, self._head, self._open, self._flows
        coming = block.rain_m3 if block.rain_m3.shape[0] == 1 else block.rain_m3[step : step + self.at_once]
        middle = self._middle[step : step + self.at_once, : head.shape[1]]
        np.multiply(middle[:, :, None, None], self._rise, out=head)
        head += block.head_m
        np.maximum(head, 0.0, out=head)
        _weir(head, block.weir_m3, flow)
        np.add(_sum(flow), coming, out=into[:, :, -1])
        if not self._barriers:
            return into
        shut, over = self._shut, self._over
        np.subtract(head, block.height_m, out=over)
        np.maximum(over, 0.0, out=over)
        _weir(over, block.weir_m3, shut)
        np.minimum(head, block.height_m, out=over)
        over *= block.seal_m3
        shut += over
        np.subtract(flow, shut, out=saved_m3)
        saved_m3 *= self._deployable
        if block.shape.barriers == 1:
            return into
        np.copyto(flow, shut, where=block.shut)
        np.add(_sum(flow), coming, out=into[:, :, 0])
        return into


def _sum(flow_m3: Float32Array) -> Float32Array:
    """Add the entrances up, one after the other."""
    total = flow_m3[:, :, 0]
    for entrance in range(1, flow_m3.shape[2]):
        total = total + flow_m3[:, :, entrance]
    return total


def _weir(head_m: Float32Array, weir_m3: Float32Array, out: Float32Array) -> None:
    """Flow of a step: ``1.7 B h^1.5``, as `risk.hydraulics.weir`."""
    np.sqrt(head_m, out=out)
    out *= head_m
    out *= weir_m3


class _Running:
    """One pump of every space, in the members in which pumps run."""

    def __init__(self, pump: Pump, members: tuple[int, ...]) -> None:
        self._pump = pump
        shape = (members[0], members[1], members[3])
        self._running = np.broadcast_to(pump.running, shape).copy()
        self._flags = np.empty(shape, np.bool_)
        self._pumped = np.empty(shape, np.float32)

    def take(self, before_m3: Float32Array, after_m3: Float32Array) -> None:
        """Switch on the level before the step, and take the step's share out of the water after it."""
        level = before_m3[:, :, 0]
        np.greater(level, self._pump.off_m3, out=self._flags)
        self._running &= self._flags
        np.greater_equal(level, self._pump.on_m3, out=self._flags)
        self._running |= self._flags
        np.multiply(self._running, self._pump.capacity_m3, out=self._pumped)
        after_m3[:, :, 0] -= self._pumped


def _crossing_min(volume_m3: Float32Array, before: NDArray[np.uint8], target_m3: Float32Array) -> Float32Array:
    """Minute at which each series first reaches its target; ``before`` counts the minutes that stand below it."""
    reached = np.clip(before, 1, STEPS).astype(np.intp)
    flat = volume_m3.reshape(STEPS + 1, -1)
    cell = np.arange(flat.shape[1])
    above = flat[reached.ravel(), cell].reshape(before.shape)
    under = flat[reached.ravel() - 1, cell].reshape(before.shape)
    rise = above - under
    within = (before > 0) & (before <= STEPS)
    part = np.divide(target_m3 - under, rise, out=np.ones(rise.shape, np.float32), where=within & (rise > 0.0))
    minutes = (reached - 1).astype(np.float32) + np.clip(part, 0.0, 1.0)
    return np.where(before == 0, np.float32(0.0), np.where(before > STEPS, np.float32(np.inf), minutes))
