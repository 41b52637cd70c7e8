"""The array types of the formulas, and the check of their limits."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

GRAVITY_M_S2 = 9.81
WATER_DENSITY_KG_M3 = 1000.0


def floats(values: ArrayLike) -> FloatArray:
    """Return the values as a float64 array; a number becomes an array without axes."""
    return np.asarray(values, dtype=np.float64)


def at_least_zero(name: str, values: ArrayLike) -> FloatArray:
    """Return the values as an array; raise `ValueError` naming the argument when one is negative."""
    array = floats(values)
    if np.any(array < 0.0):
        raise ValueError(f"{name} must not be negative, got {float(np.nanmin(array))}")
    return array


def wet(depth_m: ArrayLike) -> FloatArray:
    """Return the depth, or 0 where it is below 0; NaN (unknown) stays NaN."""
    return np.maximum(floats(depth_m), 0.0)
