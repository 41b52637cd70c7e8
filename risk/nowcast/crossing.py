"""When the outside reaches a level, on each path of the ensemble."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from risk.hydraulics.arrays import FloatArray
from risk.nowcast.members import EFFECTIVE_MIN, STEPS

MINUTES = np.arange(STEPS + 1.0)


def reached_min(gap_m: FloatArray, rise_m_min: FloatArray, paths: int) -> NDArray[np.float32]:
    """Return the minute at which each entrance first reaches a level, shape (paths, E, S); infinite when it does not.

    Parameters
    ----------
    gap_m, rise_m_min : ndarray, shape (E, S)
        What is missing to the level [m], and the present rate, falling as 0 [m/min].
    paths : int
        How many of the paths differ, from the first on.

    Notes
    -----
    By hand: 20 cm at 1 cm/min are 20 minutes of the present rate: at a factor of 0.5 and lasting rain 40 min.
    """
    steady_min = np.divide(gap_m, rise_m_min, out=np.full(gap_m.shape, np.inf), where=rise_m_min > 0.0)
    steady_min[gap_m <= 0.0] = 0.0
    minutes = np.empty((paths, *gap_m.shape), np.float32)
    for path in range(paths):
        minutes[path] = np.interp(steady_min, EFFECTIVE_MIN[:, path], MINUTES, right=np.inf)
    return minutes
