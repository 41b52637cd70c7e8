"""The rules beside depth (domain notes 1.6), each with the value that fires and the last that does not."""

from __future__ import annotations

import math
from typing import Any

import pytest

from risk.engine import question
from risk.warnings import Act
from tests.unit.risk.builders import Crank, depth_sensor, device, entrance, gauge, guarded, site, space, underpass
from undercroft.quantities import BarrierState


def rules(crank: Crank, name: str) -> dict[str, dict[str, Any]]:
    """Reasons by rule of the last assessment of a space."""
    for output in reversed(crank.outputs):
        for entry in output.assessments:
            if entry.space_id == name:
                return {reason["rule"]: reason for reason in entry.reasons}
    return {}


def test_rise_rate() -> None:
    for rate, severity in ((0.009, None), (0.0101, 2), (0.0299, 2), (0.0301, 3)):
        crank = Crank(site(guarded("s", "metro_entrance", crest=2.0)))
        for minute in range(6):
            crank.tick(minute, ("s-out:water_depth_m", minute, 0.03 + rate * minute))
        found = rules(crank, "s").get("rise-rate")
        assert (found and found["severity"]) == severity, rate


def test_falling_is_not_rising() -> None:
    crank = Crank(site(underpass()))
    for minute in range(6):
        crank.tick(minute, ("up-lvl:water_depth_m", minute, 0.60 - 0.05 * minute))
    assert "rise-rate" not in rules(crank, "up")
    assert crank.levels["up"] == 4


@pytest.mark.parametrize(("mm", "severity"), [(18.9, None), (19.0, 2), (25.9, 2), (26.0, 3), (40.0, 3)])
def test_rain_in_ten_minutes(mm: float, severity: int | None) -> None:
    crank = Crank(site(underpass()))
    for minute in range(11):
        crank.tick(minute, ("rain-1:rain_total_mm", minute, 100.0 + mm * minute / 10))
    found = rules(crank, "up").get("rain-10min")
    assert (found and found["severity"]) == severity
    if mm == 40.0:
        assert found is not None
        assert "be ready for red" in found["text_en"]


@pytest.mark.parametrize(("mm", "severity"), [(10.9, None), (11.0, 2), (14.9, 2), (15.0, 3), (18.5, 3), (19.0, 3)])
def test_rain_in_five_minutes(mm: float, severity: int | None) -> None:
    """Shenzhen storm formula 2015, 5 min: 11.0 mm in 2 years, 14.8 in 10, 18.7 in 50; nothing before and after."""
    crank = Crank(site(underpass()))
    for minute in range(-10, 8):
        crank.tick(minute, ("rain-1:rain_total_mm", minute, 100.0 + mm * min(max(minute, 0), 5) / 5))
        if minute == 5:
            found = rules(crank, "up").get("rain-5min")
            assert (found and found["severity"]) == severity
            assert (found is not None and "be ready for red" in found["text_en"]) == (mm == 19.0)
            assert crank.levels["up"] == (severity or 0)


@pytest.mark.parametrize(("mm", "severity"), [(57.9, None), (58.0, 2), (78.0, 3)])
def test_rain_in_sixty_minutes(mm: float, severity: int | None) -> None:
    crank = Crank(site(underpass()))
    for minute in range(0, 61, 2):
        crank.tick(minute, ("rain-1:rain_total_mm", minute, mm * minute / 60))
    found = rules(crank, "up").get("rain-60min")
    assert (found and found["severity"]) == severity


def test_rain_counts_in_its_own_basin_only() -> None:
    other = underpass("far") | {"basin": "b2"}
    crank = Crank(site(underpass(), other, gauges=[gauge(), gauge("rain-2", "b2")]))
    for minute in range(11):
        crank.tick(minute, ("rain-1:rain_total_mm", minute, 3.0 * minute), ("rain-2:rain_total_mm", minute, 0.0))
    assert "rain-10min" in rules(crank, "up")
    assert "rain-10min" not in rules(crank, "far")


def test_warning_colour_and_its_end() -> None:
    crank = Crank(site(underpass()))
    for number, (colour, level) in enumerate((("yellow", 1), ("orange", 2), ("red", 3))):
        act = Act(number, "rain_warning", "warning/1", "duty", 0, {"colour": colour, "basins": ["b1"]})
        crank.tick(number, acts=(act,))
        assert crank.levels["up"] == level
        assert rules(crank, "up")["warning-colour"]["sensor"] == "warning/1"
    crank.tick(3, acts=(Act(9, "rain_warning", "warning/1", "duty", 0, {"state": "ended"}),))
    assert crank.levels["up"] == 0


def test_warning_of_another_basin_does_not_count() -> None:
    crank = Crank(site(underpass()))
    crank.tick(0, acts=(Act(1, "rain_warning", "warning/1", "duty", 0, {"colour": "red", "basins": ["b2"]}),))
    assert crank.levels["up"] == 0


def test_likely_time_to_orange_alone_is_yellow_and_never_red() -> None:
    # 5 cm at 0.9 cm/min: orange (15 cm) in 11 min, red (27 cm) in 24 min. The ensemble's say is a rule of its own.
    crank = Crank(site(underpass()), nowcast=False)
    for minute in range(6):
        crank.tick(minute, ("up-lvl:water_depth_m", minute, 0.005 + 0.009 * minute))
    found = rules(crank, "up")["time-to-orange"]
    assert (found["severity"], found["value"]) == (2, 11.1)
    assert crank.levels["up"] == 2


def test_forecast_alone_ends_at_orange_even_with_a_barrier_needed() -> None:
    # Outside rises 0.9 cm/min towards an open crest 33 cm up: nothing but forecasts above blue.
    crank = Crank(site(guarded("s", "car_park", crest=0.33)))
    for minute in range(12):
        crank.tick(minute, ("s-out:water_depth_m", minute, 0.009 * minute), ("s-in:water_depth_m", minute, 0.0))
        assert crank.levels["s"] <= 3


def test_barrier_needed_and_not_deployed_is_one_level_up() -> None:
    for depth, expected in ((0.14, None), (0.151, 2), (0.251, 3)):  # car park, crest 30 cm: 15 cm, then 5 cm freeboard
        crank = Crank(site(guarded("s", "car_park")))
        for minute in (0, 5, 10):
            crank.tick(minute, ("s-out:water_depth_m", minute, depth), ("s-out:barrier_state", minute, 1.0))
        found = rules(crank, "s").get("barrier-not-deployed")
        assert (found and found["severity"]) == expected, depth
        if found:
            assert "deploying" in found["text_en"]


def test_missing_barrier_counts_as_open() -> None:
    crank = Crank(site(guarded("s", "car_park", barrier=None)))
    crank.tick(0, ("s-out:water_depth_m", 0, 0.2), ("s-out:barrier_state", 0, 3.0))
    assert "none" in rules(crank, "s")["barrier-not-deployed"]["text_en"]


def test_pump_runs_five_minutes_and_the_level_rises() -> None:
    crank = Crank(site(guarded("s", "car_park", pump=True)))
    for minute in range(8):
        crank.tick(minute, ("s-in:pump_running", minute, 1.0), ("s-in:water_depth_m", minute, 0.003 * minute))
        assert ("pump-not-coping" in rules(crank, "s")) == (minute >= 5)
    assert rules(crank, "s")["pump-not-coping"]["severity"] == 1


def test_inside_wet_while_outside_dry_is_yellow() -> None:
    crank = Crank(site(guarded("s", "car_park")))
    crank.tick(0, ("s-in:water_depth_m", 0, 0.03), ("s-out:water_depth_m", 0, 0.01))
    assert rules(crank, "s")["leak"]["severity"] == 2
    crank.tick(1, ("s-out:water_depth_m", 1, 0.02))
    assert "leak" not in rules(crank, "s")


def test_blind_in_rain_is_last_level_plus_one() -> None:
    for depth, expected in ((0.0, 2), (0.10, 3), (0.15, 4)):
        crank = Crank(site(underpass()))
        crank.tick(0, ("up-lvl:water_depth_m", 0, depth))
        for minute in range(1, 40):
            crank.tick(minute, ("rain-1:rain_total_mm", minute, 0.5 * minute))
        found = rules(crank, "up")["blind"]
        assert found["severity"] == expected
        assert crank.levels["up"] == expected
        assert found["age_s"] >= 1800


@pytest.mark.parametrize(
    ("watched", "silent", "blind"),
    [
        ("n", "in", True),  # what comes in by the south is seen inside alone
        ("n", "n", True),
        ("n", "", False),
        ("ns", "in", False),  # both ways in are watched
        ("ns", "s", True),
        ("", "in", True),
    ],
)
def test_an_entrance_that_nobody_watches_is_seen_inside_alone(watched: str, silent: str, blind: bool) -> None:
    doors = {"n": "north", "s": "south"}
    devices = [device("in", depth_sensor()), *(device(door, depth_sensor(doors[door])) for door in watched)]
    of = space("s1", "car_park", entrances=[entrance(name) for name in doors.values()], devices=devices)
    crank = Crank(site(of), nowcast=False)
    for minute in range(50):
        speaks = [name for name in ("in", *watched) if minute == 0 or name != silent]
        levels = [(f"{name}:water_depth_m", minute, 0.0) for name in speaks]
        crank.tick(minute, *levels, ("rain-1:rain_total_mm", minute, 0.5 * minute))
    assert ("blind" in rules(crank, "s1")) is blind


def test_silence_without_rain_is_not_blind_but_keeps_the_level() -> None:
    crank = Crank(site(underpass()))
    crank.tick(0, ("up-lvl:water_depth_m", 0, 0.10))
    for minute in range(1, 60):
        crank.tick(minute, ("rain-1:rain_total_mm", minute, 0.0))
    assert "blind" not in rules(crank, "up")
    assert crank.levels["up"] == 2


def test_silent_gauge_counts_as_rain() -> None:
    crank = Crank(site(underpass()))
    for minute in range(0, 60, 2):
        crank.tick(minute, ("up-lvl:water_depth_m", minute, 0.0))
    crank.tick(120)
    assert "blind" in rules(crank, "up")


def test_offline_blinds_at_once_in_rain() -> None:
    crank = Crank(site(underpass()))
    for minute in range(10):
        crank.tick(minute, ("up-lvl:water_depth_m", minute, 0.0), ("rain-1:rain_total_mm", minute, 1.0 * minute))
    assert "blind" not in rules(crank, "up")
    crank.tick(10, ("up-lvl:online", 9.5, 0.0))
    assert "blind" in rules(crank, "up")
    crank.tick(11, ("up-lvl:water_depth_m", 10.5, 0.0))
    assert "blind" not in rules(crank, "up")


def test_a_barrier_switch_that_flaps_takes_no_level_down() -> None:
    crank = Crank(site(guarded("s", "car_park", barrier=0.6)))
    said = [3.0, 0.0] * 4
    for minute, state in enumerate(said):  # 35 cm outside, crest 30 cm: orange beside an open barrier, one up: red
        crank.tick(minute, ("s-out:water_depth_m", minute, 0.35), ("s-out:barrier_state", minute, state))
        if minute:
            assert crank.levels["s"] == 4, minute
    assert "says deployed on and off: not believed" in rules(crank, "s")["barrier-not-deployed"]["text_en"]
    for minute in range(8, 20):  # last left at minute 7: believed again ten minutes after
        crank.tick(minute, ("s-out:water_depth_m", minute, 0.35), ("s-out:barrier_state", minute, 3.0))
        assert (crank.levels["s"] == 4) == (minute < 17), minute
    assert "barrier-not-deployed" not in rules(crank, "s")


def test_a_barrier_that_is_put_up_once_is_believed_at_once() -> None:
    crank = Crank(site(guarded("s", "car_park", barrier=0.6)), nowcast=False)  # that of the tick before knew it open
    for minute, state in enumerate((0.0, 1.0, 3.0)):
        crank.tick(minute, ("s-out:water_depth_m", minute, 0.35), ("s-out:barrier_state", minute, state))
    assert crank.levels["s"] < 3


@pytest.mark.parametrize(
    ("running", "quality", "power", "counts"),
    [(1.0, 1, None, True), (1.0, 3, None, False), (0.0, 1, None, False), (1.0, 1, 0.0, False), (1.0, 1, 1.0, True)],
)
def test_a_pump_counts_only_where_it_is_known_to_run_and_has_power(
    running: float, quality: int, power: float | None, counts: bool
) -> None:
    """20 cm over a 4 m crest: 0.608 m³/s; 15 cm, red while it rises, are 300 m³: 8.2 min; a pump of 2 m³/s: never."""
    spec = guarded("s", "car_park", pump=True)
    spec["pumps"][0]["capacity_m3_s"] = 2.0
    spec["devices"][1]["sensors"].append({"quantity": "mains_power"})
    crank = Crank(site(spec), nowcast=False)
    told = [] if power is None else [("s-in:mains_power", 0, power)]
    for minute in range(3):
        pump = ("s-in:pump_running", minute, running, quality)
        crank.tick(minute, ("s-out:water_depth_m", minute, 0.50), ("s-in:water_depth_m", minute, 0.0), pump, *told)
    red_min = float(crank.engine.state.red_min[0])
    assert math.isnan(red_min) if counts else red_min == 9.0
    now = question(crank.engine).now
    assert bool(now.pump_running.any()) == counts
    assert bool(now.pump_powered.all()) == (power != 0.0)


@pytest.mark.parametrize(
    ("first", "second", "over_m3_s", "red_min"),
    [
        (1.0, 1.0, [0.3, 0.3], 59.0),  # net 0.008 m³/s
        (1.0, 0.0, [0.3, 0.0], 13.0),  # 0.308 m³/s or 18.5 m³/min: 240 m³ in 12.97 min
        (0.0, 0.0, [0.0, 0.0], 7.0),  # 36.5 m³/min: 6.6 min
        (1.0, None, [0.3, 0.0], 13.0),  # a silent one is no better than one that stands
    ],
)
def test_each_pump_counts_by_its_own_sensor(
    first: float, second: float | None, over_m3_s: list[float], red_min: float
) -> None:
    """Two pumps of 0.3 m³/s that start at 5 cm; 0.608 m³/s come in; from 3 to 15 cm are 240 m³.

    Below 5 cm the members have both to come; over it only those that run. The simple forecast counts what runs.
    """
    for inside_m, capacity in ((0.03, [0.3, 0.3]), (0.10, over_m3_s)):
        spec = guarded("s", "car_park", barrier=None)
        spec["pumps"] = [
            {"id": name, "capacity_m3_s": 0.3, "on_depth_m": 0.05, "off_depth_m": 0.02} for name in ("p1", "p2")
        ]
        spec["devices"][1]["sensors"] += [{"quantity": "pump_running", "at": name} for name in ("p1", "p2")]
        crank = Crank(site(spec), nowcast=False)
        said = [("s-in/p1:pump_running", 0, first), *([] if second is None else [("s-in/p2:pump_running", 0, second)])]
        crank.tick(0, ("s-out:water_depth_m", 0, 0.50), ("s-in:water_depth_m", 0, inside_m), *said)
        assert question(crank.engine).layout.pump_m3_s[0].tolist() == capacity
        if inside_m == 0.03:
            found = float(crank.engine.state.red_min[0])
            assert found == red_min if red_min < 59.0 else math.isnan(found)


@pytest.mark.parametrize(("running", "share"), [(1.0, 1.0), (0.0, 0.0)])
def test_one_sensor_of_two_pumps_is_known_of_one_and_speaks_of_both(running: float, share: float) -> None:
    spec = guarded("s", "car_park", barrier=None, pump=True)
    spec["pumps"] = [spec["pumps"][0] | {"id": name, "capacity_m3_s": 0.3} for name in ("p1", "p2")]
    crank = Crank(site(spec), nowcast=False)
    said = ("s-in:pump_running", 0, running)
    crank.tick(0, ("s-out:water_depth_m", 0, 0.50), ("s-in:water_depth_m", 0, 0.10), said)
    words = crank.engine.plant.statics.storage.pump_words
    assert words.m3_s.sum() == pytest.approx(0.3)
    assert question(crank.engine).layout.pump_m3_s[0].tolist() == [0.3 * share] * 2


def test_two_sensors_that_contradict_keep_the_worse_and_name_the_other() -> None:
    spec = underpass()
    spec["devices"].append(device("up-two", depth_sensor()))
    crank = Crank(site(spec))
    for minute in range(3):
        crank.tick(minute, ("up-lvl:water_depth_m", minute, 0.16), ("up-two:water_depth_m", minute, 0.01))
    assert crank.levels["up"] == 3
    told = rules(crank, "up")["inside-depth"]
    assert (told["sensor"], told["contradicted_by"]) == ("up-lvl:water_depth_m", "up-two:water_depth_m")
    assert "up-two:water_depth_m beside it says 1 cm: one is wrong" in told["text_en"]


def test_a_leak_says_how_old_the_word_is_that_outside_is_dry() -> None:
    crank = Crank(site(guarded("s", "car_park")), nowcast=False)
    for minute in range(90):
        heard = [("s-out:water_depth_m", minute, 0.0)] if minute == 0 else []
        crank.tick(minute, *heard, ("s-in:water_depth_m", minute, 0.03 if minute > 80 else 0.0))
        if minute == 85:
            crank.tick(85.5, ("s-out:water_depth_m", 85.5, 0.0, 3))
    told = rules(crank, "s")["leak"]
    assert "outside was dry when last heard, 89 min ago (what its sensor said since is doubted)" in told["text_en"]
    assert "89 分钟前" in told["text_zh"]


@pytest.mark.parametrize(("word", "order"), [(BarrierState.OPEN, "by"), (BarrierState.FAILED, "none")])
def test_a_barrier_that_has_failed_has_no_last_minute_for_its_order(word: BarrierState, order: str) -> None:
    crank = Crank(site(guarded("s", "car_park")))
    for minute in range(9):
        crank.tick(
            minute, ("s-out:water_depth_m", minute, 0.12 + 0.004 * minute), ("s-in:water_depth_m", minute, 0.0),
            ("s-out:barrier_state", minute, float(word)), ("rain-1:rain_total_mm", minute, 0.1 * minute),
        )  # fmt: skip
    last = [entry for output in crank.outputs for entry in output.assessments][-1]
    assert last.evidence["ahead"]["order"] == order
