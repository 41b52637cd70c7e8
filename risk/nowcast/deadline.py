"""The last minute at which ordering the barriers still keeps a space below its threshold."""

from __future__ import annotations

import numpy as np

from risk.hydraulics.arrays import FloatArray
from risk.nowcast.summary import weighted_quantile

SURE = 0.1
"""The order still helps in all but this share of the outside paths."""
NEVER_NEEDED, TOO_LATE = np.inf, -np.inf


def last_order_min(
    start_m3: FloatArray,
    target_m3: FloatArray,
    kept_m3: FloatArray,
    saved_m3: FloatArray,
    deploy_min: FloatArray,
    each: int,
    share: FloatArray,
) -> FloatArray:
    """Return the last minute of the order, for all barriers of a space that are not yet closed.

    Parameters
    ----------
    start_m3, target_m3 : ndarray, shape (S,)
        Water inside, and the volume it must stay below for the hour; pumps are left out, to be on the safe side. [m³]
    kept_m3 : ndarray, shape (T, paths, S)
        Inflow of each minute as things are. [m³]
    saved_m3 : ndarray, shape (T, paths, E)
        What each closed barrier keeps out in a minute. [m³]
    deploy_min : ndarray, shape (E,)
        Minutes to deploy; NaN where there is nothing to deploy. [min]
    each : int
        Entrances of every space; they lie side by side.
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
    steps = kept_m3.shape[0]
    can = np.isfinite(deploy_min)
    if not can.any():
        return np.full(start_m3.shape, np.nan)
    without = start_m3 + kept_m3.sum(axis=0)
    later = np.zeros((steps + 1, *saved_m3.shape[1:]))
    for step in range(steps - 1, -1, -1):
        np.add(later[step + 1], np.where(can, saved_m3[step], 0.0), out=later[step])
    delay = np.where(can, np.ceil(np.nan_to_num(deploy_min)), steps).astype(np.int64)
    closed_from = np.minimum(np.arange(steps + 1)[:, None] + delay, steps)
    kept_out = per_space(np.take_along_axis(later, closed_from[:, None, :], axis=0), each)
    helps = ((without - kept_out) < target_m3).sum(axis=0)
    last = np.where(helps > 0, helps - 1.0, TOO_LATE)
    last[without < target_m3] = NEVER_NEEDED
    order = weighted_quantile(last, share, SURE)
    return np.where(can.reshape(-1, each).any(axis=1), order, np.nan)


def per_space(flow_m3: FloatArray, each: int) -> FloatArray:
    """Return the sum over the entrances of each space, the last axis, ``each`` of them side by side."""
    total = flow_m3[..., 0::each].copy()
    for k in range(1, each):
        total += flow_m3[..., k::each]
    return total
