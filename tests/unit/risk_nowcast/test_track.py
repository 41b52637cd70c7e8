from __future__ import annotations

import math

import numpy as np
import pytest

from risk.nowcast.track import Track, window_slope


def track(time_s: list[float], depth_m: list[float]) -> Track:
    return Track("a", 1000.0, np.array(time_s), np.array(depth_m), 0.0, 0.0, tidal=False)


def test_slope_by_hand() -> None:
    slope = window_slope(np.array([0.0, 60.0, 120.0]), np.array([0.0, 0.06, 0.06]), 600.0)
    assert slope == pytest.approx(np.array([0.0, 0.001, 0.0005]))


def test_slope_forgets_what_lies_outside_the_window() -> None:
    slope = window_slope(np.array([0.0, 60.0, 120.0]), np.array([0.5, 0.0, 0.06]), 60.0)
    assert float(slope[2]) == pytest.approx(0.001)


def test_slope_of_a_repeated_time_is_none() -> None:
    assert window_slope(np.array([0.0, 0.0]), np.array([0.1, 0.2]), 60.0).tolist() == [0.0, 0.0]


def test_crossing_and_what_comes_before() -> None:
    one = track([0, 60, 120, 180], [0.0, 0.10, 0.15, 0.05])
    assert one.crossing_s(0.15) == 120.0
    assert one.before_crossing(0.15).tolist() == [True, True, False, False]
    assert math.isnan(one.crossing_s(0.16))


def test_rise_ahead_looks_no_further_than_the_horizon() -> None:
    one = track([0, 60, 120, 180], [0.0, 0.10, 0.15, 0.05])
    assert one.rise_ahead_m(60.0) == pytest.approx(np.array([0.10, 0.05, 0.0, 0.0]))
    assert one.rise_ahead_m(120.0) == pytest.approx(np.array([0.15, 0.05, 0.0, 0.0]))


def test_peak_is_the_middle_of_its_top() -> None:
    assert track([0, 60, 120, 180], [0.0, 0.2, 0.2, 0.0]).peak_at_s() == 1090.0


@pytest.mark.parametrize(
    ("time_s", "depth_m", "word"),
    [
        ([], [], "at least 1"),
        ([0.0], [0.0, 1.0], "equal"),
        ([60.0, 0.0], [0.0, 0.0], "fall"),
        ([0.0], [math.nan], "finite"),
    ],
)
def test_impossible_tracks_are_refused(time_s: list[float], depth_m: list[float], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        track(time_s, depth_m)
