"""What the ensemble's shares are worth: how often a threshold came in storms of known truth where members said so.

The members carry the street's present rate on. Storms do not: before their peak the rain grows and the street rises
ever faster, after it the street stops short. So a share is turned into a probability by a logistic formula on the
share, on the depth that is missing, on whether the rain grows, and on the barrier there; its line is bent where
storms bend it. Only ratios of rain count, so the same storm with more rain is never less likely, and neither is more
water or more members.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from risk.hydraulics.arrays import BoolArray, FloatArray, floats
from risk.nowcast.layout import IntArray
from risk.thresholds import IN_RAIN_MM

TERMS = (
    "constant", "share", "missing", "far", "growing_in_60_min", "growing_in_10_min", "grows_in_60_min",
    "grows_in_10_min", "nothing_to_close", "being_closed",
)  # fmt: skip

COEFFICIENTS = np.array(
    [
        [
            [-1.74, 0.37, 0.66, 2.23, 0.17, 1.68, 4.11, 8.63, 0.11, 0.00],
            [-1.74, 0.10, 0.58, 2.01, 0.42, 0.55, 5.83, 8.31, 0.16, 0.00],
            [-1.53, 0.10, 0.21, 2.12, 0.69, 0.00, 6.10, 6.76, 0.17, 0.00],
        ],
        [
            [-2.83, 0.72, 0.00, 0.23, 0.20, 0.53, 2.70, 2.57, 0.91, 1.34],
            [-2.23, 0.46, 0.00, 0.45, 0.28, 0.00, 3.76, 3.74, 0.78, 1.34],
            [-2.13, 0.29, 0.00, 0.53, 0.36, 0.00, 4.81, 2.67, 0.66, 1.19],
        ],
    ]
)
"""Orange and red, within 15, 30 and 60 minutes, by term: what `undercroft hindcast fit` prints (docs/nowcast.md)."""

BENDS = np.array(
    [
        [
            [-3.32, 0.33, 2.02, 0.63, 0.92],
            [-2.83, 0.45, 1.44, 1.13, 0.80],
            [-2.25, 0.73, 1.09, 1.11, 0.82],
        ],
        [
            [-1.81, 1.27, 1.11, 0.39, 0.62],
            [-1.55, 1.68, 0.81, 0.66, 0.76],
            [-1.81, 1.35, 0.90, 0.87, 1.08],
        ],
    ]
)
"""The same, by part of `bend`: the value at the first knot, and the slopes below it, between the knots and above."""
KNOTS = (-2.0, 0.0, 2.0)
"""Where the formula is bent: probabilities of 0.12, 0.50 and 0.88 before it. [logit]"""
BEND_PARTS = (
    f"at {KNOTS[0]:g}", f"below {KNOTS[0]:g}", *(f"to {knot:g}" for knot in KNOTS[1:]), f"above {KNOTS[-1]:g}",
)  # fmt: skip
"""Of `bend`, by name."""

BY_INSIDE = np.array(
    [
        [[-1.87, 0.83, 0.65, 1.36], [-1.55, 0.70, 0.32, 0.70], [-1.52, 0.64, 0.15, 0.00]],
        [[-1.75, 0.88, 0.80, 2.13], [-1.38, 0.88, 0.28, 2.00], [-1.82, 0.74, 0.57, 0.00]],
    ]
)
"""Of the first four terms alone, where nothing measures outside: what `undercroft hindcast fit --events` prints."""

BENDS_BY_INSIDE = np.array(
    [
        [
            [-1.73, 1.24, 1.08, 0.35, 1.21],
            [-1.86, 1.11, 0.95, 0.85, 1.01],
            [-1.70, 1.15, 0.69, 1.51, 1.00],
        ],
        [
            [-1.68, 1.22, 0.96, 0.76, 0.35],
            [-1.58, 1.25, 0.76, 0.85, 0.91],
            [-1.87, 1.07, 0.89, 1.03, 0.73],
        ],
    ]
)
"""The bends there, from the same fit (docs/decisions/0045)."""

LEAST_SHARE = 0.02
"""64 members cannot tell less from never."""
MOST_MISSING_M = 2.0
"""As good as out of reach; also what is missing where a severity has no outside threshold. [m]"""
GROWS_60, GROWS_10 = 0.30, 0.15
"""Rain grows where it is 35 % more than the hour's, 16 % more than that of 10 minutes; how much more says little."""
LEAST_SHARE_COEFFICIENT = 0.1
"""So that more members are never less likely, whatever the storms of the fit say."""
LEAST_SLOPE = 0.05
"""Of a bend, for the same reason."""
HOLD = 1.0
"""Pull of each coefficient but the constant towards 0, of each slope towards 1: one over its prior variance."""
HOLD_BY_INSIDE = 3.0
"""The same of the bend where nothing measures outside, fitted on fewer floods."""
CASE_WEIGHT = 0.3
"""Cases of one flood are not independent."""


@dataclass(frozen=True, slots=True, eq=False)
class Around:
    """What a share is weighed with, for S spaces.

    Attributes
    ----------
    missing_m : ndarray, shape (S, 2)
        Depth that is missing outside to orange and to red, inside where nothing measures outside; infinite where there
        is none. [m]
    rain_mm : ndarray, shape (S, 3)
        Rain of the last 5, 10 and 60 minutes. [mm]
    no_barrier : ndarray, shape (S,)
        Nothing can be closed at the entrance where least is missing to orange.
    being_closed : ndarray, shape (S,)
        The barrier there says, now, that it is being deployed.
    by_inside : ndarray, shape (S,)
        Nothing measures outside: the formula for roads that only their own water tells of.
    no_gauge : ndarray, shape (S,)
        No gauge of the basin is heard, so whether rain grows is not known.
    last_mm : ndarray, shape (S, 3)
        Rain as ``rain_mm``, by the last word of every gauge of the basin, also of those that are not heard: that one
        falls silent takes nothing back. [mm]
    """

    missing_m: FloatArray
    rain_mm: FloatArray
    no_barrier: BoolArray
    being_closed: BoolArray
    by_inside: BoolArray
    no_gauge: BoolArray
    last_mm: FloatArray

    def by_last_word(self, rows: IntArray) -> Around:
        """Return what is around some of the spaces, their rain by the last word of every gauge."""
        part = Around(*(getattr(self, name)[rows] for name in self.__slots__))
        return replace(part, rain_mm=part.last_mm)


def terms(share: FloatArray, around: Around) -> FloatArray:
    """Return the terms of the formula.

    ``share``: log of share over 1 - share, which is held to 0.02 to 0.98. ``missing``: minus the log of (missing depth
    + 5 mm) over 10 cm; ``far``: the same, at most 0, so where over 9.5 cm are missing. ``growing``: log of what fell
    in the last 10 minutes over a sixth of that in 60, and in the last 5 minutes over half of that in 10; in light
    rain, under 2 mm in 10 minutes, only where it abates; ``grows``: the same, held to `GROWS_60` and `GROWS_10` either
    way. ``nothing_to_close``: ``missing`` counted from where it is least, 0 where there is a barrier.
    ``being_closed``: -1 where a barrier is being deployed; for red only, since "only deployed counts as closed" and the
    probability of orange raises an alarm.

    By hand: share 0.5, 9.5 cm missing, 6, 10 and 20 mm in 5, 10 and 60 min, no barrier: 1, 0, -log(0.1 / 0.1) = 0, 0,
    log(6 * 10 / 20) = 1.099, log(2 * 6 / 10) = 0.182, 0.30, 0.15, log(2.005 / 0.1) = 2.998, 0.

    Parameters
    ----------
    share : ndarray, shape (S, 2, H)
        Share of the members that reach orange and red within each time. NaN: unknown, and so are its terms.
    around : Around
        Of the same spaces.

    Returns
    -------
    ndarray, shape (S, 2, H, 10)
        The terms.
    """
    five, ten, sixty = around.rain_mm[:, 0], around.rain_mm[:, 1], around.rain_mm[:, 2]
    growing = np.stack((_log_ratio(6.0 * ten, sixty, (-2.0, 1.8)), _log_ratio(2.0 * five, ten, (-1.5, 0.7))), axis=1)
    growing = np.where((ten < IN_RAIN_MM.value)[:, None], np.minimum(growing, 0.0), growing)
    held = np.clip(share, LEAST_SHARE, 1.0 - LEAST_SHARE)
    missing = -np.log((np.clip(around.missing_m, 0.0, MOST_MISSING_M) + 0.005) / 0.1)
    least = -np.log((MOST_MISSING_M + 0.005) / 0.1)
    found = np.ones((*share.shape, len(TERMS)))
    found[..., 1] = np.log(held / (1.0 - held))
    found[..., 2] = missing[:, :, None]
    found[..., 3] = np.minimum(missing, 0.0)[:, :, None]
    found[..., 4:6] = growing[:, None, None, :]
    found[..., 6:8] = np.clip(growing, (-GROWS_60, -GROWS_10), (GROWS_60, GROWS_10))[:, None, None, :]
    found[..., 8] = np.where(around.no_barrier[:, None], missing - least, 0.0)[:, :, None]
    found[:, 0, :, 9] = 0.0
    found[:, 1, :, 9] = -1.0 * around.being_closed[:, None]
    return found


def _log_ratio(over: FloatArray, under: FloatArray, limits: tuple[float, float]) -> FloatArray:
    """Return the log of a ratio, held to limits; 0 where nothing fell."""
    ratio = np.divide(over, under, out=np.ones(over.shape), where=under > 0.0)
    return floats(np.clip(np.log(np.maximum(ratio, 1e-9)), *limits))


def bend(logit: FloatArray) -> FloatArray:
    """Return the parts of a bent line over a logit, shape (..., 5): 1, and how far it goes in each of four stretches.

    By hand: -3 gives 1, -1, 0, 0, 0; 0.5 gives 1, 0, 2, 0.5, 0; 3 gives 1, 0, 2, 2, 1.
    """
    first, middle, last = KNOTS
    parts = (
        np.ones(logit.shape),
        np.minimum(logit - first, 0.0),
        np.clip(logit - first, 0.0, middle - first),
        np.clip(logit - middle, 0.0, last - middle),
        np.maximum(logit - last, 0.0),
    )
    return floats(np.stack(parts, axis=-1))


def contributions(share: FloatArray, around: Around) -> FloatArray:
    """Return what each term adds to the logit, before it is bent, shape (S, 2, H, 10), see `terms`.

    Where a gauge is not heard, the terms of the rain by the gauges that are, or of the rain by the last word of all,
    whichever says more.
    """
    by_inside = np.zeros(COEFFICIENTS.shape)
    by_inside[..., : BY_INSIDE.shape[-1]] = BY_INSIDE
    weights = np.where(around.by_inside[:, None, None, None], by_inside, COEFFICIENTS)
    told = terms(share, around) * weights
    silent = np.flatnonzero((around.last_mm != around.rain_mm).any(axis=1))
    if silent.size:
        last = terms(share[silent], around.by_last_word(silent)) * weights[silent]
        more = last.sum(axis=-1) > told[silent].sum(axis=-1)
        told[silent] = np.where(more[..., None], last, told[silent])
    return floats(told)


def calibrated(share: FloatArray, around: Around) -> FloatArray:
    """Return the probability that each threshold is reached within each time, shape as ``share``, see `terms`.

    Longer is never less likely, and red is never more likely than orange. NaN: unknown. A gauge that falls silent
    talks nothing down: it is at least what the last word of every gauge gives, and where no gauge is heard that of
    orange, which raises an alarm, is at least the share of the members.

    By hand, a road without a sensor outside, 9.5 cm missing, half of the members: orange within 30 min z = -1.55,
    P = 0.175; nine in ten, 4.5 cm missing: within 15 min z = -1.87 + 0.83 x 2.197 + 0.65 x 0.693 = 0.404, P = 0.600.
    """
    straight = contributions(share, around).sum(axis=-1)
    parts = bend(floats(straight))
    street, inside = (np.einsum("skhb,khb->skh", parts, bends) for bends in (BENDS, BENDS_BY_INSIDE))
    logit = np.where(around.by_inside[:, None, None], inside, street)
    chance = 1.0 / (1.0 + np.exp(-np.clip(logit, -30.0, 30.0)))
    untold = (around.no_gauge & ~around.by_inside)[:, None]
    chance[:, 0] = np.where(untold, np.maximum(chance[:, 0], share[:, 0]), chance[:, 0])
    chance = np.maximum.accumulate(chance, axis=2)
    return floats(np.minimum.accumulate(chance, axis=1))


def fitted(found: FloatArray, happened: FloatArray) -> FloatArray:
    """Return the coefficients that fit cases of known truth best, held near 0, none but the constant below 0.

    Parameters
    ----------
    found : ndarray, shape (cases, terms)
        `terms` of each case, the constant first, then the share.
    happened : ndarray, shape (cases,)
        1 where the threshold was reached in time, else 0.
    """
    others = found.shape[1] - 2
    towards = floats([0.0] * (others + 2))
    least = [None, LEAST_SHARE_COEFFICIENT, *([0.0] * others)]
    return _likeliest(found, happened, towards, least)


def fitted_bend(logit: FloatArray, happened: FloatArray, hold: float = HOLD) -> FloatArray:
    """Return the value at the first knot and the slopes of the bend that fits cases best, held near a straight line.

    Parameters
    ----------
    logit : ndarray, shape (cases,)
        What the fitted coefficients give each case.
    happened : ndarray, shape (cases,)
        1 where the threshold was reached in time, else 0.
    hold : float
        Pull of each slope towards 1.
    """
    slopes = len(KNOTS) + 1
    towards = floats([KNOTS[0], *([1.0] * slopes)])
    return _likeliest(bend(logit), happened, towards, [None, *([LEAST_SLOPE] * slopes)], hold)


def _likeliest(
    found: FloatArray, happened: FloatArray, towards: FloatArray, least: list[float | None], hold: float = HOLD
) -> FloatArray:
    """Return the weights of logistic regression that are likeliest, all but the first held near a value."""
    from scipy.optimize import minimize  # noqa: PLC0415 - no service fits, and each would carry it

    held = floats([0.0, *([hold] * (towards.size - 1))])

    def loss(weights: FloatArray) -> tuple[float, FloatArray]:
        logit = found @ weights
        chance = 1.0 / (1.0 + np.exp(-np.clip(logit, -30.0, 30.0)))
        away = weights - towards
        value = CASE_WEIGHT * (np.logaddexp(0.0, logit) - happened * logit).sum()
        slope = CASE_WEIGHT * (found.T @ (chance - happened)) + held * away
        return float(value + 0.5 * (held * away**2).sum()), floats(slope)

    start = floats([value if low is None else max(value, low) for value, low in zip(towards, least, strict=True)])
    exact = {"ftol": 1e-14, "gtol": 1e-7, "maxiter": 5000, "maxfun": 20_000}
    bounds = [(low, None) for low in least]
    return floats(minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=exact).x)
