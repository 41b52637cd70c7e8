"""Rain that an import took a space's gauge from: it counts in the score, and ends by a whole measured hour."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.risk.builders import Crank, Reading, gauge, site
from tests.unit.risk.test_left import IN, OUT, Place, garage, rainy


def rain_factor(crank: Crank) -> tuple[float, float]:
    """Return the rain's part in the last written score of the space: how full, and points."""
    (entry,) = [one for one in crank.outputs[-1].assessments if one.space_id == "gar"]
    (found,) = [one for one in entry.contributions["factors"] if one["factor"] == "rain"]
    return found["x"], found["points"]


def test_kept_rain_counts_in_the_score() -> None:
    """35 mm in 10 min, 3.5 mm each minute; then the space is of a basin that has no gauge."""
    place = Place(site(garage(), gauges=[gauge()]))
    place.go(40, mm=3.5, out=0.0, ins=0.0)
    while not place.outputs[-1].assessments:
        place.go(1, mm=3.5, out=0.0, ins=0.0)
    full, points = rain_factor(place)
    assert full > 0.9
    place.take(site(garage(basin="b2"), gauges=[gauge()]))
    place.go(1, out=0.0, ins=0.0)
    assert rain_factor(place)[0] == full
    assert rain_factor(place)[1] == pytest.approx(points, rel=0.05)


def said(place: Place, first: int, last: int, *rain: Reading) -> tuple[int, int]:
    """Go on dry from one minute to another, with some words of gauges; return what is shown then."""
    for minute in range(first, last + 1):
        dry: list[Reading] = [(OUT, minute, 0.0), (IN, minute, 0.0)]
        place.tick(minute, *dry, *(one for one in rain if one[1] == minute))
    return place.shown


def another(quantity: str) -> dict[str, Any]:
    found = gauge("other")
    found["devices"][0]["sensors"] = [{"quantity": quantity}]
    return found


def test_the_first_word_of_a_counter_has_measured_nothing() -> None:
    """It says 0 at minute 96, 66 min after the rain, and at 156: then it has measured an hour."""
    place = rainy()
    place.take(site(garage(), gauges=[gauge("other")]))
    word = "other:rain_total_mm"
    assert said(place, 30, 120, (word, 96, 500.0)) == (3, 3)
    assert said(place, 121, 155, (word, 125, 500.0)) == (3, 3)
    assert said(place, 156, 175, (word, 156, 500.0), (word, 166, 500.0)) == (0, 0)


@pytest.mark.parametrize(("quantity", "ends"), [("rain_depth_mm", False), ("rain_total_mm", True)])
def test_two_words_an_hour_apart_are_an_hour_for_a_counter_alone(quantity: str, ends: bool) -> None:
    place = rainy()
    place.take(site(garage(), gauges=[another(quantity)]))
    word = f"other:{quantity}"
    shown = said(place, 30, 130, (word, 40, 0.0), (word, 101, 0.0), (word, 112, 0.0), (word, 123, 0.0))
    assert shown == ((0, 0) if ends else (3, 3))


def test_depths_each_ten_minutes_are_an_hour() -> None:
    place = rainy()
    place.take(site(garage(), gauges=[another("rain_depth_mm")]))
    words: list[Reading] = [("other:rain_depth_mm", minute, 0.0) for minute in range(40, 131, 10)]
    assert said(place, 30, 130, *words) == (0, 0)
