"""The last minute at which an order still has the barriers up before a space reaches a threshold.

On each path of the outside, as barriers are reported and without a pump, to be on the safe side, the deadline is

    t_open - t_deploy

``t_open``: minutes until the threshold is reached as things are, by any of its rules; ``t_deploy``: the longest of the
barriers that can be deployed at entrances where water stands over the crest, or at the threshold, by then. A path
counts where the barriers help: with all of them up the threshold is reached at least `LEAST_GAIN_MIN` later, or not
within the hour. A street that overtops the barrier much later is no reason not to deploy it.
"""

from __future__ import annotations

import numpy as np

from risk.hydraulics.arrays import BoolArray, FloatArray
from risk.nowcast.balance import Run
from risk.nowcast.block import Block, Float32Array
from risk.nowcast.crossing import reached_min
from risk.nowcast.layout import IntArray
from risk.nowcast.summary import EARLY

LEAST_GAIN_MIN = 5.0
"""A barrier that puts a threshold off by less does not help against it: default (proposal). [min]"""
NEVER_NEEDED, TOO_LATE, NO_HELP = np.inf, -np.inf, np.nan


def last_orders_min(
    block: Block, run: Run, open_min: Float32Array, outside_min: Float32Array
) -> tuple[FloatArray, FloatArray]:
    """Return the last minutes of the order for each threshold of the spaces of a block, and those to deploy, (K, S).

    Parameters
    ----------
    open_min : ndarray, shape (K, paths, S)
        Minute at which each threshold is reached as things are, no pump counted; infinite when it is not.
    outside_min : ndarray, shape (K, paths, E, S)
        The same by what stands outside of each entrance alone.
    """
    can = block.deployable.any(axis=0)
    order = np.where(can, NEVER_NEEDED, NO_HELP) * np.ones((open_min.shape[0], 1))
    longest = np.zeros(order.shape)
    asked = np.flatnonzero(can & np.isfinite(open_min).any(axis=(0, 1)))
    if asked.size == 0:
        return order, longest
    closed_m3, over_min = _behind_barriers(run, asked)
    deployable, deploy_min = block.deployable[:, asked], block.deploy_min[:, asked]
    share = block.shape.shares().sum(axis=(1, 2))
    for k, target_m3 in enumerate(block.target_m3[:, asked]):
        opened, outside = open_min[k][:, asked], outside_min[k][..., asked]
        level_m = block.target_level_m[k][:, asked] + block.raises_m[:, asked]
        raised = reached_min(level_m - block.outside_m[:, asked], block.rise_m_min[:, asked], block.shape.paths)
        up = np.minimum(_first_min(closed_m3 >= target_m3), raised.min(axis=1))
        matters = (
            deployable & np.isfinite(opened)[:, None] & ((outside <= opened[:, None]) | (over_min < opened[:, None]))
        )
        deploy = np.where(matters, deploy_min, 0.0).max(axis=1)
        order[k, asked], longest[k, asked] = last_order_min(opened, up, deploy, share), deploy.max(axis=0)
    return order, longest


def no_later_than(order_min: FloatArray, deploy_min: FloatArray, earliest_min: FloatArray) -> FloatArray:
    """Return last minutes of the order that lie no later than what is shown beside them allows: earliest - deploy."""
    known = np.isfinite(order_min) & np.isfinite(earliest_min)
    return np.where(known, np.minimum(order_min, np.maximum(earliest_min - deploy_min, 0.0)), order_min)


def _behind_barriers(run: Run, asked: IntArray) -> tuple[Float32Array, Float32Array]:
    """Return the water inside with all barriers up from now on, and when each would first keep some out. [m³], [min]"""
    saved = run.saved_m3[..., asked]
    closed_m3 = run.volume_m3[:, :, 0, -1][..., asked].copy()
    closed_m3[1:] -= np.cumsum(saved.sum(axis=2), axis=0)
    return closed_m3, _first_min(saved > 0.0)


def _first_min(flags: BoolArray) -> Float32Array:
    """Return the first minute at which a flag is up, along the first axis; infinite for none."""
    return np.where(flags.any(axis=0), flags.argmax(axis=0), np.inf).astype(np.float32)


def last_order_min(
    open_min: Float32Array | FloatArray, up_min: Float32Array | FloatArray, deploy_min: FloatArray, share: FloatArray
) -> FloatArray:
    """Return the last minute of the order before one threshold.

    Parameters
    ----------
    open_min, up_min : ndarray, shape (paths, S)
        Minute at which it is reached as things are, and with all barriers up; infinite when it is not. [min]
    deploy_min : ndarray, shape (paths, S)
        Minutes to deploy what matters. [min]
    share : ndarray, shape (paths,)
        How likely each path is.

    Returns
    -------
    ndarray, shape (S,)
        Minutes from now: the deadline by which an order is in time in all but 5 % of the paths that count, and 0 where
        only some allow for an order now. Infinite where the threshold is not reached without it; minus infinite where
        no path that counts allows for an order now, or it is reached and nothing helps; NaN where it will be and no
        barrier helps against it.

    Notes
    -----
    By hand: 10 cm on the street, rising 1 cm/min, orange at 30 cm by the crest: open 20 min, 4 min to deploy: the order
    must come by minute 16. At 3 min it comes too late: 3 - 4 < 0.
    """
    reached = np.isfinite(open_min)
    least_up = np.where(reached, open_min, 0.0) + LEAST_GAIN_MIN
    helps = reached & (up_min >= least_up)
    counts = helps | ~reached
    value = np.where(reached, open_min - deploy_min, NEVER_NEEDED)
    by_value = np.argsort(np.where(counts, value, np.inf), axis=0, kind="stable")
    weight = np.take_along_axis(np.where(counts, share[:, None], 0.0), by_value, axis=0).cumsum(axis=0)
    rank = np.argmax(weight >= EARLY * weight[-1] - 1e-9, axis=0)[None]
    last = np.take_along_axis(np.where(counts, value, np.inf), np.take_along_axis(by_value, rank, axis=0), axis=0)[0]
    latest = np.where(counts, value, -np.inf).max(axis=0)
    last = np.where(latest < 0.0, TOO_LATE, np.maximum(last, 0.0))
    stands = (open_min <= 0.0).any(axis=0)
    without_help = np.where(stands, TOO_LATE, NO_HELP)
    return np.asarray(np.where(helps.any(axis=0) | ~reached.any(axis=0), last, without_help), np.float64)
