"""Storms against the tables of the domain note, sections 3.1 and 4."""

from __future__ import annotations

import pytest

from simulators.rain import Storm, chicago_storm, depth_shenzhen_2015_mm, nested_storm
from simulators.scenario_file import load_scenario

MAXIMA_2023 = ((1, 116.8), (2, 195.8), (3, 246.8), (6, 355.2), (12, 465.5), (24, 559.6))

TABLE_3_1 = {
    5: (11.0, 13.2, 14.8, 16.5, 18.7, 20.3),
    10: (18.9, 22.6, 25.5, 28.4, 32.2, 35.0),
    30: (39.1, 47.0, 52.9, 58.8, 66.7, 72.6),
    60: (57.7, 69.3, 78.0, 86.8, 98.4, 107.1),
    120: (82.2, 98.7, 111, 124, 140, 153),
    180: (100, 120, 135, 150, 171, 186),
}
RETURN_PERIODS = (2, 5, 10, 20, 50, 100)


@pytest.mark.parametrize("minutes", TABLE_3_1)
def test_formula_gives_the_table(minutes: int) -> None:
    found = [depth_shenzhen_2015_mm(minutes, years) for years in RETURN_PERIODS]
    assert found == pytest.approx(TABLE_3_1[minutes], abs=0.06 if minutes < 120 else 0.6)


def test_chicago_storm_brings_the_depth_of_its_duration() -> None:
    storm = chicago_storm(50, 120)
    assert storm.total_mm == pytest.approx(140.1, abs=0.1)
    assert storm.most_mm(120) == pytest.approx(140.1, abs=0.1)


def test_chicago_peak_lies_where_the_ratio_says() -> None:
    # 0.35 of 120 min is minute 42: in the row from 40 to 45.
    assert chicago_storm(50, 120).peak_min == 42
    assert chicago_storm(50, 120, peak_ratio=0.8).peak_min > 90


def test_chicago_windows_around_the_peak_hold_the_formula_depth() -> None:
    # With the peak on a row's edge, the worst t minutes are t * r before it and t * (1 - r) after it.
    storm = chicago_storm(10, 120, peak_ratio=0.5)
    for minutes in (10, 30, 60, 120):
        assert storm.most_mm(minutes) == pytest.approx(depth_shenzhen_2015_mm(minutes, 10), rel=1e-9)


def test_chicago_refuses_a_peak_outside() -> None:
    with pytest.raises(ValueError, match="peak"):
        chicago_storm(10, 120, peak_ratio=1.0)


def test_envelope_has_every_published_maximum() -> None:
    rain = load_scenario("shenzhen-2023-09-07-envelope").rain()
    assert rain.total_mm == pytest.approx(559.6)
    for hours, depth_mm in MAXIMA_2023:
        assert rain.most_mm(hours * 60) == pytest.approx(depth_mm, abs=0.001)


def test_futian_storm_brings_its_mean_in_thirteen_hours() -> None:
    rain = load_scenario("shenzhen-2023-09-07").rain()
    assert rain.total_mm == pytest.approx(263.8)
    assert len(rain.rates_mm_h) == 13 * 12
    assert rain.start_min == 5 * 60  # the run starts at 12:00, the rain at 17:00
    # Depth of 13 h of the envelope by hand: 465.5 + (559.6 - 465.5) / 12 = 473.34; 116.8 * 263.8 / 473.34 = 65.09.
    assert rain.most_mm(60) == pytest.approx(65.09, abs=0.01)


def test_rain_falls_where_the_scenario_says() -> None:
    scenario = load_scenario("shenzhen-2023-09-07")
    minutes = scenario.rain().minute_rates_mm_h(scenario.minutes)
    assert minutes.size == 1440
    assert minutes[: 5 * 60].max() == 0.0
    assert minutes[5 * 60] > 0.0
    assert minutes[18 * 60 - 1] > 0.0
    assert minutes[18 * 60 :].max() == 0.0
    assert minutes.sum() / 60 == pytest.approx(263.8)


def test_nested_storm_has_one_peak() -> None:
    rates = nested_storm(MAXIMA_2023, hours=24, start_min=0, peak_min=630).rates_mm_h
    peak = rates.index(max(rates))
    assert list(rates[: peak + 1]) == sorted(rates[: peak + 1])
    assert list(rates[peak:]) == sorted(rates[peak:], reverse=True)


def test_peak_at_the_very_start_and_end_still_places_every_row() -> None:
    for peak_min in (0, 24 * 60 - 5):
        storm = nested_storm(MAXIMA_2023, hours=24, start_min=0, peak_min=peak_min)
        assert storm.total_mm == pytest.approx(559.6)
        assert storm.most_mm(60) == pytest.approx(116.8)


def test_dry_day_has_no_rain() -> None:
    rain = load_scenario("dry-day").rain()
    assert rain == Storm(0, ())
    assert rain.total_mm == 0.0
    assert rain.most_mm(60) == 0.0


def test_cut_keeps_what_falls_before() -> None:
    storm = Storm(10, (12.0, 24.0, 36.0))
    assert storm.cut(20).rates_mm_h == (12.0, 24.0)
    assert storm.cut(21).rates_mm_h == (12.0, 24.0, 36.0)
    assert storm.cut(5).rates_mm_h == ()
