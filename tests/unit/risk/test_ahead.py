"""What lies ahead, by the ensemble: worked by hand where it can be; it brings a forecast forward, never back."""

from __future__ import annotations

from typing import Any

import pytest

from risk.engine import question
from risk.explained import explained
from tests.unit.risk.builders import Crank, depth_sensor, device, guarded, site, space, underpass


def ahead(crank: Crank, name: str) -> Any:
    return next(
        entry.evidence["ahead"]
        for output in reversed(crank.outputs)
        for entry in output.assessments
        if entry.space_id == name
    )


def filled(barrier: float | None, depth: float, state: float = 0.0) -> Any:
    crank = Crank(site(guarded("s", "car_park", barrier=barrier)))
    for minute in (0, 5, 10):
        crank.tick(
            minute,
            ("s-out:water_depth_m", minute, depth),
            ("s-out:barrier_state", minute, state),
            ("s-in:water_depth_m", minute, 0.0),
        )
    return ahead(crank, "s")


def test_dry_space_has_nothing_ahead() -> None:
    crank = Crank(site(underpass()))
    crank.tick(0, ("up-lvl:water_depth_m", 0, 0.0))
    assert ahead(crank, "up") is None


def test_steady_street_over_an_open_ramp_fills_in_the_minutes_worked_by_hand() -> None:
    """50 cm outside, crest 30 cm: 0.152 m²/s x 4 m = 0.608 m³/s on 2000 m²: 15 cm, 300 m³, in 8.2 min."""
    told = filled(None, 0.5)
    assert told["red"]["likely_min"] == pytest.approx(8.2, abs=0.1)
    assert told["red"]["members_15"] == 1.0
    assert told["orange"]["within_15"] == 1.0
    assert told["orange"]["likely_min"] == 0.0, "water over an open crest is orange already"
    assert told["order"] == "none"


def test_an_unheard_barrier_leaves_no_probability_where_it_alone_decides() -> None:
    """50 cm over a crest of 30 cm: open, it is orange; closed, 90 cm hold. Silent, so neither can be said."""
    told = {said: filled(0.6, 0.5, state=said)["orange"] for said in (0.0, 2.0)}
    assert told[0.0]["within_30"] == 1.0, "it says open"
    assert (told[2.0]["within_30"], told[2.0]["members_30"]) == (None, 1.0), "deployed, unverified"
    assert told[2.0]["likely_min"] == 0.0, "what is not known to be closed counts as open"


def test_last_minute_of_the_barrier_is_told() -> None:
    """Water over an open crest is orange. Red is 300 m³; the barrier takes 10 min. 20 cm over it: 36.5 m³/min, 8.2 min.

    8 cm over it 9.23 m³/min, 32.5 min; 6 cm 6.00 m³/min, 50.0 min; 2 cm 1.15 m³/min, 260 min.
    """
    for depth_m, order, last_min in (
        (0.5, "too_late", None), (0.38, "by", 22.5), (0.36, "by", 40.0), (0.32, "not_needed", None),
    ):  # fmt: skip
        told = filled(0.6, depth_m)
        assert (told["order"], told["order_red"]) == ("too_late", order)
        assert told["last_order_red_min"] == (last_min and pytest.approx(last_min, abs=0.2))


def approaching(
    rise_m_min: float, kind: str = "car_park", deploy_min: float = 2.0, closed_from: int = 99
) -> tuple[Any, list[Any]]:
    """Return what lies ahead, and the reasons, with 10 cm on a street that rises, crest 30 cm, in heavy rain."""
    place = guarded("s", kind)
    place["entrances"][0]["barrier"]["deploy_min"] = deploy_min
    crank = Crank(site(place))
    for minute in range(13):
        said = {
            "s-out:water_depth_m": 0.10 + rise_m_min * (minute - 12), "s-in:water_depth_m": 0.0,
            "s-out:barrier_state": 3.0 if minute >= closed_from else 0.0, "rain-1:rain_total_mm": float(minute),
        }  # fmt: skip
        crank.tick(minute, *[(key, minute, max(0.0, value)) for key, value in said.items()])
    return ahead(crank, "s"), crank.outputs[-1].assessments[0].reasons


@pytest.mark.parametrize("kind", ["car_park", "metro_entrance", "mall", "civil_defence"])
@pytest.mark.parametrize("rise_cm_min", [0.4, 0.8, 1.0, 2.0, 3.0])
def test_the_last_minute_is_the_earliest_orange_less_what_the_barrier_takes(kind: str, rise_cm_min: float) -> None:
    told, _ = approaching(rise_cm_min / 100.0, kind)
    assert told["order"] == "by", "60 cm of barrier: overtopped much later, if at all"
    assert told["last_order_min"] == pytest.approx(told["orange"]["earliest_min"] - 2.0, abs=0.11)
    assert told["last_order_min"] <= told["last_order_red_min"] <= told["red"]["earliest_min"] - 1.9


def test_the_last_minute_by_hand() -> None:
    """9 cm, 1 cm/min, 21 cm to the crest, by the steepest path of 5 %: 1.7 (1.5 t - 7.5 (1 - e^(-t / 15))) = 21.

    t = 10.8 min, less 2 min to deploy.
    """
    told, _ = approaching(0.01)
    assert told["orange"]["earliest_min"] == 10.8
    assert told["last_order_min"] == 8.8
    closed, _ = approaching(0.01, closed_from=8)
    assert closed["order"] == "none"
    assert closed["orange"]["earliest_min"] > 35.0


def test_a_barrier_that_is_needed_and_open_is_named_with_its_last_minute() -> None:
    """Counted from now, and the nowcast is a minute old: 10.8 - 2 - 1 = 7.8, whole minutes."""
    for deploy_min, en, zh in (
        (2.0, "order it within 7 min: up before the water reaches orange", "须在 7 分钟内下令,方能在水位达到橙色前"),
        (30.0, "order it now: it may still be up before the water", "须立即下令,或可在水位达到橙色前就位"),
    ):
        _, reasons = approaching(0.01, deploy_min=deploy_min)
        text = {reason["rule"]: (reason["text_en"], reason["text_zh"]) for reason in reasons}["barrier-not-deployed"]
        assert en in text[0]
        assert zh in text[1]


def test_closed_barrier_holds_but_for_the_members_in_which_it_fails() -> None:
    told = filled(0.6, 0.5, state=3.0)
    assert told["red"]["likely_min"] is None
    assert told["red"]["members_60"] == pytest.approx(0.05)


def test_ensemble_brings_red_forward_and_says_so() -> None:
    """As above, 15 cm and rising in 8.2 min. Without it red is 30 cm, 600 m³: 17 whole minutes, so no alarm of it."""
    told = []
    for nowcast in (False, True):
        crank = Crank(site(guarded("s", "car_park", barrier=None)), nowcast=nowcast)
        for minute in range(4):
            readings = [("s-out:water_depth_m", minute, 0.5), ("s-in:water_depth_m", minute, 0.0)]
            crank.tick(minute, *readings, ("rain-1:rain_total_mm", minute, 0.0))
        told.append([r for o in crank.outputs[2:] for a in o.assessments for r in a.reasons])
    without, reasons = ([r for r in found if r["rule"] == "time-to-red"] for found in told)
    assert {reason["value"] for reason in without} == {9.0}, "the simple forecast counts whole minutes"
    assert reasons[0]["value"] == pytest.approx(8.2, abs=0.1)
    assert reasons[0]["nowcast_at"].startswith("2026-07-01T08:0")
    assert "by the ensemble" in reasons[0]["text_en"]
    assert "集合预报" in reasons[0]["text_zh"]


def rising_street(**extra: Any) -> Crank:
    """A road that rises 1 mm a minute from 5 to 8 cm as a cloudburst begins: orange, 15 cm, is an hour off by the rate.

    10 minutes have brought 11 mm of rain by minute 29, nothing before; from 19 mm the rain itself would be yellow.
    """
    road = space("up", "underpass", devices=[device("up-out", depth_sensor("north"))])
    crank, total = Crank(site(road, **extra)), 0.0
    for minute in range(33):
        total += 0.2 * max(0, minute - 19)
        readings = [("up-out:water_depth_m", minute, 0.05 + 0.001 * minute), ("rain-1:rain_total_mm", minute, total)]
        crank.tick(minute, *readings)
    return crank


def test_a_probable_orange_raises_orange_and_quotes_what_drives_it() -> None:
    reasons = [r for o in rising_street().outputs for e in o.events for r in e.reasons]
    told = [r for r in reasons if r["rule"] == "orange-within-30min"]
    assert told
    assert {(r["severity"], r["unit"], r["threshold"], r["sensor"]) for r in told} == {
        (3, "share", 0.6, "up-out:water_depth_m")
    }
    assert all(r["value"] >= 0.6 and r["nowcast_at"] for r in told)
    assert "short of it" in told[0]["text_en"]
    assert "% of the members before calibration by depth and rain" in told[0]["text_en"]  # "60% likely, reached by 0%"
    assert "成员达到(按水深和雨量校准之前)" in told[0]["text_zh"]


def test_a_probability_raises_orange_at_most_and_only_where_its_limit_says_so() -> None:
    row = {"rule": "orange-within-30min", "severity": "orange", "value": 1.1, "unit": "share", "source": "test"}
    never = [{"id": "q", "author": "t", "source": "t", "valid_from": "2020-01-01T00:00:00Z", "rows": [row]}]
    levels = [rising_street(**extra).engine.state.alarm_peak[0] for extra in ({}, {"threshold_set": never})]
    assert levels[0] == 3
    assert levels[1] < 3


def test_a_tick_names_the_nowcast_it_used() -> None:
    crank = Crank(site(underpass()))
    for minute in range(4):
        crank.tick(minute, ("up-lvl:water_depth_m", minute, 0.06))
    assert [output.nowcast_id for output in crank.outputs] == [None, 1, 2, 3]
    assert ahead(crank, "up")["nowcast_id"] == 3, "blue, so written every minute"


def test_unknown_inside_is_no_forecast() -> None:
    crank = Crank(site(guarded("s", "car_park")))
    for minute in (0, 1):
        crank.tick(minute, ("s-out:water_depth_m", minute, 0.5))
    told = ahead(crank, "s")
    assert told["red"] == dict.fromkeys(
        (
            *("earliest_min", "likely_min", "latest_min"),
            *(f"{of}_{minutes}" for of in ("within", "members") for minutes in (15, 30, 60)),
        )
    )


def test_an_outside_sensor_that_never_spoke_leaves_the_forecast_to_the_inside() -> None:
    """Two car parks with the same rise inside, 4 mm a minute; one has a sensor outside that was never heard."""
    places = [space(name, "car_park", devices=[device(f"{name}-in", depth_sensor())]) for name in ("a", "b")]
    places[1]["devices"].append(device("b-out", depth_sensor("north")))
    crank = Crank(site(*places))
    for minute in range(10):
        crank.tick(minute, *[(f"{name}-in:water_depth_m", minute, 0.004 * minute) for name in ("a", "b")])
    assert ahead(crank, "a")["orange"]["within_30"] > 0.6
    for name in ("orange", "red"):
        assert ahead(crank, "b")[name] == ahead(crank, "a")[name]
    assert crank.levels["b"] == crank.levels["a"] == 3


def test_what_stands_outside_is_certain_where_the_inside_was_never_heard_and_unknown_is_never_told_as_never() -> None:
    """2 cm over an open crest is orange; red, 15 cm of head or inside, is not known: null throughout, and said so."""
    crank = Crank(site(guarded("s", "car_park", barrier=None)))
    for minute in (0, 1, 2):
        crank.tick(minute, ("s-out:water_depth_m", minute, 0.32))
    told = ahead(crank, "s")
    assert (told["orange"]["within_15"], told["orange"]["likely_min"]) == (1.0, 0.0)
    assert (told["red"]["within_60"], told["red"]["likely_min"]) == (None, None)
    found = explained(crank.engine, question(crank.engine), "s")
    assert found is not None
    assert not found.known
    assert {(one.orange_within_60, one.red_within_60) for one in found.drivers} == {(None, None)}
    assert {(one.severity, one.members, one.probability) for one in found.weighed} == {
        ("orange", None, 1.0), ("red", None, None)
    }  # fmt: skip


def test_rain_on_an_open_ramp_runs_in_by_hand() -> None:
    """60 mm/h on 1500 m² is 1.5 m³/min, and 40 m³ are missing to orange: 26.7 min, and 17.8 or 53 at 1.5 or half of it.

    Shares of these: 0.40, 0.20, 0.25. 3 cm inside are 60 m³, orange is from 5 cm; the street is dry.
    """
    told = {}
    for ramp_m2 in (0.0, 1500.0):
        crank = Crank(site(guarded("s", "car_park", barrier=None) | {"open_ramp_m2": ramp_m2}))
        for minute in range(13):
            readings = [("s-out:water_depth_m", minute, 0.0), ("s-in:water_depth_m", minute, 0.03)]
            crank.tick(minute, *readings, ("rain-1:rain_total_mm", minute, float(minute)))
        told[ramp_m2] = ahead(crank, "s")["orange"]
    assert (told[0.0]["members_30"], told[0.0]["members_60"]) == (0.0, 0.0)
    assert (told[1500.0]["members_15"], told[1500.0]["members_30"]) == (0.0, 0.6)
    assert told[1500.0]["members_60"] == pytest.approx(0.85)


def test_a_road_with_one_sensor_is_foreseen_by_its_own_rise() -> None:
    """9 mm a minute on a road: 5 cm at minute 5, and orange, 15 cm, 11.1 min on at that rate."""
    crank = Crank(site(underpass()))
    for minute in range(7):
        crank.tick(minute, ("up-lvl:water_depth_m", minute, 0.005 + 0.009 * minute))
    told = ahead(crank, "up")
    assert told["orange"]["earliest_min"] < 11.1 < told["orange"]["latest_min"]
    assert told["orange"]["within_60"] >= told["orange"]["within_15"] > told["red"]["within_15"]
    assert told["order"] == "none", "nothing to close"
