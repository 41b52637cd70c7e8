"""Incidents with their first alarm, children, and the alarm load live and per shift, from a real server."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import orjson

from duty.incidents.codec import to_json
from duty.incidents.incidents import Pressed, fold, opened
from risk.follower import Follower
from risk.run import step_live
from tests.browser.service import running_api
from tests.integration.duty_kit import now, prepared, tick
from tests.integration.duty_kit import opened as database
from tests.unit.duty.kit import event
from undercroft.store.conditions import Condition, device_subject, set_condition
from undercroft.store.duty import rows


def get(address: str, path: str) -> Any:
    answer = httpx.get(f"{address}api/v1{path}", timeout=30.0)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_an_incident_names_the_alarm_that_came_first(live_db: str) -> None:
    first, second = event(0, "raised", 3), event(1, "raised", 4, "space/up")
    incident = fold(fold(opened("b1", first), first), second)
    told = Pressed("no_order", ("space/gar",), incident.opened_at, 2, 1, incident.opened_at, ("space/gar",))
    incident = replace(incident, pressed=(told, replace(told, reason="order_undone", left=())))
    with database(live_db) as db:
        prepared(db)
        for number, closed in ((0, incident.opened_at + timedelta(hours=1)), (1, None)):
            db.execute(
                "insert into incident (incident_id, basin_id, opened_at, closed_at, worst, state)"
                " values (%s, 'b1', %s, %s, 4, %s)",
                (
                    f"b1-{number}", incident.opened_at + timedelta(days=number), closed,
                    orjson.dumps(to_json(incident)).decode(),
                ),
            )  # fmt: skip
        with running_api(live_db) as (address, _):
            page = get(address, "/incidents?limit=1")
            (newest,) = page["items"]
            assert (newest["incident_id"], newest["first_out"], newest["reached"]) == ("b1-1", "space/gar", -1)
            assert [(row["subject"], row["active"]) for row in newest["alarms"]] == [
                ("space/gar", True), ("space/up", True),
            ]  # fmt: skip
            assert [(row["reason"], row["left"], row["times"]) for row in newest["pressed"]] == [
                ("no_order", ["space/gar"], 2)
            ], "what is done is only remembered"
            older = get(address, f"/incidents?limit=1&cursor={page['next_cursor']}")
            assert [row["incident_id"] for row in older["items"]] == ["b1-0"]
            assert [row["incident_id"] for row in get(address, "/incidents?open=true")["items"]] == ["b1-1"]


def test_a_child_is_shown_with_the_alarm_that_it_follows_from(live_db: str) -> None:
    with database(live_db) as db, running_api(live_db) as (address, _):
        prepared(db)
        follower = Follower(db)
        set_condition(db, Condition("broker-away", True, 20.0, 10.0, "s", ""), "ingest", now())
        silent = Condition("stale", True, 2000.0, 1800.0, "s", "", device_subject("up-lvl"))
        set_condition(db, silent, "ingest", now())
        step_live(db, follower, now())
        shown = {row["subject"]: row for row in get(address, "/alarms?open=true")["items"]}
        assert shown["device/up-lvl"]["suppressed_by"] == "system/broker-away"
        assert shown["device/up-lvl"]["active"] is True
        assert shown["system/broker-away"]["suppressed_by"] is None
        kinds = [row["kind"] for row in get(address, "/alarm-events?subject=device/up-lvl")["items"]]
        assert kinds == ["suppressed", "raised"]
        assert {row["basin_id"] for row in rows(db, "duty_events", after=0, up_to=1)} == {"b1", "district"}


def test_the_load_is_counted_live_and_per_shift(live_db: str) -> None:
    """Li's shift began four hours ago: 12 alarms within two minutes half an hour ago, 1 two hours ago."""
    at = now()
    with database(live_db) as db:
        prepared(db, at=at)
        tick(db, 1, at - timedelta(hours=2), ("space/up", "raised", 2))
        tick(db, 2, at - timedelta(hours=1, minutes=50), ("space/up", "acknowledged", 2))
        for number in range(12):
            came = at - timedelta(minutes=30) + timedelta(seconds=10 * number)
            tick(db, 3 + number, came, ("space/gar", "raised" if number == 0 else "reason_added", 3))
        for subject, active in (("device/old", True), ("device/mended", False)):  # 40 days old: one stands, one ended
            db.execute(
                "insert into tick (tick_seq, tick_at, up_to_commit_seq) values (0, %s, 0) on conflict do nothing",
                (at - timedelta(days=40),),
            )
            db.execute(
                "insert into alarm (subject, occurrence, subject_kind, severity, peak_severity, active, raised_at,"
                " reasons, last_tick_seq) values (%s, 1, 'device', 2, 2, %s, %s, '[]', 0)",
                (subject, active, at - timedelta(days=40)),
            )
            db.execute(
                "insert into alarm_event (subject, event_no, occurrence, tick_seq, tick_at, kind, severity, reasons)"
                " values (%s, 0, 1, 0, %s, 'raised', 2, '[]')",
                (subject, at - timedelta(days=40)),
            )
        ended = at - timedelta(minutes=20)
        tick(db, 20, ended, ("device/mended", "cleared", 2))
        for key, person in (("k1", "li"), ("k2", "wu")):  # one cause to two people is one message
            db.execute(
                "insert into notification (key, cause, incident_id, reason, step, severity, person_id, channel,"
                " address, title, body, decided_at, state)"
                " values (%s, 'i#1', 'i', 'first', 0, 3, %s, 'hook', %s, 't', 'b', %s, 'accepted')",
                (key, person, person, at - timedelta(minutes=30)),
            )
        with running_api(live_db) as (address, _):
            load = get(address, "/alarm-load")
    assert load["target"] == {"manageable_per_window": 1.0, "flood_begins": 10, "flood_share": 0.01}
    live, (shift,) = load["live"], load["shifts"]
    assert (live["alarms"], live["peak_window"], live["never_acknowledged"]) == (12, 12, 1)
    assert (live["stale"], shift["stale"]) == (["device/old"], ["device/old"])
    assert (live["messages"], shift["messages"]) == (1, 1)
    # The tenth came 90 s after the first; fewer than five were left 10 min after the eighth: a flood of 9 min 40 s.
    assert round(live["flood_share"] * 3600) == 580
    assert (live["manageable"], live["flood_now"]) == (False, False)
    assert round(live["per_window_per_operator"], 2) == 2.0  # 12 in six windows of ten minutes
    assert (shift["person_id"], shift["is_present"], shift["alarms"]) == ("li", True, 13)
    assert shift["ack_median_s"] == 600.0
    assert shift["manageable"] is True  # 13 in 24 windows
    assert shift["top"][0] == ["space/gar", 12]
