"""What the ensemble's shares are worth: terms worked by hand; more of anything is never less likely."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.hydraulics.arrays import FloatArray, floats
from risk.nowcast.calibration import LEAST_SHARE_COEFFICIENT, calibrated, fitted, terms


def one(share: float, missing_m: float, rain_mm: tuple[float, float, float]) -> FloatArray:
    """Return the probabilities of one space, the same share and depth for orange and red."""
    return floats(calibrated(np.full((1, 2, 3), share), np.full((1, 2), missing_m), np.array([rain_mm]))[0])


def test_terms_by_hand() -> None:
    """Half of the members, 9.5 cm missing; 10 of the 20 mm of the hour fell last, 6 of those 10 at the end."""
    found = terms(np.full((1, 2, 3), 0.5), np.full((1, 2), 0.095), np.array([[6.0, 10.0, 20.0]]))
    assert found[0, 1, 2] == pytest.approx([1.0, 0.0, 0.0, np.log(3.0), np.log(1.2)])


def test_light_rain_says_only_that_it_abates() -> None:
    """1 mm in 10 min is no rain that floods, however fast it began; that it stopped counts."""
    shape = np.zeros((1, 2, 3)), np.zeros((1, 2))
    begun, over = (terms(*shape, np.array([rain]))[0, 0, 0, 3:].tolist() for rain in ([1.0, 1.0, 1.0], [0.0, 1.0, 9.0]))
    assert begun == [0.0, 0.0]
    assert over == pytest.approx([np.log(6.0 / 9.0), -1.5])


def test_unknown_stays_unknown_and_no_rain_is_no_change() -> None:
    assert np.isnan(one(np.nan, 0.1, (1.0, 2.0, 3.0))).all()
    assert (one(0.5, 0.1, (0.0, 0.0, 0.0)) == one(0.5, 0.1, (5.0, 10.0, 60.0))).all(), "steady rain grows by nothing"


@given(
    share=st.floats(0.0, 1.0),
    more=st.floats(0.0, 1.0),
    missing_m=st.floats(0.0, 3.0),
    less_m=st.floats(0.0, 3.0),
    rain=st.tuples(*[st.sampled_from([0.0, 0.2, 1.0, 4.0, 20.0])] * 3),
    times=st.sampled_from([1.0, 2.0, 4.0, 8.0]),
)
def test_more_members_more_water_or_more_rain_is_never_less_likely(
    share: float, more: float, missing_m: float, less_m: float, rain: tuple[float, float, float], times: float
) -> None:
    """Rain in 5, 10 and 60 min from its parts; times a power of two, so that no ratio of it is rounded."""
    five, ten, sixty = np.cumsum(rain).tolist()
    before = one(share, missing_m, (five, ten, sixty))
    after = one(max(share, more), min(missing_m, less_m), (five * times, ten * times, sixty * times))
    assert (after >= before).all()
    assert (np.diff(before, axis=1) >= 0.0).all(), "longer is never less likely"
    assert (before[1] <= before[0]).all(), "red is never more likely than orange"


def test_a_fit_finds_the_formula_that_made_the_cases() -> None:
    rng = np.random.default_rng(5)
    found = np.column_stack((np.ones(20_000), rng.normal(size=(20_000, 4))))
    made_by = np.array([-1.0, 0.5, 1.0, 0.8, 0.0])
    happened = (rng.random(20_000) < 1.0 / (1.0 + np.exp(-found @ made_by))).astype(float)
    assert fitted(found, happened) == pytest.approx(made_by, abs=0.1)
    never = fitted(found, 1.0 - happened)
    assert never[1] == LEAST_SHARE_COEFFICIENT
    assert (never[2:] == 0.0).all()
