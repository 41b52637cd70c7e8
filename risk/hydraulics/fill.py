"""Time until a depth is reached while inflow and pumping stay as they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from risk.hydraulics.arrays import FloatArray, floats


def fill_time_s(volume_m3: ArrayLike, target_volume_m3: ArrayLike, net_inflow_m3_s: ArrayLike) -> FloatArray:
    """Return the time to fill from one volume to another at a constant net inflow: ``(V* - V) / (Q_in - Q_out)``.

    Parameters
    ----------
    volume_m3, target_volume_m3 : array_like
        Volume now and at the threshold, from the storage curve. [m³]
    net_inflow_m3_s : array_like
        Inflow less pumping. [m³/s]

    Returns
    -------
    ndarray
        Seconds; 0 when already there, infinite when it is not reached, NaN when an input is unknown.

    Notes
    -----
    By hand: 2000 m², 6 m ramp, 0.20 m over the crest: Q = 1.7 * 6 * 0.0894 = 0.912 m³/s; to 0.15 m inside
    300 m³ / 0.912 = 329 s = 5.5 min.
    """
    volume, target, inflow = np.broadcast_arrays(floats(volume_m3), floats(target_volume_m3), floats(net_inflow_m3_s))
    missing = target - volume
    unknown = np.isnan(missing) | np.isnan(inflow)
    time = np.full(missing.shape, np.inf)
    np.divide(missing, inflow, out=time, where=(inflow > 0.0) & (missing > 0.0))
    return floats(np.where(unknown, np.nan, np.where(missing <= 0.0, 0.0, time)))
