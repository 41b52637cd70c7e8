"""What the ensemble's shares are worth: terms worked by hand; more of anything is never less likely."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.hydraulics.arrays import FloatArray, floats
from risk.nowcast.calibration import (
    LEAST_SHARE_COEFFICIENT,
    LEAST_SLOPE,
    TERMS,
    Around,
    bend,
    calibrated,
    fitted,
    fitted_bend,
    terms,
)


def around(
    missing_m: float,
    rain_mm: tuple[float, float, float],
    *,
    barrier: bool = True,
    being_closed: bool = False,
    by_inside: bool = False,
    no_gauge: bool = False,
) -> Around:
    """Return what is around one space, the same depth missing to orange and red."""
    return Around(
        np.full((1, 2), missing_m), np.array([rain_mm]), np.array([not barrier]), np.array([being_closed]),
        np.array([by_inside]), np.array([no_gauge]), np.array([rain_mm]),
    )  # fmt: skip


def one(share: float, missing_m: float, rain_mm: tuple[float, float, float], **more: bool) -> FloatArray:
    """Return the probabilities of one space, the same share and depth for orange and red."""
    return floats(calibrated(np.full((1, 2, 3), share), around(missing_m, rain_mm, **more))[0])


def named(share: float, missing_m: float, rain_mm: tuple[float, float, float], **more: bool) -> dict[str, float]:
    """Return the terms of red within an hour by name."""
    found = terms(np.full((1, 2, 3), share), around(missing_m, rain_mm, **more))[0, 1, 2]
    return dict(zip(TERMS, found.tolist(), strict=True))


def test_terms_by_hand() -> None:
    """Half of the members, 9.5 cm missing; 10 of the 20 mm of the hour fell last, 6 of those 10 at the end."""
    assert named(0.5, 0.095, (6.0, 10.0, 20.0), barrier=False) == pytest.approx(
        {
            "constant": 1.0, "share": 0.0, "missing": 0.0, "far": 0.0,
            "growing_in_60_min": np.log(3.0), "growing_in_10_min": np.log(1.2),
            "grows_in_60_min": 0.3, "grows_in_10_min": 0.15, "nothing_to_close": np.log(20.05), "being_closed": 0.0,
        }
    )  # fmt: skip
    assert named(0.5, 0.995, (3.0, 6.0, 36.0))["far"] == pytest.approx(-np.log(10.0))
    assert named(0.5, 0.0, (3.0, 6.0, 36.0))["far"] == 0.0, "5 mm count as missing: log(20) of missing, none of far"


def test_a_barrier_being_deployed_calms_red_but_not_the_orange_that_raises_an_alarm() -> None:
    """Only deployed counts as closed: what is on its way takes nothing from orange."""
    still, begun = (one(0.5, 0.05, (6.0, 10.0, 20.0), being_closed=closing) for closing in (False, True))
    assert (begun[0] == still[0]).all()
    assert (begun[1] < still[1]).all()


def test_light_rain_says_only_that_it_abates() -> None:
    """1 mm in 10 min is no rain that floods, however fast it began; that it stopped counts."""
    growth = ("growing_in_60_min", "growing_in_10_min", "grows_in_60_min", "grows_in_10_min")
    begun, over = (named(0.0, 0.0, rain) for rain in ((1.0, 1.0, 1.0), (0.0, 1.0, 9.0)))
    assert [begun[name] for name in growth] == [0.0] * 4
    assert [over[name] for name in growth] == pytest.approx([np.log(6.0 / 9.0), -1.5, -0.3, -0.15])


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
    barrier=st.booleans(),
)
def test_more_members_more_water_or_more_rain_is_never_less_likely(
    share: float,
    more: float,
    missing_m: float,
    less_m: float,
    rain: tuple[float, float, float],
    times: float,
    barrier: bool,
) -> None:
    """Rain in 5, 10 and 60 min from its parts; times a power of two, so that no ratio of it is rounded."""
    five, ten, sixty = np.cumsum(rain).tolist()
    before = one(share, missing_m, (five, ten, sixty), barrier=barrier)
    wetter = five * times, ten * times, sixty * times
    after = one(max(share, more), min(missing_m, less_m), wetter, barrier=barrier)
    assert (after >= before).all()
    assert (np.diff(before, axis=1) >= 0.0).all(), "longer is never less likely"
    assert (before[1] <= before[0]).all(), "red is never more likely than orange"


def test_a_fit_finds_the_formula_that_made_the_cases() -> None:
    rng = np.random.default_rng(5)
    found = np.column_stack((np.ones(20_000), rng.normal(size=(20_000, 4))))  # as many terms as there are
    made_by = np.array([-1.0, 0.5, 1.0, 0.8, 0.0])
    happened = (rng.random(20_000) < 1.0 / (1.0 + np.exp(-found @ made_by))).astype(float)
    assert fitted(found, happened) == pytest.approx(made_by, abs=0.1)
    never = fitted(found, 1.0 - happened)
    assert never[1] == LEAST_SHARE_COEFFICIENT
    assert (never[2:] == 0.0).all()


def test_the_bent_line_by_hand() -> None:
    assert bend(floats([-3.0, 0.5, 3.0])).tolist() == [[1, -1, 0, 0, 0], [1, 0, 2, 0.5, 0], [1, 0, 2, 2, 1]]
    straight = floats([-2.0, 1.0, 1.0, 1.0, 1.0])
    assert (bend(floats([-7.0, -2.0, 0.0, 1.5, 9.0])) @ straight).tolist() == [-7.0, -2.0, 0.0, 1.5, 9.0]


def test_probabilities_by_hand() -> None:
    """As docs/nowcast.md works them out: half of the members, 9.5 cm missing, steady rain and growing rain."""
    assert one(0.5, 0.095, (5.0, 10.0, 60.0))[0, 1] == pytest.approx(0.079, abs=5e-4)
    assert one(0.5, 0.095, (6.0, 10.0, 20.0))[0, 1] == pytest.approx(0.89, abs=5e-3)


def test_a_bend_is_found_and_never_falls() -> None:
    """Too low in the middle and too high at the top, and a line that says the opposite of what happens."""
    rng = np.random.default_rng(6)
    logit = floats(rng.uniform(-5.0, 5.0, 40_000))
    made_by = floats([-1.5, 1.5, 1.0, 0.4, 0.6])
    happened = (rng.random(40_000) < 1.0 / (1.0 + np.exp(-bend(logit) @ made_by))).astype(float)
    assert fitted_bend(logit, floats(happened)) == pytest.approx(made_by, abs=0.15)
    assert (fitted_bend(floats(-logit), floats(happened))[1:] == LEAST_SLOPE).all()
    few = logit[:40], floats(happened[:40])
    near, nearer = (np.abs(fitted_bend(*few, hold)[1:] - 1.0).max() for hold in (1.0, 100.0))
    assert nearer < min(near, 0.1), "held more firmly, it stays nearer a straight line"


def test_a_silent_gauge_talks_no_member_down() -> None:
    """Seven of ten members, rain abating: little orange by the formula; where no gauge is heard, what members say."""
    told, untold = (one(0.7, 0.2, (0.0, 1.0, 20.0), no_gauge=gone) for gone in (False, True))
    assert (told[0] < 0.1).all()
    assert untold[0].tolist() == [0.7] * 3
    assert (untold[1] < 0.7).all(), "red raises no alarm by its probability"


def test_a_road_without_a_sensor_outside_by_hand() -> None:
    """z = -1.55, bent -1.86 + 0.95 x 0.45 = -1.43; nine in ten and 4.5 cm missing, within 15 min: z = -1.87 +
    0.83 x 2.197 + 0.65 x 0.693 = 0.404, bent -1.73 + 1.08 x 2 + 0.35 x 0.404 = 0.571; rain says nothing.
    """
    assert one(0.5, 0.095, (6.0, 10.0, 20.0), by_inside=True)[0, 1] == pytest.approx(0.193, abs=5e-4)
    assert one(0.9, 0.045, (0.0, 0.0, 0.0), by_inside=True)[0, 0] == pytest.approx(0.639, abs=1e-3)


@given(share=st.floats(0.0, 1.0), more=st.floats(0.0, 1.0), missing_m=st.floats(0.0, 3.0), less_m=st.floats(0.0, 3.0))
def test_on_such_a_road_too_more_members_or_more_water_is_never_less_likely(
    share: float, more: float, missing_m: float, less_m: float
) -> None:
    dry = (0.0, 0.0, 0.0)
    before = one(share, missing_m, dry, by_inside=True)
    after = one(max(share, more), min(missing_m, less_m), dry, by_inside=True)
    assert (after >= before).all()
    assert (np.diff(before, axis=1) >= 0.0).all()
    assert (before[1] <= before[0]).all()


def test_the_last_word_of_a_silent_gauge_counts_where_it_says_more() -> None:
    """By hand (docs/nowcast.md): 0.079 in steady rain, 0.89 with 6, 10 and 20 mm, whichever gauge is silent."""
    steady, grows = (1.0, 2.0, 12.0), (6.0, 10.0, 20.0)
    for heard, last in ((steady, grows), (grows, steady)):
        what = replace(around(0.095, heard), last_mm=np.array([last]))
        assert calibrated(np.full((1, 2, 3), 0.5), what)[0, 0, 1] == pytest.approx(0.89, abs=0.005)
    assert one(0.5, 0.095, steady)[0, 1] == pytest.approx(0.079, abs=0.0005)
