"""The formula of roads without a sensor outside is fitted on early floods alone: coefficients, then the bend."""

from __future__ import annotations

import numpy as np
import pytest

from risk.hindcast.roads import RoadCases, RoadFit, fit_of_roads
from risk.hydraulics.arrays import floats
from risk.nowcast.calibration import BENDS_BY_INSIDE, BY_INSIDE, bend
from risk.nowcast.summary import WITHIN_MIN

SIZE = 20_000
TIMES = len(WITHIN_MIN)


def cases(*, late_too: bool = False) -> RoadCases:
    """Cases by the formula in use of orange within 30 min; the later half, if any, came the other way round."""
    rng = np.random.default_rng(7)
    share, missing = rng.uniform(-3.9, 3.9, SIZE), rng.uniform(-2.5, 1.5, SIZE)
    found = np.stack((np.ones(SIZE), share, missing, np.minimum(missing, 0.0)), axis=1)
    chance = 1.0 / (1.0 + np.exp(-bend(floats(found @ BY_INSIDE[0, 1])) @ BENDS_BY_INSIDE[0, 1]))
    happened = (rng.random(SIZE) < chance).astype(float)
    if late_too:
        found, happened = np.concatenate((found, found)), np.concatenate((happened, 1.0 - happened))
    early = np.arange(found.shape[0]) < SIZE
    terms, came = np.repeat(found[:, None], TIMES, axis=1), np.repeat(happened[:, None], TIMES, axis=1)
    return RoadCases(np.arange(early.size), early, floats(terms), floats(np.zeros(came.shape)), floats(came))


def test_the_fit_finds_what_the_cases_were_made_by() -> None:
    """In probability, since a coefficient may give way to a slope."""
    fit = fit_of_roads((cases(), cases()))
    assert fit.coefficients.shape == BY_INSIDE.shape
    assert fit.bends.shape == BENDS_BY_INSIDE.shape
    z = cases().terms[:500, 1]
    made, found = (
        1.0 / (1.0 + np.exp(-bend(floats(z @ weights)) @ bends))
        for weights, bends in ((BY_INSIDE[0, 1], BENDS_BY_INSIDE[0, 1]), (fit.coefficients[0, 1], fit.bends[0, 1]))
    )
    assert found == pytest.approx(made, abs=0.03)


def test_later_floods_are_not_fitted_on() -> None:
    alone, with_late = (fit_of_roads((cases(late_too=late),) * 2) for late in (False, True))
    assert np.array_equal(alone.coefficients, with_late.coefficients)
    assert np.array_equal(alone.bends, with_late.bends)


def test_a_fit_says_how_far_it_is_from_the_numbers_in_use() -> None:
    """A tenth in one slope, a fifth in one coefficient."""
    moved, bent = BY_INSIDE.copy(), BENDS_BY_INSIDE.copy()
    bent[1, 2, 3] += 0.1
    assert RoadFit(moved, bent).farthest == pytest.approx(0.1)
    moved[0, 0, 0] -= 0.2
    assert RoadFit(moved, bent).farthest == pytest.approx(0.2)
