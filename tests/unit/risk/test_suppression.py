"""Children of an incident: silenced, watched on, never red; and which alarm of a basin came first."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pytest

from risk.arrays import to_us
from risk.asof import open_alarms
from risk.conditions import ConditionAlarm, Told
from risk.engine import with_site
from risk.snapshot import dump_state, load_state
from risk.suppression import parent_of
from risk.warnings import Act
from tests.unit.risk.builders import START, Crank, gauge, site, underpass
from tests.unit.risk.test_alarms import ONLY_DEPTH

AWAY, STALE, RATE = "system/broker-away", "device/up-lvl/stale", "device/up-lvl/dead-letter-rate"
CHILD = "device/up-lvl"


class Storm(Crank):
    """A crank with the depth rules only; conditions and depths a minute apart."""

    def __init__(self, *spaces: Any) -> None:
        super().__init__(site(*(spaces or (underpass(),)), gauges=[gauge()], threshold_set=ONLY_DEPTH))
        self.minute = -1

    def goes(self, *conditions: tuple[str, bool], **depths_m: float) -> list[tuple[str, str]]:
        self.minute += 1
        at = to_us(START + timedelta(minutes=self.minute))
        acts = tuple(
            Act(self.minute * 10 + n, "system_condition", subject, "ingest", at, {"is_active": active, "value": 1.0})
            for n, (subject, active) in enumerate(conditions)
        )
        readings = [(f"{name}-lvl:water_depth_m", float(self.minute), depth) for name, depth in depths_m.items()]
        output = self.tick(self.minute, *readings, acts=acts)
        self.rows = {row.subject: row for row in output.alarms}
        return [(event.subject, event.kind) for event in output.events]


def test_a_silent_device_follows_from_a_broker_that_is_away_and_is_told_when_that_is_back() -> None:
    storm = Storm()
    storm.goes((AWAY, True))
    assert storm.goes((STALE, True)) == [(CHILD, "raised"), (CHILD, "suppressed")]
    assert (storm.rows[CHILD].suppressed_by, storm.rows[CHILD].active) == (AWAY, True)
    assert storm.goes() == [], "said once"
    assert storm.goes((AWAY, False)) == [(AWAY, "cleared"), (CHILD, "unsuppressed")]
    assert storm.rows[CHILD].suppressed_by is None


def test_as_it_was_seen_says_what_an_alarm_follows_from() -> None:
    """`asof` has the alarm log alone: suppressed while the broker is away, by itself before and after."""
    storm, seen = Storm(), []
    for conditions in ([(STALE, True)], [(AWAY, True)], [(AWAY, False)]):
        storm.goes(*conditions)
        log = [{**asdict(event), "tick_at": 0} for output in storm.outputs for event in output.events]
        seen.append({alarm["subject"]: alarm["suppressed_by"] for alarm in open_alarms(log)})
    assert seen == [{CHILD: None}, {CHILD: AWAY, AWAY: None}, {CHILD: None}]


def test_what_no_broken_chain_explains_stands_for_itself() -> None:
    storm = Storm()
    storm.goes((AWAY, True))
    assert storm.goes((RATE, True)) == [(CHILD, "raised")]
    storm = Storm()
    storm.goes((AWAY, True), (STALE, True))
    assert storm.goes((RATE, True)) == [(CHILD, "reason_added"), (CHILD, "unsuppressed")]


def test_worse_water_in_the_basin_comes_first_and_goes_on_being_watched() -> None:
    storm = Storm()
    storm.goes((RATE, True), up=0.16)
    assert storm.goes(up=0.16) == [("space/up", "raised"), (CHILD, "suppressed")]  # orange over yellow
    assert storm.goes((RATE, False)) == [(CHILD, "cleared")], "its end is not missed"
    assert storm.rows[CHILD].suppressed_by is None
    assert storm.goes((RATE, True)) == [(CHILD, "raised"), (CHILD, "suppressed")]


def test_a_parent_stays_while_it_explains_and_then_another_takes_its_place() -> None:
    alarm = ConditionAlarm(severity=2, told={"dead-letter-rate": Told(2, 0, {})}, suppressed_by="space/b")
    for water, parent in (
        ({"space/a": 4, "space/b": 3}, "space/b"), ({"space/a": 4, "space/b": 2}, "space/a"), ({"space/a": 2}, None),
    ):  # fmt: skip
        assert parent_of("device/up-lvl", alarm, {}, {"b1": water}, "b1") == parent


def test_water_of_another_basin_or_no_worse_silences_nothing() -> None:
    other = Storm(underpass(), underpass("far", basin="b2"))
    other.goes((RATE, True), far=0.16)
    assert other.goes(far=0.16) == [("space/far", "raised")]
    yellow = Storm()
    yellow.goes((RATE, True), up=0.11)
    assert yellow.goes(up=0.11) == [("space/up", "raised")]


@pytest.mark.parametrize("severity", [1, 2, 3, 4])
@pytest.mark.parametrize("subject", ["space/up", "system/ingest-lag", "device/up-lvl"])
def test_red_alarms_and_those_of_spaces_and_of_the_system_are_never_children(subject: str, severity: int) -> None:
    alarm = ConditionAlarm(severity=severity, told={"stale": Told(severity, 0, {})})
    parent = parent_of(subject, alarm, {AWAY: ConditionAlarm(severity=4)}, {"b1": {"space/x": 4}}, "b1")
    assert (parent is not None) == (subject == "device/up-lvl" and severity < 4)


def test_a_snapshot_keeps_what_follows_from_what() -> None:
    storm = Storm()
    storm.goes((AWAY, True), (STALE, True))
    engine = storm.engine
    again = load_state(dump_state(engine.state, engine.plant.arrays), engine.plant.arrays)
    assert again.conditions == engine.state.conditions
    assert again.conditions[CHILD].suppressed_by == AWAY


def test_the_alarm_of_a_device_that_leaves_the_site_ends_and_nothing_is_told_of_it_again() -> None:
    storm = Storm(underpass(), underpass("far"))
    subject = "device/far-lvl"
    storm.goes((f"{subject}/offline", True))
    fewer = site(underpass(), gauges=[gauge()], threshold_set=ONLY_DEPTH)
    storm.engine = with_site(storm.engine, fewer, 2, START)
    assert storm.goes() == [(subject, "cleared")]
    event = storm.outputs[-1].events[-1]
    assert (event.detail["by"], event.severity) == ("the device is no longer in the site", 0)
    assert storm.goes((f"{subject}/offline", True)) == []


def test_the_first_alarm_of_a_basin_is_marked_until_all_have_ended() -> None:
    storm = Storm(underpass("a"), underpass("b"), underpass("c", basin="b2"))

    def firsts() -> list[tuple[str, str]]:
        return [(e.subject, e.detail["first_out"]) for e in storm.outputs[-1].events if "first_out" in e.detail]

    storm.goes(a=0.11, b=0.16)
    storm.goes(a=0.11, b=0.16)
    assert firsts() == [("space/b", "b1")], "of two in one tick the worse"
    storm.goes(c=0.16)
    storm.goes(c=0.16)
    assert firsts() == [("space/c", "b2")]
    for _ in range(20):
        storm.goes(a=0.11, b=0.0, c=0.0)
    storm.goes(a=0.11, b=0.16)
    storm.goes(a=0.11, b=0.16)
    assert ("space/b", "raised", {}) in [(e.subject, e.kind, e.detail) for e in storm.outputs[-1].events]
