"""What `risk.nowcast.calibration` keeps, fitted on storms of known truth that are not scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from risk.ahead import NAMES
from risk.hydraulics.arrays import FloatArray, floats
from risk.nowcast.calibration import BEND_PARTS, BENDS, COEFFICIENTS, TERMS, fitted, fitted_bend
from risk.nowcast.summary import WITHIN_MIN
from simulators.hindcast.run import Foreseen

DECIMALS = 2
"""Of the numbers in use. What the fit leaves open is far more."""


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Coefficients, shape (2, 3, terms), and bends, shape (2, 3, 5), rounded as they are kept."""

    coefficients: FloatArray
    bends: FloatArray

    @property
    def farthest(self) -> float:
        """The most that any number differs from the one in use."""
        return float(max(np.abs(self.coefficients - COEFFICIENTS).max(), np.abs(self.bends - BENDS).max()))


def fit_of(foreseen: Sequence[Foreseen]) -> Fit:
    """Return what fits some cases best: the coefficients first, then the bend of what the rounded ones give.

    A case that stands already, or that the engine gives no probability, says nothing about the formula.
    """
    shape = (len(NAMES), len(WITHIN_MIN))
    found, bends = np.zeros((*shape, len(TERMS))), np.zeros((*shape, len(BEND_PARTS)))
    for k, name in enumerate(NAMES):
        for h, within_min in enumerate(WITHIN_MIN):
            chosen = [
                case for case in foreseen if (case.severity, case.within_min) == (name, within_min) and case.terms
            ]
            made_of = floats([case.terms for case in chosen]).reshape(-1, len(TERMS))
            happened = floats([float(case.happened) for case in chosen])
            found[k, h] = np.round(fitted(made_of, happened), DECIMALS)
            bends[k, h] = np.round(fitted_bend(floats(made_of @ found[k, h]), happened), DECIMALS)
    return Fit(floats(found + 0.0), floats(bends + 0.0))


def fit_text(fit: Fit, cases: int) -> str:
    """Return the numbers as lines for people, and whether they are those in use."""
    lines = [f"{cases} cases", *_table(TERMS, fit.coefficients), "bends", *_table(BEND_PARTS, fit.bends)]
    lines.append(
        "these are the numbers in use"
        if fit.farthest < 0.5 * 10.0**-DECIMALS
        else f"the numbers in use differ by up to {fit.farthest:.2f}"
    )
    return "\n".join(lines)


def _table(heads: Sequence[str], values: FloatArray) -> list[str]:
    lines = [f"{'':<16}" + " ".join(f"{head:>17}" for head in heads)]
    for k, name in enumerate(NAMES):
        for h, within_min in enumerate(WITHIN_MIN):
            row = " ".join(f"{value:17.2f}" for value in values[k, h])
            lines.append(f"{f'{name} {within_min:g} min':<16}{row}")
    return lines
