"""What a reason may say: it meets the limit it quotes, explains its level, and names a sensor that spoke."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from risk.reasons import AT_MOST
from tests.unit.risk.builders import Crank, guarded, site

OPEN, DEPLOYED = 0.0, 3.0


def guarded_crank(kind: str = "metro_entrance", **extra: Any) -> Crank:
    """A metro entrance with its crest at 30 cm: outside 15 cm is yellow, 25 cm or more orange, 50 cm red."""
    return Crank(site(guarded("s", kind, **extra)))


def said(crank: Crank) -> list[dict[str, Any]]:
    """Every reason of every event and assessment."""
    events = [reason for output in crank.outputs for event in output.events for reason in event.reasons]
    shown = [reason for output in crank.outputs for entry in output.assessments for reason in entry.reasons]
    alarms = [reason for output in crank.outputs for alarm in output.alarms for reason in alarm.reasons]
    return events + shown + alarms


def play(crank: Crank, depths: list[float], barrier: float = OPEN) -> list[int]:
    """Give the outside a depth a minute, two ticks of inside readings between; return the alarm's severity."""
    shown = []
    for minute, depth in enumerate(depths):
        crank.tick(minute, ("s-out:water_depth_m", minute, depth), ("s-out:barrier_state", minute, barrier))
        for part in (0.3, 0.6):
            crank.tick(minute + part, ("s-in:water_depth_m", minute + part, 0.0))
        shown.append(int(crank.engine.state.alarm_severity[0]))
    return shown


@pytest.mark.parametrize("spike", [0.26, 0.28, 0.34])
def test_one_orange_sample_beside_an_open_barrier_is_not_red(spike: float) -> None:
    assert max(play(guarded_crank(), [0.0] * 6 + [spike] + [0.0] * 6)) < 4


def test_two_of_three_orange_samples_beside_an_open_barrier_are_red() -> None:
    assert play(guarded_crank(), [0.0, 0.0, 0.26, 0.26])[-1] == 4
    assert play(guarded_crank(), [0.0, 0.0, 0.26, 0.0, 0.26])[-1] == 4
    assert max(play(guarded_crank(), [0.0, 0.0, 0.26, 0.26], DEPLOYED)) < 4


def test_one_sample_over_a_red_threshold_is_red() -> None:
    crank = guarded_crank()
    assert play(crank, [0.0, 0.51]) == [0, 4]


def test_one_orange_sample_and_then_silence_in_rain_is_red() -> None:
    crank = guarded_crank()
    crank.tick(
        0, ("s-out:water_depth_m", 0, 0.26), ("s-out:barrier_state", 0, DEPLOYED), ("s-in:water_depth_m", 0, 0.0)
    )
    for minute in range(1, 40):
        crank.tick(minute, ("rain-1:rain_total_mm", minute, 0.5 * minute), ("s-in:water_depth_m", minute, 0.0))
    assert crank.engine.state.alarm_severity[0] >= 3


@pytest.mark.parametrize(
    ("depths", "base"),
    [
        ([0.0, 0.10, 0.20, 0.28, 0.31, 0.32, 0.32], {"rise-rate"}),
        ([0.20] * 12 + [0.26] * 3, {"freeboard", "outside-head"}),
        ([0.20] * 12 + [0.25, 0.26, 0.31, 0.31], {"freeboard", "outside-head"}),
    ],
)
def test_red_by_one_level_up_can_be_derived_from_its_reasons(depths: list[float], base: set[str]) -> None:
    crank = guarded_crank()
    play(crank, depths)
    red = [event for output in crank.outputs for event in output.events if event.severity == 4]
    red = [event for event in red if event.kind != "reason_added"]
    assert red
    for event in red:
        step = next(reason for reason in event.reasons if reason["rule"] == "barrier-not-deployed")
        assert "open: raises orange to red; water" in step["text_en"]
        assert "由橙色升为红色" in step["text_zh"]
        assert "(limit: 15 cm below the crest); " in step["text_en"]
        assert "before the water reaches" in step["text_en"]
        assert step["value"] <= step["threshold"] == 0.15
        assert any(r["severity"] == 3 and r["rule"] in base for r in event.reasons), event


RISE_AND_FALL = [0.012 * minute for minute in range(30)] + [0.36 - 0.02 * minute for minute in range(18)] + [0.0] * 16


@pytest.mark.parametrize("kind", ["metro_entrance", "mall", "car_park"])
@pytest.mark.parametrize("barrier", [OPEN, DEPLOYED])
def test_every_reason_meets_the_limit_it_quotes_and_was_seen(kind: str, barrier: float) -> None:
    crank = guarded_crank(kind, crest=0.25)
    play(crank, RISE_AND_FALL, barrier)
    reasons = said(crank)
    expected = {"rise-rate"} if barrier else {"freeboard", "time-to-orange"}
    assert expected <= {reason["rule"] for reason in reasons}
    for reason in reasons:
        if reason["rule"] != "blind":
            assert reason["observed_at"] is not None, reason
        if reason["threshold"] is not None:
            pair = (reason["value"], reason["threshold"])
            assert (pair[0] <= pair[1]) if reason["rule"] in AT_MOST else (pair[0] >= pair[1]), reason


@pytest.mark.parametrize("kind", ["metro_entrance", "mall", "car_park"])
def test_every_alarm_has_a_reason_of_its_own_severity(kind: str) -> None:
    crank = guarded_crank(kind, crest=0.25)
    play(crank, RISE_AND_FALL)
    for event in (event for output in crank.outputs for event in output.events if event.kind != "cleared"):
        assert event.kind == "reason_added" or max(r["severity"] for r in event.reasons) == event.severity, event


def test_a_forecast_names_the_sensor_that_drives_it() -> None:
    # The inside sensor never speaks; the outside rises 1.2 cm/min from dry.
    crank = guarded_crank(crest=0.30)
    for minute in range(20):
        crank.tick(minute, ("s-out:water_depth_m", minute, 0.012 * minute), ("s-out:barrier_state", minute, DEPLOYED))
    crank.tick(20, ("s-out:water_depth_m", 20, 0.24), ("s-out:barrier_state", 20, OPEN))
    forecasts = [reason for reason in said(crank) if reason["rule"].startswith("time-to-")]
    assert forecasts
    assert {reason["sensor"] for reason in forecasts} == {"s-out:water_depth_m"}


def test_a_forecast_by_filling_names_the_outside_that_fills_it() -> None:
    # Outside stands 20 cm over an open crest and falls a little; the inside, small, has a sensor that never speaks.
    small = guarded("s", "car_park") | {"storage": [{"depth_m": 0.0, "area_m2": 400.0}]}
    crank = Crank(site(small))
    for minute in range(6):
        crank.tick(minute, ("s-out:water_depth_m", minute, 0.50 - 0.001 * minute))
    forecasts = [reason for reason in said(crank) if reason["rule"] == "time-to-red"]
    assert forecasts
    assert {reason["sensor"] for reason in forecasts} == {"s-out:water_depth_m"}
    assert all(reason["observed_at"] for reason in forecasts)


def test_no_time_to_a_level_that_is_reached() -> None:
    crank = guarded_crank()
    play(crank, [0.012 * minute for minute in range(30)])
    shown = [entry for output in crank.outputs for entry in output.assessments]
    assert {entry.level for entry in shown} >= {3, 4}
    for entry in shown:
        assert entry.level < 4 or entry.evidence["time_to_red_min"] is None
        assert entry.level < 3 or entry.evidence["time_to_orange_min"] is None
    levels = [entry.level for entry in shown]
    assert all(before <= after for before, after in pairwise(levels))
