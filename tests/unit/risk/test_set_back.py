"""The clock was ahead and is set back: nothing waits for the future, and it is told."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from risk.arrays import NEVER_US, to_us
from risk.set_back import _DICTS, ROWS_OF_SAMPLES, SUBJECT, not_ahead, set_back
from risk.state import array_fields
from risk.warnings import Act
from tests.unit.risk.builders import START, Crank, Reading, guarded, site, underpass

UP, OUT, IN, GATE, RAIN = (
    "up-lvl:water_depth_m", "s-out:water_depth_m", "s-in:water_depth_m", "s-out:barrier_state", "rain-1:rain_total_mm",
)  # fmt: skip
HOURS = 8 * 60
"""A machine whose clock was left in local time, UTC+8, is ahead by so many minutes."""


def at_us(minute: float) -> int:
    return to_us(START + timedelta(minutes=minute))


def act(kind: str, subject: str, minute: float, **body: Any) -> Act:
    return Act(1, kind, subject, "li", at_us(minute), body)


def dry(minute: float) -> list[Reading]:
    return [(UP, minute, 0.0), (OUT, minute, 0.0), (IN, minute, 0.0), (GATE, minute, 3.0), (RAIN, minute, 0.0)]


def a_crank(minutes: int = 5, **extra: Any) -> Crank:
    crank = Crank(site(underpass(), guarded("s", "car_park"), **extra), nowcast=False)
    for minute in range(minutes):
        crank.tick(minute, *dry(minute))
    return crank


def test_the_alarm_that_a_clock_eight_hours_ahead_raised_ends_by_itself() -> None:
    crank = a_crank()
    crank.tick(4 + HOURS)
    assert crank.events("space/up") == [("raised", 2)]  # silent for eight hours, as far as anybody knows
    for minute in range(5, 20):
        crank.tick(minute, *dry(minute))
    assert crank.events("space/up") == [("raised", 2), ("cleared", 0)]
    raised = next(event for output in crank.outputs for event in output.events if event.kind == "cleared")
    assert 0 <= raised.detail["lasted_s"] <= 15 * 60


def test_that_the_clock_was_set_back_is_told_for_an_hour_and_by_how_much() -> None:
    crank = a_crank()
    crank.tick(4 + HOURS)
    told = crank.tick(5, *dry(5))
    alarm = next(alarm for alarm in told.alarms if alarm.subject == SUBJECT)
    assert alarm.active
    assert "set back by 479 min" in alarm.reasons[0]["text_en"]
    assert "479 min" in alarm.reasons[0]["text_zh"]
    for minute in range(6, 67):
        crank.tick(minute, *dry(minute))
    assert crank.events(SUBJECT) == [("raised", 2), ("cleared", 0)]


def test_a_greater_step_back_is_told_anew_a_lesser_one_is_not() -> None:
    crank = a_crank()
    for ahead in (30, 20, 40):
        crank.tick(5 + ahead)
        crank.tick(5)
    assert crank.events(SUBJECT) == [("raised", 2), ("reason_added", 2)]


@pytest.mark.parametrize("minutes", [3, 40])
def test_what_fell_and_rose_under_the_wrong_clock_did_not_do_so_at_once(minutes: int) -> None:
    """1 mm and 1 cm a minute, stamped by a clock eight hours ahead: ten minutes of it are 10 mm, not all there was."""
    crank = a_crank(1)
    for minute in range(1, minutes + 1):
        later = minute + HOURS
        crank.tick(later, (UP, later, 0.01 * minute), (RAIN, later, float(minute)))
    crank.tick(minutes + 0.1)
    minute = minutes + 1
    crank.tick(minute, (UP, minute, 0.01 * minute), (RAIN, minute, float(minute)))
    state = crank.engine.state
    assert state.acc_mm[0, 1] == pytest.approx(min(minute, 10), rel=0.05)
    assert state.rate[crank.engine.plant.arrays.s_slot[crank.engine.plant.arrays.sensor_index[UP]]] == pytest.approx(
        0.01, rel=0.1
    )


def test_a_clock_set_back_by_mistake_makes_no_cloudburst_of_the_rain_of_half_an_hour() -> None:
    """1 mm and 1 cm a minute up to 09:00; then the clock says 08:30. Ten minutes of it are still 10 mm."""
    crank = a_crank(1)
    for minute in range(1, 61):
        crank.tick(minute, (UP, minute, 0.001 * minute), (RAIN, minute, float(minute)))
    crank.tick(30.1)
    for minute in (31, 32):
        crank.tick(minute, (UP, minute, 0.001 * (minute + 30)), (RAIN, minute, float(minute + 30)))
        arrays, state = crank.engine.plant.arrays, crank.engine.state
        assert state.acc_mm[0, 1] == pytest.approx(10, rel=0.05)
        assert state.acc_mm[0, 2] == pytest.approx(60, rel=0.05)
        assert state.rate[arrays.s_slot[arrays.sensor_index[UP]]] == pytest.approx(0.001, rel=0.1)


@pytest.mark.parametrize("quality", [1, 3])
def test_a_state_that_stands_in_order_of_delivery_is_believed_however_far_ahead(quality: int) -> None:
    online = "up-lvl:online"
    crank = a_crank()
    crank.tick(5 + HOURS, (online, 5 + HOURS, 0.0))
    crank.tick(6, *dry(6), (online, 5.1 + HOURS, 1.0, quality))  # later than the state of before
    sensor = crank.engine.plant.arrays.sensor_index[online]
    assert crank.engine.state.held[sensor] == -float(quality == 1)


def test_a_shelving_asked_for_under_the_wrong_clock_lasts_as_long_as_it_was_asked_for() -> None:
    crank = a_crank()
    for minute in range(5, 9):
        crank.tick(minute, *[(UP, minute, 0.12), *dry(minute)[1:]])
    crank.tick(8 + HOURS)  # blind: another reason, which would end a shelving
    crank.tick(9 + HOURS, acts=(act("shelve", "space/up", 9 + HOURS, reason="seen", minutes=20),))
    for minute in range(10, 32):
        crank.tick(minute, *[(UP, minute, 0.12), *dry(minute)[1:]])
        shelved = crank.engine.state.alarm_shelved_us[1] != NEVER_US
        assert shelved == (minute < 30), minute


def test_a_device_put_out_of_service_under_the_wrong_clock_is_back_in_time() -> None:
    crank = a_crank()
    crank.tick(5 + HOURS, acts=(act("out_of_service", "device/up-lvl", 5 + HOURS, reason="repair", minutes=20),))
    for minute in range(6, 28):
        crank.tick(minute, *dry(minute))
        assert bool(crank.engine.state.out_of_service) == (minute < 26), minute


def test_every_entry_of_the_memory_that_is_kept_by_name_is_looked_through() -> None:
    state = a_crank().engine.state
    kept = {entry.name for entry in fields(state) if isinstance(getattr(state, entry.name), dict)}
    assert kept == {*_DICTS, "stock"}


def test_a_report_of_the_wrong_clock_ends_and_one_of_the_right_clock_takes_its_place() -> None:
    crank = a_crank()
    place = {"entrance": "north", "barrier": "deployed"}
    crank.tick(5 + HOURS, acts=(act("field_report", "space/s", 5 + HOURS, by="li", **place),))
    crank.tick(6, *dry(6))
    crank.tick(7, *dry(7), acts=(act("field_report", "space/s", 7, by="wang", **place),))
    report = crank.engine.state.reports["s/north/barrier"]
    assert (report.by, report.observed_us) == ("wang", at_us(7))
    crank.tick(66, *dry(66))
    assert crank.engine.state.reports
    crank.tick(67, *dry(67))
    assert not crank.engine.state.reports


def test_an_act_that_the_right_tick_finds_in_the_future_counts_as_of_that_tick() -> None:
    crank = a_crank()
    until = START + timedelta(minutes=5 + HOURS + 60)
    late = act("field_report", "space/up", 5 + HOURS, depth_m=0.5, by="li", expires_at=until.isoformat())
    crank.tick(5, *dry(5), acts=(late,))
    report = crank.engine.state.reports["up//depth/operator:li"]
    assert (report.observed_us, report.expires_us) == (at_us(5), at_us(65))


def test_an_act_with_an_end_that_is_no_time_is_taken_all_the_same() -> None:
    for end in ("soon", "2026-07-01T08:00:00", "0001-01-01T00:00:00+00:00", 7):
        late = act("field_report", "space/up", HOURS, depth_m=0.5, expires_at=end)
        (taken,) = not_ahead([late], at_us(0))
        assert (taken.acted_us, taken.body["expires_at"]) == (at_us(0), end)


def test_the_thresholds_in_force_are_those_of_the_tick() -> None:
    later = {
        "id": "later", "author": "li", "source": "test", "valid_from": (START + timedelta(hours=2)).isoformat(),
        "rows": [{"rule": "rise-rate", "severity": "yellow", "value": 9.0, "unit": "m/min", "source": "t"}],
    }  # fmt: skip
    crank = a_crank(threshold_set=[later])
    in_force = [crank.engine.plant.arrays.thresholds.sets]
    for minute in (4 + HOURS, 5):
        crank.tick(minute, *dry(5))
        in_force.append(crank.engine.plant.arrays.thresholds.sets)
    assert in_force == [(), ("later",), ()]


def filled(crank: Crank, seed: int) -> None:
    """Fill every time of the memory, around a clock that is set back from minute 100 to minute 60."""
    rng = np.random.default_rng(seed)
    for entry in array_fields():
        if entry.metadata["fill"] == NEVER_US:
            times = getattr(crank.engine.state, entry.name)
            times[...] = np.sort(to_us(START) + rng.integers(0, 100 * 60_000_000, times.shape), axis=-1)
            times[rng.random(times.shape) < 0.1] = NEVER_US
    crank.engine.state.tick_us = at_us(100)


@pytest.mark.parametrize("seed", range(8))
def test_nothing_is_left_ahead_no_order_changes_and_a_second_time_changes_nothing(seed: int) -> None:
    crank = a_crank()
    filled(crank, seed)
    state = crank.engine.state
    names = [f.name for f in array_fields() if f.metadata["fill"] == NEVER_US and f.name not in ROWS_OF_SAMPLES]
    before = np.concatenate([getattr(state, name).ravel() for name in names])
    set_back(state, at_us(60))
    after = np.concatenate([getattr(state, name).ravel() for name in names])
    order = np.argsort(before, kind="stable")
    assert (np.diff(after[order]) >= 0).all()
    assert (after[before <= at_us(100)] < at_us(60)).all()
    assert (after[before < at_us(60)] == before[before < at_us(60)]).all()
    state.tick_us = at_us(60)
    kept = {f.name: getattr(state, f.name).copy() for f in array_fields()}
    set_back(state, at_us(60))
    assert all(np.array_equal(kept[name], getattr(state, name), equal_nan=True) for name in kept)
