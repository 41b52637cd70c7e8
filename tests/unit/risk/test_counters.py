"""Rain counters that fall, jump, restart and are changed: what counts as rain, and what as nothing."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.risk.builders import Crank, gauge, site, underpass
from undercroft.rain_counter import most_mm

KEY = "rain-1:rain_total_mm"


def fallen(*readings: tuple[float, float]) -> float:
    """Return the rain that a counter's good readings (minute, value) make. [mm]"""
    crank = Crank(site(underpass()))
    for minute, value in readings:
        crank.tick(minute, (KEY, minute, value))
    assert crank.engine.state.total_mm.tolist() == crank.engine.state.sure_total_mm.tolist()
    return float(crank.engine.state.total_mm[0])


@pytest.mark.parametrize(
    ("readings", "expected_mm"),
    [
        ([(0, 300.0), (1, 296.0), (2, 296.5)], 0.5),  # the unit restored what it had saved
        ([(0, 300.0), (10, 296.0), (20, 297.0)], 1.0),
        ([(0, 300.0), (1, 250.0), (2, 250.5)], 0.5),  # 250 mm in a minute: no restart
        ([(0, 300.0), (1, 2.0), (2, 3.0)], 3.0),  # began anew
        ([(0, 3.0), (1, 1.0), (2, 2.0)], 2.0),  # shows less than it fell by: began anew
        ([(0, 300.0), (1, 5000.0), (2, 5000.5)], 0.5),  # the gauge was changed
        ([(0, 300.0), (1, 5000.0), (2, 300.5)], 0.5),  # one reading was wrong
        ([(0, 300.0), (1, 0.0), (2, 300.5), (3, 301.0)], 1.0),  # so was this one
        ([(0, 300.0), (10, 0.0), (20, 301.0), (30, 302.0)], 2.0),
        ([(0, 300.0), (10, 0.0), (11, 335.0), (12, 336.0), (13, 337.0)], 37.0),  # 35 mm fell beside a reboot's 0
        ([(0, 300.0), (10, 9999.0), (11, 335.0), (12, 336.0), (13, 337.0)], 37.0),  # or beside nonsense
        ([(0, 300.0), (10, 0.0), (11, 0.0), (12, 335.0), (13, 336.0)], 36.0),  # twice
        ([(0, 300.0), (10, 9999.0), (11, 9999.0), (12, 335.0)], 35.0),
        ([(0, 300.0), (60, 0.0), (61, 400.0)], 100.0),  # 100 mm in an hour
        ([(0, 300.0), (60, 9999.0), (61, 400.0)], 100.0),
        ([(0, 300.0), (60, 9999.0), (120, 10020.0)], 21.0),  # the gauge was changed
        ([(0, 300.0), (10, 339.7)], 39.7),  # Shenzhen, 2019-04-11
        ([(0, 300.0), (42, 605.0)], 305.0),  # Holt, Missouri, 1947
    ],
)
def test_a_counter_adds_what_can_have_fallen(readings: list[tuple[float, float]], expected_mm: float) -> None:
    assert fallen(*readings) == pytest.approx(expected_mm)


def test_the_most_that_can_fall_is_a_record() -> None:
    minutes = np.array([0, 1, 5, 30, 60, 120]) * 60_000_000
    assert most_mm(minutes).tolist() == pytest.approx([31.2, 31.2, 156.0, 305.0, 305.0, 610.0])


@pytest.mark.parametrize("shown", [296.0, 5000.0])
def test_a_gauge_that_is_changed_or_restored_alarms_nobody(shown: float) -> None:
    crank = Crank(site(underpass()))
    for minute in range(30):
        crank.tick(minute, (KEY, minute, 300.0 if minute < 10 else shown), ("up-lvl:water_depth_m", minute, 0.0))
    assert crank.levels["up"] == 0
    assert crank.events() == []


def test_nonsense_after_a_cloudburst_clears_nothing_and_hides_no_rain() -> None:
    crank = Crank(site(underpass(), gauges=[gauge(), gauge("rain-2")]))
    for minute in range(13):
        crank.tick(minute, (KEY, minute, 3.0 * minute), ("up-lvl:water_depth_m", minute, 0.0))
    assert crank.levels["up"] == 3, "30 mm in 10 min"
    for minute in range(13, 60):  # each reading a thousand from the one before
        wrong = 5000.0 + 1000.0 * (minute % 2) * minute
        crank.tick(minute, (KEY, minute, wrong), ("up-lvl:water_depth_m", minute, 0.0))
    assert crank.levels["up"] == 3
    assert "cleared" not in {kind for kind, _ in crank.events("space/up")}
    crank.tick(60, (KEY, 60, 41.0), ("rain-2:rain_total_mm", 60, 0.0))
    crank.tick(61, (KEY, 61, 44.0), ("rain-2:rain_total_mm", 61, 0.0))
    assert crank.engine.state.total_mm[0] == pytest.approx(44.0)


def rainy_level(*readings: tuple[float, float]) -> int:
    crank = Crank(site(underpass()), nowcast=False)
    for minute, value in readings:
        crank.tick(minute, (KEY, minute, value), ("up-lvl:water_depth_m", minute, 0.0))
    return crank.levels["up"]


@pytest.mark.parametrize("nonsense", [0.0, 9999.0])
def test_rain_beside_a_word_that_cannot_be_raises_all_the_same(nonsense: float) -> None:
    """35 mm in 10 min is orange; so it is where one word between is nonsense."""
    assert rainy_level((0, 300.0), (10, 335.0)) == 3
    assert rainy_level((0, 300.0), (10, nonsense), (11, 335.0)) == 3


@pytest.mark.parametrize("quantity", ["rain_depth_mm", "rain_intensity_mm_h"])
def test_nonsense_between_two_readings_takes_no_time_from_the_rain(quantity: str) -> None:
    """60 mm/h, or 5 mm, every 5 min: 10 mm in 10 min, also where the middle word cannot be."""
    of = gauge()
    of["devices"][0]["sensors"][0]["quantity"] = quantity
    said = {"rain_depth_mm": (5.0, 400.0, 5.0), "rain_intensity_mm_h": (60.0, 9999.0, 60.0)}[quantity]
    crank = Crank(site(underpass(), gauges=[of]))
    for minute, value in zip((0, 5, 10), said, strict=True):
        crank.tick(minute, (f"rain-1:{quantity}", minute, value))
    expected_mm = {"rain_depth_mm": 10.0, "rain_intensity_mm_h": 10.0}[quantity]
    assert crank.engine.state.total_mm.tolist() == [expected_mm]


def test_a_gauge_that_says_only_what_cannot_be_is_as_good_as_silent() -> None:
    """A counter that grows by a metre each minute, or says nothing, as the only level sensor dies at minute 70."""
    shown = []
    for nonsense in (False, True):
        crank = Crank(site(underpass()), nowcast=False)
        for minute in range(130):
            rain = [(KEY, minute, 1000.0 * minute)] if nonsense or minute < 1 else []
            level = [("up-lvl:water_depth_m", minute, 0.0)] if minute < 70 else []
            crank.tick(minute, *rain, *level)
        shown.append((crank.levels["up"], bool(crank.engine.state.blind[0]), crank.events("space/up")))
    assert shown[0] == shown[1]
    assert shown[0][:2] == (2, True)


def test_one_reading_of_a_minute_cannot_be_four_hundred_millimetres() -> None:
    of = gauge()
    of["devices"][0]["sensors"][0]["quantity"] = "rain_depth_mm"
    crank = Crank(site(underpass(), gauges=[of]))
    for minute, depth in enumerate([0.5, 400.0, 0.5]):
        crank.tick(minute, ("rain-1:rain_depth_mm", minute, depth))
    assert crank.engine.state.total_mm.tolist() == [1.0]


def test_a_changed_gauge_whose_first_reading_ingest_flagged_counts_from_its_third() -> None:
    """By hand: 300.0, then 5000.0 (suspect), 5000.5 and 5002.0: 1.5 mm."""
    crank = Crank(site(underpass()))
    for minute, value, quality in ((0, 300.0, 1), (1, 5000.0, 3), (2, 5000.5, 1), (3, 5002.0, 1)):
        crank.tick(minute, (KEY, minute, value, quality))
    assert crank.engine.state.total_mm.tolist() == crank.engine.state.sure_total_mm.tolist() == [1.5]
