from __future__ import annotations

import numpy as np
import pytest

from risk.nowcast.tide import LEAST_PEAKS, LUNAR_RAD_S, fit_tide_clock, tidal_rise_m
from tests.unit.risk_nowcast.floods import rain_flood, tidal_flood


def test_rise_to_high_water_by_hand() -> None:
    hour_before = np.array([2 * np.pi / 12.4206012])
    assert tidal_rise_m(np.array([0.05 / 600.0]), hour_before) == pytest.approx(np.array([0.153]), abs=0.001)


def test_nothing_rises_after_high_water_or_on_a_falling_tide_and_unknown_stays_unknown() -> None:
    rise = tidal_rise_m(np.array([1e-4, -1e-4, 1e-4]), np.array([-0.5, 0.5, np.nan]))
    assert rise[:2].tolist() == [0.0, 0.0]
    assert np.isnan(rise[2])


def test_the_clock_finds_the_next_high_water_from_past_peaks() -> None:
    clock = fit_tide_clock([tidal_flood(2 * k, 0.1 + 0.01 * (k % 7)) for k in range(20)])
    assert clock is not None
    coming = tidal_flood(41, 0.25)
    left_min = clock.to_high_water_rad(coming) / LUNAR_RAD_S / 60.0
    assert float(left_min[0]) == pytest.approx((coming.peak_at_s() - coming.started_at_s) / 60.0, abs=4.0)
    assert float(left_min[-1]) < 0.0


def test_a_new_site_borrows_the_delay_of_its_neighbour() -> None:
    clock = fit_tide_clock([tidal_flood(2 * k, 0.15) for k in range(20)])
    assert clock is not None
    stranger = tidal_flood(41, 0.25, "tide-9", 1.0)
    expected_min = (stranger.peak_at_s() - stranger.started_at_s) / 60.0
    assert float(clock.to_high_water_rad(stranger)[0] / LUNAR_RAD_S / 60.0) == pytest.approx(expected_min, abs=4.0)


def test_no_clock_from_too_few_peaks_or_from_rain() -> None:
    assert fit_tide_clock([tidal_flood(2 * k, 0.15) for k in range(LEAST_PEAKS - 1)]) is None
    assert fit_tide_clock([rain_flood(1e5 * k, 0.3) for k in range(30)]) is None
