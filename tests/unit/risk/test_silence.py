"""How soon silence is noticed in rain: after a few of a sensor's own intervals, and not where it speaks seldom."""

from __future__ import annotations

import pytest

from risk.arrays import to_us
from risk.warnings import Act
from tests.unit.risk.builders import START, Crank, Reading, site, underpass

LEVEL, RAIN = "up-lvl:water_depth_m", "rain-1:rain_total_mm"


def signal(state: str = "in_force") -> tuple[Act, ...]:
    return (Act(1, "rain_warning", "warning/w1", "duty", to_us(START), {"colour": "yellow", "state": state}),)


def is_blind(crank: Crank) -> bool:
    return bool(crank.engine.state.blind[0])


def blind_at(crank: Crank, minutes: range, *, level: set[int], mm: dict[int, float]) -> list[int]:
    """Turn a minute at a time; a dry level sensor and a gauge speak at the minutes given. Return when it was blind."""
    found = []
    for minute in minutes:
        readings: list[Reading] = [(LEVEL, minute, 0.0)] if minute in level else []
        readings += [(RAIN, minute, mm[minute])] if minute in mm else []
        crank.tick(minute, *readings)
        found += [minute] if is_blind(crank) else []
    return found


def test_a_sensor_that_dies_in_a_cloudburst_is_missed_after_three_of_its_minutes() -> None:
    crank = Crank(site(underpass()))
    pouring = {minute: 1.5 * minute for minute in range(40)}
    assert blind_at(crank, range(40), level=set(range(16)), mm=pouring) == list(range(19, 40))
    reason = next(r for o in reversed(crank.outputs) for a in o.assessments for r in a.reasons if r["rule"] == "blind")
    assert reason["value"] >= reason["threshold"] == 3.0
    assert crank.events("space/up") == [("raised", 2)]


def test_a_sensor_that_speaks_every_ten_minutes_is_given_its_half_hour() -> None:
    pouring = {minute: 1.5 * minute for minute in range(80)}
    seldom = {0, 10, 20, 30}
    assert blind_at(Crank(site(underpass())), range(80), level=seldom, mm=pouring) == list(range(61, 80))


def test_a_device_that_falls_back_to_its_dry_pace_between_showers_is_not_blind() -> None:
    fell, spoken, mm, last = 0.0, set(), {}, -10
    for minute in range(120):
        pouring = minute % 30 < 12
        fell += 1.5 if pouring else 0.0
        if pouring or minute - last >= 10:  # both devices keep their wet pace while it rains, and no longer
            spoken.add(minute)
            mm[minute], last = fell, minute
    assert blind_at(Crank(site(underpass())), range(120), level=spoken, mm=mm) == []


def test_a_device_that_knows_of_its_own_water_only_is_not_blind_when_that_has_gone() -> None:
    crank = Crank(site(underpass()))
    for minute in range(10):
        crank.tick(minute, (LEVEL, minute, 0.03 if minute < 9 else 0.0), (RAIN, minute, 1.5 * minute))
    assert blind_at(crank, range(10, 19), level=set(), mm={m: 1.5 * m for m in range(10, 19)}) == []


@pytest.mark.parametrize("signalled", [True, False])
def test_a_signal_makes_the_pace_of_minutes_count_without_rain(signalled: bool) -> None:
    crank = Crank(site(underpass()))
    dry = dict.fromkeys(range(-1, 31), 0.0)
    crank.tick(-1, (RAIN, -1, 0.0), acts=signal() if signalled else ())
    silent = blind_at(crank, range(30), level=set(range(11)), mm=dry)
    assert silent == (list(range(14, 30)) if signalled else [])
    if signalled:
        crank.tick(30, (RAIN, 30, 0.0), acts=signal("ended"))
        assert is_blind(crank), "that the signal ends says nothing of the water"
        crank.tick(31, (RAIN, 31, 0.0), (LEVEL, 31, 0.0))
        assert not is_blind(crank)


def test_under_a_signal_a_device_that_kept_the_pace_for_the_rain_may_give_it_up_with_the_rain() -> None:
    crank = Crank(site(underpass()))
    crank.tick(-1, (RAIN, -1, 0.0), acts=signal())
    mm = {minute: 1.5 * min(minute, 12) for minute in range(40)}
    level = set(range(25)) | {34}  # a quarter of an hour of the wet pace after the rain, then the dry one
    assert blind_at(crank, range(40), level=level, mm=mm) == []
