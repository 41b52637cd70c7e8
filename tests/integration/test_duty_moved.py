"""An alarm keeps the incident it began in, wherever a site import puts its place; and an incident can end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from duty.acts import acts
from duty.door import door
from duty.door.refusals import SubjectUnknown
from duty.notify.notifier import Notifier
from duty.orders import acts as order_acts
from duty.orders.orders import Proof
from duty.reports import paper
from duty.telling.addressed import Channels
from duty.telling.texts import Style
from tests.integration.door_kit import actor
from tests.integration.duty_kit import messages, opened, prepared, tick
from tests.integration.duty_kit import now as right_now
from undercroft.store import duty, duty_acts, duty_late, duty_reports
from undercroft.store.connection import Connection

CHANNELS, STYLE = Channels(frozenset({"hook"})), Style({}, ZoneInfo("UTC"), exercise=False)
BEGAN = right_now()
HOUR = timedelta(hours=1)


def move(db: Connection) -> None:
    db.execute("insert into basin (basin_id, name_zh, name_en) values ('b9', '九', 'nine')")
    db.execute("update place set basin_id = 'b9' where place_id = 'gar'")


def told(db: Connection) -> list[str]:
    return [row["reason"] for row in messages(db) if row["reason"] != "report_late"]


def still_open(db: Connection) -> int:
    return len(db.execute("select from incident where closed_at is null").fetchall())


def test_an_alarm_of_a_place_that_moved_is_acknowledged_and_ends_where_it_began(live_db: str) -> None:
    with opened(live_db) as db:
        prepared(db, at=BEGAN)
        notifier = Notifier(db, CHANNELS, STYLE)
        tick(db, 1, BEGAN, ("space/gar", "raised", 4), ("space/up", "raised", 2))
        notifier.step_live(BEGAN, BEGAN)
        move(db)
        of = duty_acts.incident_of(db, "space/gar")
        assert of is not None
        assert of["incident_id"] == db.execute("select incident_id from incident").fetchall()[0]["incident_id"]
        at = BEGAN + timedelta(seconds=10)
        tick(db, 2, at, ("space/gar", "acknowledged", 4), ("space/gar", "cleared", 0), ("space/up", "cleared", 0))
        for when in (at, at + HOUR):
            notifier.step_live(when, when)
        assert told(db) == ["first", "all_clear"]
        assert still_open(db) == 0
        tick(db, 3, at + HOUR, ("space/gar", "raised", 4))
        db.execute("update alarm_event set occurrence = 2 where tick_seq = 3")
        notifier.step_live(at + HOUR, at + HOUR)
        assert [row["basin_id"] for row in db.execute("select * from incident where closed_at is null")] == ["b9"]
        # Reports and CAP follow the alarms, not where the place lies now; its next alarm is told in the other incident.
        first, second = (paper.load_case(db, row["incident_id"]) for row in reversed(duty_reports.incidents(db)))
        assert [(row["subject"], row["kind"]) for row in first.events if row["subject"] == "space/gar"] == [
            ("space/gar", "raised"), ("space/gar", "acknowledged"), ("space/gar", "cleared"),
        ]  # fmt: skip
        assert [(row["subject"], row["occurrence"]) for row in second.events] == [("space/gar", 2)]
        assert paper.cap_subjects(second) == ["space/gar"]
        serious = {row["incident_id"]: row["serious_at"] for row in duty_late.serious_incidents(db, 4)}
        assert serious == {first.row["incident_id"]: BEGAN, second.row["incident_id"]: at + HOUR}


def test_an_incident_that_missed_the_end_of_its_alarm_and_one_whose_space_is_gone_end(live_db: str) -> None:
    with opened(live_db) as db:
        prepared(db, at=BEGAN)
        notifier = Notifier(db, CHANNELS, STYLE)
        tick(db, 1, BEGAN, ("space/gar", "raised", 4), ("space/up", "raised", 4))
        notifier.step_live(BEGAN, BEGAN)
        tick(db, 2, BEGAN, ("space/gar", "acknowledged", 4), ("space/gar", "cleared", 0))
        db.execute("update duty_progress set tick_seq = 2")  # as a notifier left it that looked for it in another basin
        again = Notifier(db, CHANNELS, STYLE)
        again.restore()
        (incident,) = again.incidents.values()
        assert [note.subject for note in incident.open_alarms] == ["space/up"]
        db.execute("update place set retired_at = %s where place_id = 'up'", (BEGAN,))
        again.heal()
        for when in (BEGAN + HOUR, BEGAN + 2 * HOUR):
            again.step_live(when, when)
        assert told(db) == ["first", "all_clear"]
        assert still_open(db) == 0


def test_of_a_space_that_left_the_site_nothing_is_ordered_reported_or_pressed_for(live_db: str) -> None:
    with opened(live_db) as db:
        prepared(db, at=BEGAN)
        notifier = Notifier(db, CHANNELS, STYLE)
        tick(db, 1, BEGAN, ("space/gar", "raised", 4), ("space/up", "raised", 4))
        notifier.step_live(BEGAN, BEGAN)
        leader = actor(db, "leader")
        device = db.execute("select device_id from device where place_id = 'up' limit 1").fetchall()[0]["device_id"]
        asked: list[Callable[[], object]] = [
            lambda: order_acts.order(db, leader, "space/up", Proof.CHECKED, "Lianhua", BEGAN),
            lambda: order_acts.proposed(db, "space/up"),
            lambda: acts.perform(db, leader, acts.Act("field_report", "space/up", {"depth_m": 0.3}), BEGAN),
            lambda: acts.perform(
                db, leader, acts.Act("out_of_service", f"device/{device}", {"reason": "lies", "minutes": 60}), BEGAN
            ),
        ]
        for act in asked:
            act()
        late = BEGAN + HOUR
        assert [row["subject"] for row in duty.late_orders(db, late)] == ["space/up"]
        db.execute("update place set retired_at = %s where place_id = 'up'", (BEGAN,))
        for act in asked:
            with pytest.raises(SubjectUnknown, match=r"there is no|has no space"):
                act()
        assert duty.late_orders(db, late) == []


def test_an_incident_is_acknowledged_though_a_colleague_took_one_of_its_alarms(live_db: str) -> None:
    with opened(live_db) as db:
        prepared(db, at=BEGAN)
        tick(db, 1, BEGAN, ("space/gar", "raised", 4), ("space/up", "raised", 4))
        for subject, taken in (("space/gar", True), ("space/up", False)):
            db.execute(
                "insert into alarm (subject, occurrence, subject_kind, severity, peak_severity, active, acknowledged,"
                " raised_at, reasons, last_tick_seq) values (%s, 1, 'space', 4, 4, true, %s, %s, '[]', 1)",
                (subject, taken, BEGAN),
            )
        Notifier(db, CHANNELS, STYLE).step_live(BEGAN, BEGAN)
        token, hashed = door.new_token()
        duty_acts.add_operator(db, "wu", "wu", "officer", hashed, BEGAN)
        incident = messages(db)[0]["incident_id"]
        act = acts.Act("acknowledge", f"incident/{incident}", {"comment": "mine"})
        acts.perform(db, door.authorise(db, token, "test", BEGAN), act, BEGAN)
        assert [row["subject"] for row in db.execute("select subject from act")] == ["space/up"]


def test_a_dead_sensor_outlasts_the_flood_and_the_next_storm_is_another_incident(live_db: str) -> None:
    with opened(live_db) as db:
        prepared(db, at=BEGAN)
        notifier = Notifier(db, CHANNELS, STYLE)
        first, ended, second = BEGAN, BEGAN + timedelta(minutes=91), BEGAN + timedelta(minutes=300)
        log: list[tuple[int, list[tuple[str, str, int]]]] = [
            (0, [("space/gar", "raised", 4)]), (1, [("space/gar", "acknowledged", 4)]),
            (20, [("device/gar-out", "raised", 2)]), (21, [("device/gar-out", "acknowledged", 2)]),
            (60, [("space/gar", "cleared", 0)]), (91, []), (300, [("space/up", "raised", 4)]),
        ]  # fmt: skip
        for number, (minute, events) in enumerate(log, 1):
            tick(db, number, BEGAN + timedelta(minutes=minute), *events)
            notifier.step_live(BEGAN + timedelta(minutes=minute), BEGAN)
            if minute == 91:  # half an hour after the last space's alarm
                assert [entry.first_subject for entry in notifier.incidents.values()] == ["device/gar-out"]
        rows = db.execute("select incident_id, opened_at, closed_at, worst from incident order by opened_at").fetchall()
        assert [(row["opened_at"], row["closed_at"], row["worst"]) for row in rows] == [
            (first, ended, 4), (ended, second, 2), (second, None, 4),
        ]  # fmt: skip
        flood, devices, storm = (row["incident_id"] for row in rows)
        said = [(row["incident_id"], row["reason"]) for row in messages(db) if row["reason"] != "no_order"]
        assert {name for name, reason in said if reason == "all_clear"} == {flood}
        assert {reason for name, reason in said if name == storm} == {"first"}
        assert devices not in {name for name, _ in said}, "who was told of them said mine"
        assert set(notifier.reports.asked) == {flood, storm}, "nobody reports a sensor"
        again = Notifier(db, CHANNELS, STYLE)
        again.restore()
        assert again.incidents == notifier.incidents


def test_mine_takes_no_red_that_came_while_the_notifier_was_away(live_db: str) -> None:
    with opened(live_db) as db:
        prepared(db, at=BEGAN)
        tick(db, 1, BEGAN, ("space/gar", "raised", 3), ("space/up", "raised", 3))
        for subject in ("space/gar", "space/up"):
            db.execute(
                "insert into alarm (subject, occurrence, subject_kind, severity, peak_severity, active, raised_at,"
                " reasons, last_tick_seq) values (%s, 1, 'space', 3, 3, true, %s, '[]', 1)",
                (subject, BEGAN),
            )
        Notifier(db, CHANNELS, STYLE).step_live(BEGAN, BEGAN)
        tick(db, 2, BEGAN, ("space/gar", "severity_up", 4))  # nobody reads it for now
        token, hashed = door.new_token()
        duty_acts.add_operator(db, "wu", "wu", "officer", hashed, BEGAN)
        wu = door.authorise(db, token, "test", BEGAN)
        act = acts.Act("acknowledge", f"incident/{messages(db)[0]['incident_id']}", {"comment": "mine"})
        done = acts.perform(db, wu, act, BEGAN, "k")
        assert done.left_out == "space/gar"
        assert acts.perform(db, wu, act, BEGAN, "k") == replace(done, repeated=True)
        assert [row["subject"] for row in db.execute("select subject from act")] == ["space/up"]
        db.execute("update alarm set acknowledged = true where subject = 'space/up'")
        tick(db, 3, BEGAN, ("space/up", "acknowledged", 3))
        again = Notifier(db, CHANNELS, STYLE)
        again.restore()
        again.step_live(BEGAN, BEGAN)
        assert told(db) == ["first", "worse"]
        acts.perform(db, wu, act, BEGAN)
        assert db.execute("select subject from act order by commit_seq").fetchall()[1:] == [{"subject": "space/gar"}]
