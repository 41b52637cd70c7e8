"""Surroundings, the trend's formula and the analogues, on cases small enough to count by hand."""

from __future__ import annotations

import numpy as np
import pytest

from risk.nowcast.analogues import RAIN_TUNING, Library, remember
from risk.nowcast.moments import describe
from risk.nowcast.surroundings import look_around
from risk.nowcast.trend import refit, trend_probability, trend_terms
from tests.unit.risk_nowcast.floods import rain_flood, tidal_flood


def test_neighbours_count_from_their_first_sample_and_cross_when_they_cross() -> None:
    """A neighbour 4 km off starts 5 min later and passes 0.15 m at its minute 5 (0.03 m a minute)."""
    own, other = rain_flood(0.0, 0.2), rain_flood(300.0, 0.3, "rain-2", 4.0)
    around = look_around(own, (), [own, other], 0.15)
    assert around.nearness[:6].tolist() == pytest.approx([0, 0, 0, 0, 0, np.exp(-1.0)])
    assert around.crossed[:11].tolist() == [0] * 10 + [1]
    assert float(around.near_peak_m[7]) == pytest.approx(0.06)


def test_tidal_and_other_sites_do_not_speak_for_each_other() -> None:
    own = rain_flood(0.0, 0.2)
    tide = tidal_flood(0, 0.3)
    assert not look_around(own, (), [tide], 0.15).nearness.any()


def test_site_mean_peak_is_drawn_to_a_tenth() -> None:
    past = [rain_flood(0.0, 0.4), rain_flood(9e4, 0.2)]
    assert look_around(rain_flood(2e5, 0.1), past, (), 0.15).site_mean_peak_m == pytest.approx((0.4 + 0.2 + 0.3) / 5)


def test_the_past_of_the_site_tells_how_far_it_goes_on() -> None:
    around = look_around(rain_flood(2e5, 0.4), [rain_flood(0.0, 0.4)], (), 0.15)
    assert float(around.site_rise_m[4]) == pytest.approx(0.4 - 0.16, abs=1e-6)


def test_trend_term_by_hand() -> None:
    """2 cm per 10 min, 5 cm missing, 30 min: log((0.06 + 0.004) / (0.05 + 0.005))."""
    track = rain_flood(0.0, 0.02)
    around = look_around(track, (), (), 0.07)
    terms = trend_terms(track, describe(track, around, None), around, 0.07, 1800.0)
    missing = 0.07 - 0.01 + 0.005
    assert float(terms[5, 1]) == pytest.approx(np.log(0.064 / missing))


def test_refit_finds_the_rate_and_stays_near_what_it_is_held_to() -> None:
    terms, crossed = np.ones((2000, 1)), np.repeat([1.0, 0.0], [500, 1500])
    start = np.zeros(1)
    assert float(trend_probability(terms[:1], refit(terms, crossed, start, start))[0]) == pytest.approx(0.25, abs=0.005)
    few = refit(terms[:1], crossed[:1], start, start)
    assert 0.0 < float(few[0]) < 3.0


def test_the_share_of_members_is_the_probability_and_members_are_named() -> None:
    """Of 4 identical past rain floods at the same moment, each still rises as it did; the trend has its say too."""
    past = [rain_flood(1e5 * k, 0.3, f"site-{k}") for k in range(4)]
    states = [describe(one, look_around(one, (), (), 0.15), None) for one in past]
    library = Library([remember(t, m, 1800.0, RAIN_TUNING) for t, m in zip(past, states, strict=True)], RAIN_TUNING)
    now = rain_flood(9e5, 0.3, "now")
    moments = describe(now, look_around(now, (), (), 0.15), None)
    rows = np.array([3], dtype=np.int64)
    sure = library.probability(moments, rows, np.array([0.001]), np.array([1.0]))
    never = library.probability(moments, rows, np.array([5.0]), np.array([0.0]))
    assert float(sure[0]) > 0.95
    assert float(never[0]) == 0.0
    members = library.members(now, moments, 3)
    assert {member.sensor_id for member in members[:4]} == {"site-0", "site-1", "site-2", "site-3"}
    assert sum(member.weight for member in members) == pytest.approx(1.0)
    assert members[0].foreseen_m == pytest.approx(0.3, abs=0.01)


def test_without_a_past_the_trend_speaks_alone() -> None:
    now = rain_flood(0.0, 0.3)
    moments = describe(now, look_around(now, (), (), 0.15), None)
    empty = Library((), RAIN_TUNING)
    assert empty.probability(moments, np.array([2], dtype=np.int64), np.array([0.1]), np.array([0.4])).tolist() == [0.4]
    assert empty.members(now, moments, 2) == []


def test_refit_does_not_overshoot_from_a_bad_start() -> None:
    """From -12, where a full Newton step is 150 wide, it still comes to the share that crossed: one half."""
    terms, crossed = np.ones((1000, 1)), np.tile([1.0, 0.0], 500)
    fitted = refit(terms, crossed, np.array([-12.0]), np.zeros(1))
    assert float(trend_probability(terms[:1], fitted)[0]) == pytest.approx(0.5, abs=0.01)
