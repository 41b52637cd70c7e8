"""The trend's own estimate: a short logistic formula on how the recent rise compares with the rise that is missing.

It carries the forecast where few like floods are on record (a new site, a new network, cloudbursts), and is refitted
from finished floods, held near the coefficients below.
"""

from __future__ import annotations

import numpy as np

from risk.hydraulics.arrays import FloatArray, floats
from risk.nowcast.moments import Moments
from risk.nowcast.surroundings import Surroundings
from risk.nowcast.track import Seen

TIDE_TERMS = ("constant", "trend_5min", "trend_15min", "trend_30min", "drop", "tide", "has_tide_clock")
RAIN_TERMS = (
    *("constant", "trend_5min", "trend_15min", "trend_30min", "drop"),
    *("crossed", "nearness", "site_peak", "near_peak", "age"),
)
TIDE_COEFFICIENTS = (-1.20, 0.30, 0.84, 0.17, -0.98, 0.64, -0.47)
"""Fitted at 15 cm and 30 min on the FloodNet floods that ended before July 2024, held to 0."""
RAIN_COEFFICIENTS = (-3.70, 0.50, 0.12, -0.11, -1.04, 0.20, 0.59, 0.90, 0.76, -0.09)
"""The same, on sites without a tide."""
HOLD = 3.0
"""Pull of each coefficient towards its start: one over its prior variance."""
HOLD_CONSTANT = 1.0
"""The constant is held less: how often the threshold is passed differs from network to network."""
_ROUNDS, _HALVINGS = 30, 30
_SAMPLE_WEIGHT = 0.3
"""Samples of one flood are not independent."""


def trend_terms(
    track: Seen,
    moments: Moments,
    around: Surroundings,
    threshold_m: float | FloatArray,
    horizon_s: float | FloatArray,
) -> FloatArray:
    """Return the terms of the formula, a row per sample.

    ``trend`` is log of (rise within the horizon at the rate of the window + 4 mm) over (missing depth + 5 mm): 0 where
    the trend just reaches the threshold.

    By hand: 2 cm per 10 min, 30 min, 5 cm missing: log(0.064 / 0.055) = 0.152.
    """
    missing = np.maximum(threshold_m - track.depth_m, 0.0) + 0.005

    def against_missing(rise_m: FloatArray) -> FloatArray:
        return floats(np.clip(np.log((np.maximum(rise_m, 0.0) + 0.004) / missing), -4.0, 3.0))

    steps = horizon_s / 600.0
    columns = [np.ones(missing.shape)]
    columns += [against_missing(track.rise_m_10min[window] * steps) for window in (320.0, 920.0, 1820.0)]
    columns.append(np.clip(moments.drop_m / missing, 0.0, 2.0))
    if track.tidal:
        known = np.isfinite(moments.tidal_rise_m)
        columns += [
            np.where(known, against_missing(np.nan_to_num(moments.tidal_rise_m)), 0.0),
            known.astype(np.float64),
        ]
    else:
        columns += [
            np.log1p(around.crossed),
            np.log1p(around.nearness),
            np.full(missing.shape, np.clip(8.0 * around.site_mean_peak_m, 0.0, 4.0)),
            np.clip(5.0 * around.near_peak_m, 0.0, 2.0),
            np.log(track.time_s / 60.0 + 2.0),
        ]
    return floats(np.stack(columns, axis=1))


def trend_probability(terms: FloatArray, coefficients: FloatArray) -> FloatArray:
    """Return the logistic of the weighted terms, row by row: the last digit depends on no other row."""
    logit = (terms * coefficients).sum(axis=1)
    return floats(1.0 / (1.0 + np.exp(-np.clip(logit, -30.0, 30.0))))


def refit(terms: FloatArray, crossed: FloatArray, start: FloatArray, hold_towards: FloatArray) -> FloatArray:
    """Return the coefficients that fit finished floods best while staying near given ones.

    Parameters
    ----------
    terms : ndarray
        Rows of `trend_terms` of samples before the crossing.
    crossed : ndarray
        1 where the threshold was reached within the horizon, else 0.
    start, hold_towards : ndarray
        Where the search begins, and what the coefficients are held to.

    Returns
    -------
    ndarray
        Coefficients: the maximum of the penalised likelihood, by Newton's method; a step that would make it worse is
        halved, since far from the maximum a full one overshoots without end.
    """
    hold = np.full(start.size, HOLD)
    hold[0] = HOLD_CONSTANT
    coefficients, loss = start, _loss(terms, crossed, start, hold, hold_towards)
    for _ in range(_ROUNDS):
        p = trend_probability(terms, coefficients)
        weight = _SAMPLE_WEIGHT * p * (1.0 - p)
        slope = terms.T @ (_SAMPLE_WEIGHT * (crossed - p)) - hold * (coefficients - hold_towards)
        step = np.linalg.solve((terms * weight[:, None]).T @ terms + np.diag(hold), slope)
        gain = 0.0
        for _ in range(_HALVINGS):
            tried = _loss(terms, crossed, coefficients + step, hold, hold_towards)
            gain = loss - tried
            if gain >= 0.0:
                break
            step = step / 2.0
        if gain <= 1e-9:
            break
        coefficients, loss = coefficients + step, loss - gain
    return floats(coefficients)


def _loss(
    terms: FloatArray, crossed: FloatArray, coefficients: FloatArray, hold: FloatArray, hold_towards: FloatArray
) -> float:
    """Penalised negative log likelihood."""
    logit = terms @ coefficients
    likelihood = np.logaddexp(0.0, logit) - crossed * logit
    return float(_SAMPLE_WEIGHT * likelihood.sum() + 0.5 * (hold * (coefficients - hold_towards) ** 2).sum())
