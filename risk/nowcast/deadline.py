"""The last minute at which ordering the barriers still keeps a space below its threshold."""

from __future__ import annotations

import numpy as np

from risk.hydraulics.arrays import BoolArray, FloatArray
from risk.nowcast.balance import CELLS_AT_ONCE
from risk.nowcast.block import Float32Array
from risk.nowcast.layout import IntArray
from risk.nowcast.summary import weighted_quantiles

SURE = 0.1
"""The order still helps in all but this share of the outside paths."""
NEVER_NEEDED, TOO_LATE = np.inf, -np.inf


def last_order_min(
    without_m3: Float32Array,
    target_m3: Float32Array,
    saved_m3: Float32Array,
    deploy_min: IntArray,
    deployable: BoolArray,
    share: FloatArray,
) -> FloatArray:
    """Return the last minute of the order, for all barriers of a space that are not yet closed.

    Parameters
    ----------
    without_m3 : ndarray, shape (paths, S)
        Water inside after the hour as things are; pumps are left out, to be on the safe side. [m³]
    target_m3 : ndarray, shape (S,)
        Volume that the space must stay below for the hour. [m³]
    saved_m3 : ndarray, shape (T, paths, E, S)
        What each closed barrier would keep out in a minute; 0 where nothing can be deployed. [m³]
    deploy_min : ndarray, shape (E, S)
        Whole minutes to deploy. [min]
    deployable : ndarray, shape (E, S)
        Where a barrier can be deployed that is not yet.
    share : ndarray, shape (paths,)
        How likely each path is.

    Returns
    -------
    ndarray, shape (S,)
        Minutes from now; infinite where the threshold is not reached without it, minus infinite where even an order
        now comes too late, NaN where no barrier can be deployed. It holds in all but 10 % of the paths.

    Notes
    -----
    By hand: 100 m³ to the threshold, 10 m³ a minute through one entrance whose barrier would keep out all, 4 min to
    deploy: closed by minute 9 at the latest (90 m³), so the order must come by minute 5; at 10 it is reached.
    """
    can = deployable.any(axis=0)
    order = np.where(can, NEVER_NEEDED, np.nan)
    asked = np.flatnonzero(can & (without_m3 >= target_m3).any(axis=0))
    if asked.size == 0:
        return order
    without, target = without_m3[:, asked], target_m3[asked]
    helps = _orders_that_help(without, target, saved_m3[:, :, :, asked], deploy_min[:, asked])
    last = np.where(helps > 0, helps - 1.0, TOO_LATE)
    last[without < target] = NEVER_NEEDED
    order[asked] = weighted_quantiles(last, share, (SURE,))[0]
    return order


def _orders_that_help(
    without_m3: Float32Array, target_m3: Float32Array, saved_m3: Float32Array, deploy_min: IntArray
) -> IntArray:
    """Return how many minutes, from now on, an order still keeps the water below the target, shape (paths, S)."""
    steps, _, entrances, spaces = saved_m3.shape
    later = np.zeros((steps + 1, *saved_m3.shape[1:]), np.float32)
    for step in range(steps - 1, -1, -1):
        np.add(later[step + 1], saved_m3[step], out=later[step])
    helps = np.zeros(without_m3.T.shape, np.int64)
    at_once = max(1, CELLS_AT_ONCE // saved_m3[0].size)
    for first in range(0, steps + 1, at_once):
        minute = np.arange(first, min(first + at_once, steps + 1))[:, None, None]
        closed_from = np.minimum(minute + deploy_min, steps)
        kept_out = later[closed_from, :, np.arange(entrances)[:, None], np.arange(spaces)].sum(axis=1)
        helps += (without_m3.T - kept_out < target_m3[:, None]).sum(axis=0)
    return helps.T
