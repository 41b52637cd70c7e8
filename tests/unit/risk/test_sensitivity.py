"""How much the top ten hangs on the weights, by hand and for every table."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.sensitivity import TOP, sensitivity


def test_two_spaces_that_change_places() -> None:
    """Weights 0.5 and 0.45: 50 and 45. At 0.4 the first has 40, behind; at 0.54 the second has 54, before it."""
    found = sensitivity(["a", "b"], ["water", "rain"], np.array([0.5, 0.45]), np.eye(2))
    first, second = found.top
    assert (first.space, first.score, first.rank, first.best_rank, first.worst_rank) == ("a", 50.0, 1, 1, 2)
    assert (first.least_score, first.most_score) == (40.0, 60.0)
    assert (second.space, second.best_rank, second.worst_rank) == ("b", 1, 2)
    assert found.entering == ()


def test_the_eleventh_enters_with_a_weight() -> None:
    """Ten spaces at 0.5 * 0.8 = 40; the eleventh 0.4 * 0.95 = 38, and 0.48 * 0.95 = 45.6 with its weight up."""
    x = np.array([[0.8, 0.0]] * TOP + [[0.0, 0.95]])
    names = [f"s{number:02d}" for number in range(TOP + 1)]
    found = sensitivity(names, ["water", "rain"], np.array([0.5, 0.4]), x)
    assert [one.space for one in found.top] == names[:TOP]
    assert set(found.entering) == {("rain", 0.48, "s10"), ("water", 0.4, "s10")}
    assert found.top[-1].worst_rank == TOP + 1


@given(st.integers(0, 2**32 - 1), st.integers(1, 25))
def test_ranks_hold_the_present_one_and_scores_the_present_score(seed: int, spaces: int) -> None:
    rng = np.random.default_rng(seed)
    names = [f"s{number:02d}" for number in rng.permutation(spaces)]
    found = sensitivity(names, ["a", "b", "c"], np.array([0.6, 0.3, 0.9]), rng.random((spaces, 3)).round(1))
    assert [one.rank for one in found.top] == list(range(1, min(spaces, TOP) + 1))
    for one in found.top:
        assert one.best_rank <= one.rank <= one.worst_rank
        assert one.least_score <= one.score <= one.most_score
    again = sensitivity(sorted(names), ["a", "b", "c"], np.array([0.6, 0.3, 0.9]), rng.random((spaces, 3)))
    assert len(again.top) == min(spaces, TOP)


def test_a_weight_of_one_stays_one() -> None:
    found = sensitivity(["a"], ["water"], np.array([0.9]), np.array([[0.5]]))
    assert found.top[0].most_score == pytest.approx(50.0)
