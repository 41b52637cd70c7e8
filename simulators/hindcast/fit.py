"""The coefficients of `risk.nowcast.calibration`, fitted on storms of known truth that are not scored."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from risk.ahead import NAMES
from risk.hydraulics.arrays import FloatArray, floats
from risk.nowcast.calibration import COEFFICIENTS, TERMS, fitted
from risk.nowcast.summary import WITHIN_MIN
from simulators.hindcast.run import Foreseen

DECIMALS = 2
"""Of the coefficients in use. What the fit leaves open is far more."""


def coefficients_of(foreseen: Sequence[Foreseen]) -> FloatArray:
    """Return the coefficients that fit some cases best, shape (2, 3, terms), rounded as they are kept.

    A case that stands already, or that the engine gives no probability, says nothing about the formula.
    """
    found = np.zeros((len(NAMES), len(WITHIN_MIN), len(TERMS)))
    for k, name in enumerate(NAMES):
        for h, within_min in enumerate(WITHIN_MIN):
            chosen = [
                case for case in foreseen if (case.severity, case.within_min) == (name, within_min) and case.terms
            ]
            made_of = floats([case.terms for case in chosen]).reshape(-1, len(TERMS))
            found[k, h] = fitted(made_of, floats([float(case.happened) for case in chosen]))
    return floats(np.round(found, DECIMALS) + 0.0)


def fit_text(coefficients: FloatArray, cases: int) -> str:
    """Return the coefficients as lines for people, and whether they are those in use."""
    lines = [f"{cases} cases", f"{'':<16}" + " ".join(f"{name:>17}" for name in TERMS)]
    for k, name in enumerate(NAMES):
        for h, within_min in enumerate(WITHIN_MIN):
            row = " ".join(f"{value:17.2f}" for value in coefficients[k, h])
            lines.append(f"{f'{name} {within_min:g} min':<16}{row}")
    farthest = float(np.abs(coefficients - COEFFICIENTS).max())
    lines.append(
        "these are the coefficients in use"
        if farthest < 0.5 * 10.0**-DECIMALS
        else f"the coefficients in use differ by up to {farthest:.2f}"
    )
    return "\n".join(lines)
