"""A rain depth fell within the period that it states: neither before it, nor twice."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.risk.builders import Crank, gauge, site, underpass

KEY = "rain-1:rain_depth_mm"


def cranked(period_s: float | None) -> Crank:
    of = gauge()
    sensor: dict[str, Any] = of["devices"][0]["sensors"][0]
    sensor["quantity"] = "rain_depth_mm"
    if period_s is not None:
        sensor["period_s"] = period_s
    return Crank(site(underpass(), gauges=[of]), nowcast=False)


def fell_mm(crank: Crank) -> list[float]:
    """In 5, 10 and 60 minutes."""
    shown: list[float] = crank.engine.state.acc_mm[0].tolist()
    return [round(depth, 6) for depth in shown]


@pytest.mark.parametrize(("period_s", "expected_mm"), [(300.0, [20.0, 20.0, 20.0]), (None, [1.666667, 3.333333, 20.0])])
def test_rain_after_a_dry_hour_fell_in_its_five_minutes(period_s: float | None, expected_mm: list[float]) -> None:
    """Without a period stated it is spread over the hour since the word before: 20 / 12 and 20 / 6."""
    crank = cranked(period_s)
    crank.tick(0, (KEY, 0, 0.0))
    crank.tick(60, (KEY, 60, 20.0))
    assert fell_mm(crank) == expected_mm


def test_sums_that_overlap_count_once() -> None:
    """0.5 mm a minute, told as 2.5 mm in five minutes each minute: 2.5 and 5 mm in 5 and 10 min."""
    crank = cranked(300.0)
    for minute in range(31):
        crank.tick(minute, (KEY, minute, 2.5))
    assert fell_mm(crank)[:2] == [2.5, 5.0]
    assert crank.engine.state.total_mm.tolist() == pytest.approx([2.5 + 30 * 0.5])


def test_rain_that_grows_within_its_period_is_seen_at_once() -> None:
    """Dry, then 4 mm in a minute: the sum of five minutes is 4 mm as long as that minute is in it, and then 0."""
    crank = cranked(300.0)
    for minute, said_mm in enumerate([0.0] * 10 + [4.0] * 5 + [0.0] * 3):
        crank.tick(minute, (KEY, minute, said_mm))
    assert crank.engine.state.total_mm.tolist() == pytest.approx([4.0])


def test_more_than_ever_fell_in_its_period_cannot_be() -> None:
    """100 mm in an hour fell before; not in a minute, however long the gauge was silent."""
    crank = cranked(60.0)
    crank.tick(0, (KEY, 0, 0.0))
    crank.tick(60, (KEY, 60, 100.0))
    assert crank.engine.state.total_mm.tolist() == [0.0]


def test_a_doubtful_sum_counts_beside_the_good_ones() -> None:
    crank = cranked(300.0)
    for minute, said_mm, quality in ((0, 0.0, 1), (5, 3.0, 3), (10, 2.0, 1)):
        crank.tick(minute, (KEY, minute, said_mm, quality))
    assert crank.engine.state.total_mm.tolist() == [5.0]
    assert crank.engine.state.sure_total_mm.tolist() == [2.0]
