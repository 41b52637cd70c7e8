"""How far the ten most urgent spaces hang on the weights: each weight 20 % up and down, one at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from risk.arrays import FloatArray, IntArray

STEP = 0.2
TOP = 10


@dataclass(frozen=True, slots=True)
class Standing:
    """A space of the top ten: its score and rank, and over all changed weights its best and worst rank and score."""

    space: str
    score: float
    rank: int
    best_rank: int
    worst_rank: int
    least_score: float
    most_score: float


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """The top ten, and which change of which weight lets which space in or out."""

    top: tuple[Standing, ...]
    entering: tuple[tuple[str, float, str], ...]
    """(factor, its weight then, space that enters the top ten)."""


def sensitivity(spaces: Sequence[str], factors: Sequence[str], weights: FloatArray, x: FloatArray) -> Sensitivity:
    """Return how ranks move when each weight is 20 % higher or lower, at most 1.

    Parameters
    ----------
    spaces, factors : sequence of str
        Names of the rows and columns of ``x``.
    weights : ndarray, shape (factors,)
        0 to 1.
    x : ndarray, shape (spaces, factors)
        0 best to 1 worst, as contributions show them.

    Notes
    -----
    The score is ``100 (1 - prod(1 - w_k x_k))``, as in `risk.score`; equal scores stand in the order of their names.
    By hand: weights 0.5, 0.45, spaces (1, 0) and (0, 1): 50 and 45. With 0.5 at 0.4 the first has 40: second.
    """
    order = np.argsort(np.array(spaces), kind="stable")
    names, values = [spaces[row] for row in order.tolist()], x[order]
    base = _scores(weights, values)
    ranks = _ranks(base)
    chosen = np.flatnonzero(ranks <= TOP)
    chosen = chosen[np.argsort(ranks[chosen])]
    seen, scores, entering = [ranks], [base], set[tuple[str, float, str]]()
    for column, factor in enumerate(factors):
        for share in (1.0 - STEP, 1.0 + STEP):
            changed = weights.copy()
            changed[column] = min(weights[column] * share, 1.0)
            scores.append(_scores(changed, values))
            seen.append(_ranks(scores[-1]))
            new = np.flatnonzero((seen[-1] <= TOP) & (ranks > TOP))
            entering |= {(factor, round(float(changed[column]), 3), names[row]) for row in new.tolist()}
    all_ranks, all_scores = np.stack(seen), np.stack(scores)
    top = tuple(
        Standing(
            names[row], float(base[row]), int(ranks[row]), int(all_ranks[:, row].min()), int(all_ranks[:, row].max()),
            float(all_scores[:, row].min()), float(all_scores[:, row].max()),
        )
        for row in chosen.tolist()
    )  # fmt: skip
    return Sensitivity(top, tuple(sorted(entering)))


def sensitivity_of(assessments: Sequence[Mapping[str, Any]]) -> Sensitivity:
    """Return how ranks move of the newest assessments of all spaces, from the contributions that they show."""
    if not assessments:
        return Sensitivity((), ())
    listed = assessments[0]["contributions"]["factors"]
    names, weights = [row["factor"] for row in listed], np.array([row["weight"] for row in listed], np.float64)
    x = np.array([[row["x"] for row in entry["contributions"]["factors"]] for entry in assessments], np.float64)
    return sensitivity([entry["space_id"] for entry in assessments], names, weights, x)


def _scores(weights: FloatArray, x: FloatArray) -> FloatArray:
    return np.asarray(np.round(100.0 * (1.0 - np.prod(1.0 - weights * x, axis=1)), 1))


def _ranks(scores: FloatArray) -> IntArray:
    """Return ranks from 1; of equal scores the first name stands first."""
    ranks = np.empty(scores.size, np.int64)
    ranks[np.argsort(-scores, kind="stable")] = np.arange(1, scores.size + 1)
    return ranks
