"""Leakage of a closed barrier by its water-tightness grade."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from risk.hydraulics.arrays import FloatArray, at_least_zero, floats, wet
from undercroft.site.model import LeakageGrade

LEAKAGE_LIMIT_M3_H_M2: Mapping[LeakageGrade, float] = MappingProxyType(
    {
        LeakageGrade.WS1: 0.2,
        LeakageGrade.WS2: 0.05,
        LeakageGrade.WS3: 0.02,
        LeakageGrade.WS4: 0.01,
        LeakageGrade.WS5: 0.004,
        LeakageGrade.WS6: 0.001,
    }
)
"""JIS A 4716:2019: the most that a barrier of the grade may let through, per hour and wetted area. [m³/(h m²)]"""


def leakage_m3_s(
    width_m: ArrayLike, head_m: ArrayLike, barrier_height_m: ArrayLike, leakage_m3_h_m2: ArrayLike
) -> FloatArray:
    """Return what a closed barrier lets through its seals: grade times wetted area.

    Parameters
    ----------
    width_m : array_like
        Width of the barrier. [m]
    head_m : array_like
        Outside level above the foot of the barrier; at or below 0 nothing leaks. [m]
    barrier_height_m : array_like
        Height of the barrier; no more than this is wetted. [m]
    leakage_m3_h_m2 : array_like
        Leakage of its grade, `LEAKAGE_LIMIT_M3_H_M2`. [m³/(h m²)]

    Returns
    -------
    ndarray
        Discharge. [m³/s]

    Notes
    -----
    The upper limit of the grade is taken, so that a barrier never counts as tighter than its class. JIS A 4716:2019
    as quoted in the hospital continuity guide (wic-net.com 16577/50); it holds for a barrier that is seated and sealed.

    By hand: 6 m x 0.5 m at Ws-1: 3 m² * 0.2 = 0.6 m³/h = 0.000167 m³/s.
    """
    wetted = np.minimum(wet(head_m), at_least_zero("barrier_height_m", barrier_height_m))
    area = at_least_zero("width_m", width_m) * wetted
    return floats(area * at_least_zero("leakage_m3_h_m2", leakage_m3_h_m2) / 3600.0)
