"""The notifier on a real database with real channels: nothing lost, nothing doubled unseen, no channel held up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import duty.file
from duty.channels.merging import carried_by, next_of
from duty.channels.worker import Limiter
from duty.senders.base import Outcome, Outgoing
from tests.integration.duty_kit import (
    START,
    duty_file,
    messages,
    now,
    opened,
    prepared,
    running,
    tick,
    wait_until,
)
from tests.integration.duty_servers import service
from undercroft.store import duty as store
from undercroft.store import duty_acts, duty_late, duty_reports

HOOK = {"kind": "webhook", "url_env": "URL", "secret_env": "SECRET"}
OK: tuple[int, dict[str, str]] = (200, {})


def states(rows: list[dict[str, Any]], but: str) -> list[str]:
    return [row["state"] for row in rows if row["channel"] != but]


def test_a_red_alarm_reaches_the_officer_once(live_db: str) -> None:
    with opened(live_db) as db, service(lambda _: OK) as it:
        prepared(db)
        with running(live_db, duty_file(hook=HOOK), {"URL": it.url, "SECRET": "s"}):
            tick(db, 1, now(), ("space/gar", "raised", 4))
            (row,) = wait_until(db, lambda rows: bool(rows) and rows[0]["state"] == "accepted")
        assert (row["person_id"], row["reason"], row["attempts"], row["severity"]) == ("li", "first", 1, 4)
        assert row["first_attempt_at"] >= row["queued_at"]
        assert it.keys == [row["key"]]
        assert "严禁进入地下车库" in it.received[0]["body"]
        # Another notifier on the same database takes up where this one ended and says nothing twice.
        with running(live_db, duty_file(hook=HOOK), {"URL": it.url, "SECRET": "s"}):
            tick(db, 2, now(), ("space/gar", "acknowledged", 4))
            tick(db, 3, now(), ("space/gar", "cleared", 0))
            wait_until(db, lambda rows: [r["state"] for r in rows] == ["accepted"] * 2)
        assert [row["reason"] for row in messages(db)] == ["first", "all_clear"]


def test_temporary_failures_repeat_with_the_same_key_and_others_go_on(live_db: str) -> None:
    with (
        opened(live_db) as db,
        service(lambda number: (500, {}) if number == 1 else (429, {}) if number == 2 else OK) as bad_day,
        service(lambda _: (0, {})) as hangs,
        service(lambda _: OK) as good,
    ):
        prepared(db)
        db.execute(
            "update roster_shift set reach = %s where step = 0",
            ('[{"channel":"hangs","address":"a"},{"channel":"bad","address":"b"},{"channel":"good","address":"c"}]',),
        )
        file = duty_file(hangs=HOOK | {"url_env": "HANGS", "timeout_s": 0.5}, bad=HOOK | {"url_env": "BAD"}, good=HOOK)
        urls = {"HANGS": hangs.url, "BAD": bad_day.url, "URL": good.url, "SECRET": "s"}
        with running(live_db, file, urls):
            tick(db, 1, now(), ("space/gar", "raised", 4))
            good.wait_for(1)
            rows = wait_until(db, lambda rows: states(rows, but="hangs") == ["accepted"] * 2)
        by_channel = {row["channel"]: row for row in rows}
        assert bad_day.keys == [by_channel["bad"]["key"]] * 3
        assert by_channel["bad"]["attempts"] == 3
        assert by_channel["hangs"]["state"] in {"queued", "sending"}


def test_a_refusal_inside_a_200_goes_to_the_fallback(live_db: str) -> None:
    with (
        opened(live_db) as db,
        service(lambda _: (200, {"errcode": 93000, "errmsg": "invalid webhook url"})) as refuses,
        service(lambda _: OK) as control_room,
    ):
        prepared(db, channel="bot")
        file = duty_file(bot={"kind": "wecom", "url_env": "BOT"}, hook=HOOK, file={"fallback": ["hook:control"]})
        with running(live_db, file, {"BOT": refuses.url, "URL": control_room.url, "SECRET": "s"}):
            tick(db, 1, now(), ("space/gar", "raised", 3))
            refused, rescued = wait_until(db, lambda rows: len(rows) == 2 and rows[1]["state"] == "accepted")
        assert refused["state"] == "failed"
        assert refused["error"] == "error code 93000: invalid webhook url"
        assert (rescued["address"], rescued["reason"]) == ("control", "escalated")
        assert len(refuses.received) == 1


class Breaks:
    """A sender that breaks its promise to raise nothing."""

    most_bytes = None

    def send(self, message: Outgoing) -> Outcome:
        raise TypeError(f"cannot send to http://example.org/?key=secret: {message.key}")


def test_a_sender_that_breaks_is_its_channels_fault_alone(live_db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other channel has sent when the broken one gave up after a few tries, with its words and without the URL."""
    monkeypatch.setattr("duty.channels.retrying.FIRST_BACKOFF_S", 0.01)
    real = duty.file.sender_of
    monkeypatch.setattr(
        "duty.notify.run.sender_of", lambda entry, *rest: Breaks() if entry.id == "broken" else real(entry, *rest)
    )
    with opened(live_db) as db, service(lambda _: OK) as good:
        prepared(db)
        db.execute(
            "update roster_shift set reach = %s where step = 0",
            ('[{"channel":"broken","address":"a"},{"channel":"good","address":"b"}]',),
        )
        with running(live_db, duty_file(broken=HOOK, good=HOOK), {"URL": good.url, "SECRET": "s"}):
            tick(db, 1, now(), ("space/gar", "raised", 3))
            rows = wait_until(db, lambda rows: sorted(row["state"] for row in rows) == ["accepted", "failed"])
    (failed,) = [row for row in rows if row["state"] == "failed"]
    assert (failed["channel"], failed["attempts"]) == ("broken", 5)
    assert failed["error"].startswith("the channel's sender broke: TypeError at test_duty_service.py:")
    assert "secret" not in failed["error"]


def test_an_empty_roster_tells_the_fallback(live_db: str) -> None:
    with opened(live_db) as db, service(lambda _: OK) as it:
        prepared(db)
        db.execute("delete from roster_shift")
        file = duty_file(hook=HOOK, file={"fallback": ["hook:control"]})
        with running(live_db, file, {"URL": it.url, "SECRET": "s"}):
            tick(db, 1, now(), ("space/gar", "raised", 4))
            it.wait_for(1)
        assert it.received[0]["address"] == "control"


def test_killed_between_send_and_record_sends_again_with_the_same_key(live_db: str, tmp_path: Path) -> None:
    with opened(live_db) as db, service(lambda number: (0, {}) if number == 1 else OK) as it:
        prepared(db)
        path = tmp_path / "duty.toml"
        path.write_text('[[channel]]\nid = "hook"\nkind = "webhook"\nurl_env = "URL"\nsecret_env = "SECRET"\n')
        environment = {**os.environ, "UNDERCROFT_DATABASE_URL": live_db, "URL": it.url, "SECRET": "s"}
        command = [sys.executable, "-m", "undercroft", "duty", "--config", str(path)]
        tick(db, 1, now(), ("space/gar", "raised", 4))
        first = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        it.wait_for(1)
        first.send_signal(signal.SIGKILL)
        first.wait()
        assert messages(db)[0]["state"] == "sending"
        second = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        (row,) = wait_until(db, lambda rows: rows[0]["state"] == "accepted")
        second.terminate()
        assert second.wait(20) == 0
        assert it.keys == [row["key"]] * 2
        assert row["attempts"] == 2


def test_a_drill_reaches_nobody_unless_it_names_the_channel(exercise_db: str) -> None:
    with opened(exercise_db) as db, service(lambda _: OK) as real, service(lambda _: OK) as drill:
        prepared(db, at=START)
        db.execute(
            "update roster_shift set reach = %s where step = 0",
            ('[{"channel":"hook","address":"a"},{"channel":"drill","address":"b"}]',),
        )
        file = duty_file(hook=HOOK, drill=HOOK | {"url_env": "DRILL"}, file={"drill": ["drill"]})
        with running(exercise_db, file, {"URL": real.url, "DRILL": drill.url, "SECRET": "s"}):
            tick(db, 1, START, ("space/gar", "raised", 4))
            drill.wait_for(1)
            rows = wait_until(db, lambda rows: "accepted" in {r["state"] for r in rows})
        assert {row["channel"]: row["state"] for row in rows} == {"hook": "held", "drill": "accepted"}
        assert real.received == []
        assert drill.received[0]["body"].startswith("【演练】")


def test_a_run_is_decided_tick_by_tick_however_late_it_is_read(exercise_db: str) -> None:
    with opened(exercise_db) as db:
        prepared(db, at=START)
        for minute in range(12):
            events = [("space/gar", "raised", 4)] if minute == 0 else []
            tick(db, minute + 1, START + timedelta(minutes=minute), *events)
        with running(exercise_db, duty_file(hook=HOOK), {}):
            rows = wait_until(db, lambda rows: len(rows) >= 9)
        told = [((row["decided_at"] - START).total_seconds() / 60, row["person_id"], row["reason"]) for row in rows]
        assert told == [
            (0, "li", "first"),
            (3, "li", "repeat"), (3, "wu", "escalated"),
            (6, "li", "repeat"), (6, "wu", "repeat"), (6, "chen", "escalated"),
            (9, "li", "repeat"), (9, "wu", "repeat"), (9, "chen", "repeat"),
        ]  # fmt: skip


def test_a_database_that_drops_its_sessions_loses_nothing(live_db: str) -> None:
    with opened(live_db) as db, service(lambda _: OK) as it:
        prepared(db)
        with running(live_db, duty_file(hook=HOOK), {"URL": it.url, "SECRET": "s"}):
            tick(db, 1, now(), ("space/gar", "raised", 4))
            it.wait_for(1)
            db.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name like 'undercroft-duty%' and datname = current_database()"
            )
            tick(db, 2, now(), ("space/gar", "acknowledged", 4), ("space/up", "raised", 4))
            it.wait_for(2)
            wait_until(db, lambda rows: [r["state"] for r in rows][:2] == ["accepted"] * 2)
        assert len(set(it.keys)) == len(messages(db))


def test_over_the_limit_the_most_urgent_carries_what_fits_to_its_address() -> None:
    """Of 100 bytes the carrier takes 10; a line between takes 20, so 70 fit and 71 do not. 5 was tried, 8 carries."""
    rows = [
        {
            "notification_id": n, "address": address, "attempts": attempts, "carries": n == 8, "body": "b" * size,
            "reason": "first", "severity": 4,
        }
        for n, address, attempts, size in [
            (7, "a", 0, 10), (3, "b", 0, 1), (4, "a", 0, 71), (9, "a", 0, 70), (5, "a", 1, 1), (8, "a", 0, 1),
        ]
    ]  # fmt: skip
    assert next_of(rows, lambda _: 5) == (rows[0], 5)
    assert carried_by(rows[0], rows, 100, ()) == [9]
    assert carried_by(rows[0], rows, None, ()) == [4, 9]
    assert carried_by(rows[4], rows, None, ()) == []
    # A repeat of what is known is told by its first two lines beside others: 2 + 1 + 13 bytes, and 20 before the other.
    again = [row | {"reason": "repeat", "body": "bb\n时间 time 1\n" + "b" * 90} for row in rows]
    assert carried_by(again[0], again, 52, {4, 7}) == [4]
    assert carried_by(again[0], again, 51, {4, 7}) == []
    assert carried_by(again[0], again, 52, {7}) == [], "in full: 13 + 90 bytes"


def test_the_limit_is_a_sliding_minute() -> None:
    limiter = Limiter(2)
    limiter.take(0.0)
    limiter.take(30.0)
    assert limiter.free(59.9, 4) == 0
    assert limiter.free(60.0, 4) == 1


@pytest.mark.parametrize(("per_minute", "others", "red"), [(1, 1, 1), (2, 1, 2), (12, 10, 12), (18, 15, 18)])
def test_red_has_sends_of_its_own(per_minute: int, others: int, red: int) -> None:
    """One in six, at least one; where one a minute is all there is, whoever comes first has it."""
    limiter = Limiter(per_minute)
    for number in range(others):
        assert limiter.free(0.0, 3) == others - number
        limiter.take(0.0)
    assert limiter.free(0.0, 3) <= 0
    assert limiter.free(0.0, 4) == red - others


def test_a_storm_of_messages_is_merged_and_none_is_lost(live_db: str) -> None:
    with opened(live_db) as db, service(lambda _: OK) as it:
        prepared(db)
        db.execute(
            "insert into notification (key, cause, incident_id, reason, step, severity, person_id, channel, address,"
            " title, body, decided_at, state) select 'k' || n, 'c' || n, 'i', 'first', 0,"
            " case n when 20 then 4 else 2 end,"
            " 'li', 'hook', 'li', 't', 'body ' || n || '.', now(), 'queued' from generate_series(1, 20) n"
        )
        with running(live_db, duty_file(hook=HOOK | {"per_minute": 3}), {"URL": it.url, "SECRET": "s"}):
            rows = wait_until(db, lambda rows: {r["state"] for r in rows} <= {"accepted", "merged"})
        assert len(it.received) == 1
        assert it.keys == ["k20"]
        assert all(f"body {n}." in it.received[0]["body"] for n in range(1, 21))
        assert {row["merged_into"] for row in rows if row["key"] != "k20"} == {rows[19]["notification_id"]}


def test_what_a_message_carries_goes_with_it_into_a_worse_one(live_db: str) -> None:
    with opened(live_db) as db:
        prepared(db)
        db.execute(
            "insert into notification (key, cause, incident_id, reason, step, severity, person_id, channel, address,"
            " title, body, decided_at, state) select 'k' || n, 'c' || n, 'i', 'first', 0, 1 + n, 'li', 'hook', 'li',"
            " 't', 'body ' || n, now(), 'queued' from generate_series(1, 3) n"
        )
        low, middle, red = (row["notification_id"] for row in messages(db))
        store.merge(db, middle, [low])
        store.merge(db, red, [middle])
        assert [row["body"] for row in store.begin_attempt(db, red, START)] == ["body 2", "body 1"]
        store.settle(db, red, "accepted", START, receipt="r", error=None)
        assert [row["state"] for row in messages(db)] == ["accepted"] * 3


def test_a_late_order_tells_the_roster_until_somebody_confirms(exercise_db: str) -> None:
    """Due at minute 5 and taken by nobody: Li is told at 6, Wu at 9; at 11 it is confirmed."""
    order = {
        "order_id": "o-0123456789", "incident_id": "i1", "subject": "space/gar", "entrance": "", "state": "issued",
        "proof": "entrance_closed", "owner": "chen", "author": "li", "changed_at": START, "within_s": 300.0,
        "due_at": START + timedelta(minutes=5), "text_zh": "封闭", "text_en": "close", "note": "", "severity": 4,
        "leader": "Chen", "team": "t", "plan": "p", "single_voice": "v", "confirmed_until": None,
    }  # fmt: skip
    with opened(exercise_db) as db:
        prepared(db, at=START)
        duty_acts.save_order(db, order)
        for minute in range(11):
            tick(db, minute + 1, START + timedelta(minutes=minute))
        with running(exercise_db, duty_file(hook=HOOK), {}):
            rows = wait_until(db, lambda rows: len(rows) >= 5)
            duty_acts.save_order(db, order | {"state": "confirmed", "changed_at": START + timedelta(minutes=11)})
            for minute in range(11, 30):
                tick(db, minute + 1, START + timedelta(minutes=minute))
            tick(db, 31, START + timedelta(minutes=30), ("space/gar", "raised", 4))
            wait_until(db, lambda rows: rows[-1]["reason"] == "first")
        kept = db.execute("select reminders, reminded_step from duty_order").fetchall()
        tally = duty_acts.order_tally(db, START + timedelta(minutes=40), START)
    told = [((row["decided_at"] - START).total_seconds() / 60, row["person_id"], row["reason"]) for row in rows]
    late = "order_late"  # chen, who has to do it, is told each time although the third step is not reached
    assert told == [(6, "li", late), (6, "chen", late), (9, "li", late), (9, "wu", late), (9, "chen", late)]
    assert "指挥 leader Chen" in rows[0]["body"]
    assert kept == [{"reminders": 2, "reminded_step": 1}]
    assert tally == {
        "waiting": 0, "late": 0, "expired": 0, "confirmed_in_time": 0, "confirmed_late": 1, "refused": 0,
        "reminders": 2,
    }  # fmt: skip


def test_a_late_report_tells_the_roster_until_it_is_handed_in(exercise_db: str) -> None:
    """Orange at 0: due by phone at 5. Told at 6 and, ten minutes on, at 16, one step up; at 20 Chen hands it in."""
    file = duty_file(hook=HOOK, file={"reports": {"first_phone_min": 5}})
    with opened(exercise_db) as db:
        prepared(db, at=START)
        for minute in range(18):
            raised = [("space/gar", "raised", 3), ("space/gar", "acknowledged", 3)] if minute == 0 else []
            tick(db, minute + 1, START + timedelta(minutes=minute), *raised)

        def told(rows: list[dict[str, Any]]) -> list[tuple[float, str]]:
            return [
                ((row["decided_at"] - START).total_seconds() / 60, row["person_id"])
                for row in rows
                if row["reason"] == "report_late"
            ]

        with running(exercise_db, file, {}):
            rows = wait_until(db, lambda rows: len(told(rows)) >= 3)
            (incident,) = duty_reports.incidents(db)
            assert told(rows) == [(6, "li"), (16, "li"), (16, "wu")]
            body = next(row["body"] for row in rows if row["reason"] == "report_late")
            assert (
                "电话首报 First report by phone，编号 number 0，时限 due 07-01 23:55，已超 late 1 分 min，第 1 次催办"
                in body
            )
            before = duty_late.report_tally(db, START + timedelta(minutes=17), START)
            duty_reports.report_by_phone(db, incident["incident_id"], "chen", START + timedelta(minutes=18))
            for minute in range(18, 60):
                tick(db, minute + 1, START + timedelta(minutes=minute))
            tick(db, 61, START + timedelta(minutes=60), ("space/up", "raised", 4))
            rows = wait_until(db, lambda rows: any(row["severity"] == 4 for row in rows))
        assert len(told(rows)) == 3, "handed in: nobody is told any more"
        after = duty_late.report_tally(db, START + timedelta(minutes=60), START)
    assert before == {"missing": 1, "to_come": 1, "on_time": 0, "late": 0, "reminders": 2}
    assert after == {"missing": 0, "to_come": 1, "on_time": 0, "late": 1, "reminders": 0}
