"""The ensemble's kernel: one step for all members and spaces of a block at once, in place.

Time is the outermost axis, spaces the innermost, so that every step reads and writes whole stretches of memory that
stay in the cache. The formulas are those of `risk.hydraulics`; ``tests/unit/risk_nowcast/test_kernel.py`` holds the
kernel to them, member by member.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk.nowcast.block import Block, Float32Array, Pump
from risk.nowcast.members import MIDDLE_MIN, STEPS


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """What the balance of a block came to.

    Attributes
    ----------
    minutes : ndarray, shape (K, paths, barriers, pumps, S)
        Minute at which each target is first reached inside, straight within the minute; infinite when it is not.
    without_m3 : ndarray, shape (paths, S)
        Water inside at the end as barriers are reported, no pump counted. [m³]
    saved_m3 : ndarray, shape (steps, paths, E, S)
        What every barrier that could still be deployed would keep out in each step. [m³]
    """

    minutes: Float32Array
    without_m3: Float32Array
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
    without = np.broadcast_to(block.volume_m3, (shape.paths, spaces)).copy()
    saved = np.zeros((STEPS, shape.paths, entrances, spaces), np.float32)
    for step in range(STEPS):
        held, failed = street.flows_m3(step, saved[step])
        without += held
        after = volume[step + 1]
        for barriers, flow in enumerate((held, failed)[: shape.barriers]):
            np.add(volume[step][:, barriers], flow[:, None], out=after[:, barriers])
        for pump in pumps:
            pump.take(volume[step], after)
        np.maximum(after, 0.0, out=after)
        for flags, count, target in zip(below, before, block.target_m3, strict=True):
            np.less(after, target, out=less)
            np.logical_and(flags, less, out=flags)
            np.add(count, flags.view(np.uint8), out=count)
    minutes = [_crossing_min(volume, count, target) for count, target in zip(before, block.target_m3, strict=True)]
    return Run(np.stack(minutes), without, saved)


class _Street:
    """Flow through the entrances of a block in one step: over the crest, or over and through a closed barrier."""

    def __init__(self, block: Block) -> None:
        self._block = block
        self._rise = block.rise_m_min.astype(np.float32)
        self._middle = MIDDLE_MIN.astype(np.float32)
        self._barriers = bool(block.shut.any() or block.deployable.any())
        self._deployable = block.deployable.astype(np.float32)
        shape = (block.shape.paths, *block.head_m.shape)
        self._head, self._open, self._over, self._shut = (np.empty(shape, np.float32) for _ in range(4))

    def flows_m3(self, step: int, saved_m3: Float32Array) -> tuple[Float32Array, Float32Array]:
        """Return the inflow of each space with barriers as reported and with all open; fill what more would save."""
        block, head, flow = self._block, self._head, self._open
        np.multiply(self._middle[step, : head.shape[0], None, None], self._rise, out=head)
        head += block.head_m
        np.maximum(head, 0.0, out=head)
        _weir(head, block.weir_m3, flow)
        failed = flow.sum(axis=1) + block.rain_m3
        if not self._barriers:
            return failed, failed
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
            return failed, failed
        np.copyto(flow, shut, where=block.shut)
        return flow.sum(axis=1) + block.rain_m3, failed


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
