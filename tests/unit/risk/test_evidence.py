"""Readings into evidence: conflicts, doubt, lateness, barriers, and what counts as fresh."""

from __future__ import annotations

import numpy as np
import pytest

from risk.evidence import closed_barriers, fresh_sensors
from tests.unit.risk.builders import Crank, Reading, guarded, site, underpass

UP = "up-lvl:water_depth_m"


def held(crank: Crank, key: str) -> float:
    return float(crank.engine.state.held[crank.engine.plant.arrays.sensor_index[key]])


@pytest.mark.parametrize("order", [(0.05, 0.20), (0.20, 0.05)])
@pytest.mark.parametrize("together", [True, False])
def test_conflict_takes_the_more_dangerous_value_whichever_came_first(
    order: tuple[float, float], together: bool
) -> None:
    crank = Crank(site(underpass()))
    if together:
        crank.tick(1, *[(UP, 1.0, value) for value in order])
    else:
        for value in order:
            crank.tick(1, (UP, 1.0, value))
    sensor = crank.engine.plant.arrays.sensor_index[UP]
    assert held(crank, UP) == 0.20
    assert crank.engine.state.quality[sensor] == 3
    assert crank.engine.state.good_run[sensor] == 0


def test_repeated_reading_changes_nothing() -> None:
    crank = Crank(site(underpass()))
    crank.tick(1, (UP, 1.0, 0.12))
    crank.tick(2, (UP, 1.0, 0.12))
    assert crank.engine.state.good_run[crank.engine.plant.arrays.sensor_index[UP]] == 1


@pytest.mark.parametrize("quality", [2, 3])
def test_doubtful_raises_and_never_lowers(quality: int) -> None:
    crank = Crank(site(underpass()))
    crank.tick(1, (UP, 1, 0.12))
    crank.tick(2, (UP, 2, 0.0, quality))
    assert held(crank, UP) == 0.12
    crank.tick(3, (UP, 3, 0.2, quality))
    assert held(crank, UP) == 0.2
    crank.tick(4, (UP, 4, 0.01))
    assert held(crank, UP) == 0.01


@pytest.mark.parametrize("quality", [4, 9])
def test_failed_and_missing_are_no_evidence(quality: int) -> None:
    crank = Crank(site(underpass()))
    crank.tick(1, (UP, 1, 0.12))
    crank.tick(2, (UP, 2, 5.0, quality))
    assert held(crank, UP) == 0.12


def test_late_reading_is_history() -> None:
    crank = Crank(site(underpass()))
    crank.tick(5, (UP, 5, 0.02))
    crank.tick(6, (UP, 3, 0.50))
    assert held(crank, UP) == 0.02
    assert crank.events() == []


def test_reading_from_the_future_is_doubtful_and_does_not_block_the_next() -> None:
    crank = Crank(site(underpass()))
    crank.tick(1, (UP, 1, 0.12))
    crank.tick(2, (UP, 62, 0.0))
    assert held(crank, UP) == 0.12, "an hour ahead: may not lower"
    crank.tick(4, (UP, 4, 0.01))
    assert held(crank, UP) == 0.01


@pytest.mark.parametrize("ahead_s", [1, 45, 59, 61, 300, 590])
def test_a_clock_ahead_once_does_not_silence_the_red_that_follows(ahead_s: float) -> None:
    crank = Crank(site(underpass()))
    crank.tick(1, (UP, 1, 0.0))
    crank.tick(2, (UP, 2 + ahead_s / 60, 0.0))
    crank.tick(2.05, (UP, 2.03, 0.60))  # two seconds on, at its true time
    assert held(crank, UP) == 0.60
    assert crank.events()[-1] == ("raised", 4)


def test_barrier_is_closed_only_when_every_switch_says_so_now() -> None:
    crank = Crank(site(guarded("s", "car_park")))

    def closed(minute: float, *readings: Reading) -> bool:
        crank.tick(minute, *readings)
        state, arrays = crank.engine.state, crank.engine.plant.arrays
        fresh = fresh_sensors(state, arrays, state.tick_us, 3.0)
        return bool(closed_barriers(state, arrays, fresh)[0])

    key = "s-out:barrier_state"
    assert not closed(0)
    for state in (0.0, 1.0, 2.0, 4.0, 5.0, 6.0):
        assert not closed(1 + state, (key, 1 + state, state))
    assert closed(10, (key, 10, 3.0))
    assert closed(11, (key, 11, 3.0, 3))
    assert not closed(12, (key, 12, 0.0, 3)), "a doubtful word opens"
    assert not closed(13, (key, 13, 3.0, 3)), "and does not close again"
    assert not closed(14, (key, 14, 3.0)), "nor does a good one, ten minutes long"
    assert closed(22, (key, 22, 3.0))
    assert closed(52)
    assert not closed(53), "three missed intervals of ten minutes: not known to be deployed"


def test_counter_reset_is_an_increment_and_a_doubtful_jump_is_none() -> None:
    key = "rain-1:rain_total_mm"
    crank = Crank(site(underpass()))
    for minute, (value, quality) in enumerate([(500.0, 1), (501.0, 1), (2.0, 1), (900.0, 3), (3.0, 1), (3.5, 3)]):
        crank.tick(minute, (key, minute, value, quality))
    assert crank.engine.state.total_mm.tolist() == [1.0 + 2.0 + 1.0 + 0.5]


def test_rise_rate_is_the_slope_of_five_minutes_at_any_cadence() -> None:
    for step_s in (10, 60, 150, 600):
        crank = Crank(site(underpass()))
        for number in range(2000 // step_s):
            minute = number * step_s / 60
            crank.tick(minute, (UP, minute, 0.01 * minute))
        assert crank.engine.state.rate[0] == pytest.approx(0.01), step_s
    assert np.isfinite(crank.engine.state.rate).all()
