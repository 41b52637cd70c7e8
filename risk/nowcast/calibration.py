"""What the ensemble's shares are worth: how often a threshold came in storms of known truth where members said so.

The members carry the street's present rate on. Storms do not: before their peak the rain grows and the street rises
ever faster, after it the street stops short. So a share is turned into a probability by a logistic formula on the
share, on the depth that is missing, and on whether the rain grows, all of which are told beside it. Only ratios of rain
count, so the same storm with more rain is never less likely, and neither is more water or more members.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from risk.hydraulics.arrays import FloatArray, floats
from risk.thresholds import IN_RAIN_MM

TERMS = ("constant", "share", "missing", "growing_in_60_min", "growing_in_10_min")

COEFFICIENTS = np.array(
    [
        [[-3.11, 0.22, 1.36, 2.02, 4.99], [-2.40, 0.10, 1.36, 2.06, 4.34], [-2.25, 0.10, 1.28, 2.11, 3.67]],
        [[-2.09, 0.61, 0.62, 0.94, 1.32], [-1.73, 0.40, 0.80, 1.19, 1.58], [-1.62, 0.27, 0.83, 1.29, 1.17]],
    ]
)
"""Orange and red, within 15, 30 and 60 minutes, by term: `fitted` on the storms that docs/risk.md names."""

LEAST_SHARE = 0.02
"""64 members cannot tell less from never."""
MOST_MISSING_M = 2.0
"""As good as out of reach; also what is missing where a severity has no outside threshold. [m]"""
LEAST_SHARE_COEFFICIENT = 0.1
"""So that more members are never less likely, whatever the storms of the fit say."""
HOLD = 1.0
"""Pull of each coefficient but the constant towards 0: one over its prior variance."""
CASE_WEIGHT = 0.3
"""Cases of one flood are not independent."""


def terms(share: FloatArray, missing_m: FloatArray, rain_mm: FloatArray) -> FloatArray:
    """Return the terms of the formula.

    ``share``: log of share over 1 - share, which is held to 0.02 to 0.98. ``missing``: minus the log of (missing depth
    + 5 mm) over 10 cm. ``growing``: log of what fell in the last 10 minutes over a sixth of what fell in 60, and of the
    last 5 minutes over half of what fell in 10; in light rain, under 2 mm in 10 minutes, only where it abates.

    By hand: share 0.5, 9.5 cm missing, 6, 10 and 20 mm in 5, 10 and 60 min: 1, 0, -log(0.1 / 0.1) = 0,
    log(6 * 10 / 20) = 1.099, log(2 * 6 / 10) = 0.182.

    Parameters
    ----------
    share : ndarray, shape (S, K, H)
        Share of the members that reach each threshold within each time. NaN: unknown, and so are its terms.
    missing_m : ndarray, shape (S, K)
        Depth that is missing outside to each threshold; infinite where there is none. [m]
    rain_mm : ndarray, shape (S, 3)
        Rain of the last 5, 10 and 60 minutes. [mm]

    Returns
    -------
    ndarray, shape (S, K, H, 5)
        The terms.
    """
    five, ten, sixty = rain_mm[:, 0], rain_mm[:, 1], rain_mm[:, 2]
    growing = np.stack((_log_ratio(6.0 * ten, sixty, (-2.0, 1.8)), _log_ratio(2.0 * five, ten, (-1.5, 0.7))), axis=1)
    growing = np.where((ten < IN_RAIN_MM.value)[:, None], np.minimum(growing, 0.0), growing)
    held = np.clip(share, LEAST_SHARE, 1.0 - LEAST_SHARE)
    missing = -np.log((np.clip(missing_m, 0.0, MOST_MISSING_M) + 0.005) / 0.1)
    found = np.ones((*share.shape, len(TERMS)))
    found[..., 1] = np.log(held / (1.0 - held))
    found[..., 2] = missing[:, :, None]
    found[..., 3:] = growing[:, None, None, :]
    return found


def _log_ratio(over: FloatArray, under: FloatArray, limits: tuple[float, float]) -> FloatArray:
    """Return the log of a ratio, held to limits; 0 where nothing fell."""
    ratio = np.divide(over, under, out=np.ones(over.shape), where=under > 0.0)
    return floats(np.clip(np.log(np.maximum(ratio, 1e-9)), *limits))


def calibrated(
    share: FloatArray, missing_m: FloatArray, rain_mm: FloatArray, coefficients: FloatArray = COEFFICIENTS
) -> FloatArray:
    """Return the probability that each threshold is reached within each time, shape as ``share``, see `terms`.

    Longer is never less likely, and red is never more likely than orange. NaN: unknown.
    """
    logit = np.einsum("skht,kht->skh", terms(share, missing_m, rain_mm), coefficients)
    chance = 1.0 / (1.0 + np.exp(-np.clip(logit, -30.0, 30.0)))
    chance = np.maximum.accumulate(chance, axis=2)
    return floats(np.minimum.accumulate(chance, axis=1))


def fitted(found: FloatArray, happened: FloatArray) -> FloatArray:
    """Return the coefficients that fit cases of known truth best, held near 0, none but the constant below 0.

    Parameters
    ----------
    found : ndarray, shape (cases, 5)
        `terms` of each case.
    happened : ndarray, shape (cases,)
        1 where the threshold was reached in time, else 0.
    """
    hold = np.array([0.0, *([HOLD] * (len(TERMS) - 1))])

    def loss(coefficients: FloatArray) -> tuple[float, FloatArray]:
        logit = found @ coefficients
        chance = 1.0 / (1.0 + np.exp(-np.clip(logit, -30.0, 30.0)))
        value = CASE_WEIGHT * (np.logaddexp(0.0, logit) - happened * logit).sum()
        slope = CASE_WEIGHT * (found.T @ (chance - happened)) + hold * coefficients
        return float(value + 0.5 * (hold * coefficients**2).sum()), floats(slope)

    least = [(None, None), (LEAST_SHARE_COEFFICIENT, None), *([(0.0, None)] * (len(TERMS) - 2))]
    start = np.array([0.0, LEAST_SHARE_COEFFICIENT, 0.0, 0.0, 0.0])
    return floats(minimize(loss, start, jac=True, method="L-BFGS-B", bounds=least).x)
