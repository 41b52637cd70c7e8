"""Volumes worked by hand from the area of the rows."""

from __future__ import annotations

import math

import numpy as np
import pytest

from risk.hydraulics import StorageCurve

RAMP = StorageCurve.from_rows([(2.0, 30.0), (0.0, 10.0)])


@pytest.mark.parametrize(("depth_m", "volume_m3"), [(-1.0, 0.0), (0.0, 0.0), (1.0, 15.0), (2.0, 40.0), (3.0, 70.0)])
def test_volume_and_back(depth_m: float, volume_m3: float) -> None:
    assert float(RAMP.volume_at_m3(depth_m)) == pytest.approx(volume_m3)
    assert float(RAMP.depth_at_m(volume_m3)) == pytest.approx(max(0.0, depth_m))


def test_one_row_is_a_box() -> None:
    box = StorageCurve.from_rows([(0.0, 2000.0)])
    assert box.volume_at_m3([0.15, 0.3]) == pytest.approx(np.array([300.0, 600.0]))
    assert float(box.depth_at_m(1000.0)) == pytest.approx(0.5)


def test_a_first_row_above_the_floor_holds_down_to_it() -> None:
    assert float(StorageCurve.from_rows([(0.5, 100.0)]).volume_at_m3(0.2)) == pytest.approx(20.0)


def test_unknown_depth_is_an_unknown_volume() -> None:
    assert math.isnan(float(RAMP.volume_at_m3(math.nan)))
    assert math.isnan(float(RAMP.depth_at_m(math.nan)))


@pytest.mark.parametrize(
    ("rows", "word"),
    [
        ([(0.0, 10.0), (0.0, 20.0)], "rise"),
        ([(-0.1, 10.0)], "start at 0"),
        ([(0.0, 0.0)], "area_m2"),
        ([(0.0, math.nan)], "finite"),
    ],
)
def test_impossible_tables_are_refused(rows: list[tuple[float, float]], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        StorageCurve.from_rows(rows)


def test_negative_volume_is_refused() -> None:
    with pytest.raises(ValueError, match="volume_m3"):
        RAMP.depth_at_m(-1.0)
