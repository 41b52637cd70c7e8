"""Alarms of devices and of the system: told, acknowledged, shelved, ended, and the same after a snapshot."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

from risk.arrays import to_us
from risk.output import TickOutput
from risk.snapshot import dump_state, load_state
from risk.warnings import Act
from tests.unit.risk.builders import START, Crank, site, underpass

CHANNEL = "system/channel-hook"
LAG, OFFLINE, RATE = "system/ingest-lag", "device/up-lvl/offline", "device/up-lvl/dead-letter-rate"


class Desk:
    """A crank that acts are handed to, a minute apart."""

    def __init__(self) -> None:
        self.crank = Crank(site(underpass()))
        self._numbers = count(1)

    def does(self, kind: str, subject: str, **body: Any) -> TickOutput:
        minute = next(self._numbers)
        acted_us = to_us(START + timedelta(minutes=minute))
        return self.crank.tick(minute, acts=(Act(minute, kind, subject, "li", acted_us, body),))

    def told(self, subject: str, *, is_active: bool = True, value: float = 42.0) -> TickOutput:
        body = {"value": value, "threshold": 10.0, "unit": "s", "detail": "a detail"}
        return self.does("system_condition", subject, is_active=is_active, **body)

    def waits(self) -> TickOutput:
        return self.crank.tick(next(self._numbers))


def test_a_condition_is_an_alarm_with_value_threshold_time_and_words() -> None:
    output = Desk().told(LAG)
    event, alarm = output.events[0], output.alarms[0]
    assert (event.subject, event.kind, event.severity, event.event_no) == (LAG, "raised", 3, 1)
    assert (alarm.subject_kind, alarm.active, alarm.raised_us) == ("system", True, output.tick_us)
    reason = event.reasons[0]
    assert (reason["rule"], reason["value"], reason["threshold"], reason["unit"]) == ("ingest-lag", 42.0, 10.0, "s")
    assert reason["observed_at"] == "2026-07-01T08:01:00Z"
    assert "42 s" in reason["text_en"]
    assert "42 s" in reason["text_zh"]


def test_a_slot_has_the_meaning_of_its_condition_and_an_alarm_of_its_own() -> None:
    desk = Desk()
    desk.told(LAG)
    assert [(e.subject, e.kind) for e in desk.told("system/ingest-lag-2").events] == [("system/ingest-lag-2", "raised")]
    assert desk.crank.engine.state.conditions["system/ingest-lag-2"].severity == 3


def test_the_conditions_of_a_device_make_one_alarm() -> None:
    desk = Desk()
    desk.told(OFFLINE)
    desk.does("acknowledge", "device/up-lvl", comment="seen")
    added = desk.told(RATE)
    assert [(e.subject, e.kind) for e in added.events] == [("device/up-lvl", "reason_added")]
    assert not added.alarms[0].acknowledged, "a new condition is told again"
    assert {reason["rule"] for reason in added.alarms[0].reasons} == {"offline", "dead-letter-rate"}
    assert desk.told(OFFLINE, is_active=False).events == [], "one of two has ended: the alarm goes on"
    ended = desk.told(RATE, is_active=False)
    assert [(e.kind, e.severity) for e in ended.events] == [("cleared", 0)]
    assert ended.alarms[0].latched, "nobody acknowledged what was added"
    assert (ended.alarms[0].active, ended.alarms[0].severity, ended.alarms[0].cleared_us) == (False, 2, ended.tick_us)


def test_told_again_changes_nothing_and_an_end_without_a_beginning_says_nothing() -> None:
    desk = Desk()
    assert desk.told(LAG, is_active=False).events == []
    desk.told(LAG)
    output = desk.told(LAG, value=99.0)
    assert (output.events, output.alarms[0].reasons[0]["value"]) == ([], 99.0), "its words are those told last"


def test_what_holds_and_became_worse_is_told_again() -> None:
    desk = Desk()
    body = {"is_active": True, "threshold": 1.0, "unit": "addresses", "detail": ""}
    assert [e.kind for e in desk.does("system_condition", CHANNEL, value=1.0, **body).events] == ["raised"]
    desk.does("acknowledge", CHANNEL, comment="seen")
    output = desk.does("system_condition", CHANNEL, value=2.0, is_worse=True, **body)
    assert [(e.kind, e.reasons[0]["value"]) for e in output.events] == [("reason_added", 2.0)]
    assert (output.alarms[0].acknowledged, output.alarms[0].active) == (False, True)
    assert [e.kind for e in desk.does("system_condition", CHANNEL, is_active=False).events] == ["cleared"]
    assert desk.does("system_condition", CHANNEL, is_active=False, is_worse=True).events == []


def test_a_storm_that_begins_shortens_a_shelving_and_another_condition_ends_it() -> None:
    desk = Desk()
    desk.told(OFFLINE)
    desk.does("shelve", "device/up-lvl", minutes=480, reason="being renewed")
    warned = desk.does("rain_warning", "warning/w", state="in_force", colour="yellow", basins=["b2"], streets=[])
    until = "2026-07-01T08:33:00Z"  # half an hour after 08:03
    assert [(e.kind, e.detail) for e in warned.events] == [("shelved", {"by": "storm", "until": until})]
    assert desk.waits().events == [], "once"
    added = desk.told(RATE)
    assert [(e.kind, e.detail) for e in added.events] == [("unshelved", {"by": "another reason"}), ("reason_added", {})]
    assert added.alarms[0].shelved_us is None


def test_raised_again_it_is_another_occurrence() -> None:
    desk = Desk()
    for is_active in (True, False, True):
        output = desk.told(LAG, is_active=is_active)
    assert (output.events[0].occurrence, output.events[0].event_no) == (2, 3)


def test_shelving_needs_a_reason_and_an_end_and_expires_by_the_clock() -> None:
    desk = Desk()
    desk.told(LAG)
    refused = desk.does("shelve", LAG, minutes=5)
    assert (refused.events[0].kind, refused.events[0].detail["why"]) == ("refused", "shelving needs a reason")
    assert refused.alarms == []
    assert desk.does("shelve", LAG, minutes=481, reason="x").events[0].kind == "refused"
    shelved = desk.does("shelve", LAG, minutes=2, reason="the broker is being renewed")
    assert shelved.events[0].kind == "shelved"
    assert desk.waits().events == [], "the last moment at which it is still shelved"
    assert [(e.kind, e.detail) for e in desk.waits().events] == [("unshelved", {"by": "expiry"})]


def test_an_alarm_is_acknowledged_once() -> None:
    desk = Desk()
    assert desk.does("acknowledge", LAG).events == [], "there is no such alarm"
    desk.told(LAG)
    assert desk.does("acknowledge", LAG, comment="on it").alarms[0].acknowledged
    assert desk.does("acknowledge", LAG).events[0].detail["why"] == "it is acknowledged already"


def test_spaces_go_their_own_way() -> None:
    desk = Desk()
    desk.told(LAG)
    assert desk.crank.events("space/up") == []


def test_a_snapshot_keeps_what_was_told() -> None:
    desk = Desk()
    desk.told(LAG)
    desk.told(OFFLINE)
    desk.does("shelve", LAG, minutes=5, reason="x")
    engine = desk.crank.engine
    again = load_state(dump_state(engine.state, engine.plant.arrays), engine.plant.arrays)
    assert again.conditions == engine.state.conditions
