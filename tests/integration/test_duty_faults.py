"""What a night does: a killed database, a killed engine, a clock set back, a shift that ends mid-alarm at midnight."""

from __future__ import annotations

import os
import signal
import threading
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from duty.model import Person, Reach
from duty.notify.notifier import Notifier
from duty.orders.acts import order
from duty.orders.orders import Proof
from duty.roster.acts import shift_row
from duty.roster.roster import Shift
from duty.telling.addressed import Channels
from duty.telling.texts import Style
from tests.integration.door_kit import actor
from tests.integration.duty_kit import START, duty_file, messages, now, opened, prepared, running, tick, wait_until
from tests.integration.duty_servers import service
from tests.integration.test_duty_service import HOOK, OK
from tests.integration.test_engine_run import commit_batch, sensor_ids, start_engine
from undercroft.clock import FakeClock, SteadyClock, SystemClock
from undercroft.errors import StoreUnavailable
from undercroft.model import Mode
from undercroft.stack.datadir import open_data_dir
from undercroft.stack.postgres import running_postgres
from undercroft.store import duty_acts
from undercroft.store.connection import Connection
from undercroft.store.databases import create_database, migrate_database
from undercroft.store.duty_roster import replace_shifts


class MovedClock:
    """The machine's clock, moved by hand: its time of day and its count of seconds apart."""

    def __init__(self) -> None:
        self._clock = SystemClock()
        self.by, self.more_s = timedelta(0), 0.0

    def pass_by(self, seconds: float) -> None:
        """Let time pass, by both."""
        self.by, self.more_s = self.by + timedelta(seconds=seconds), self.more_s + seconds

    def now(self) -> datetime:
        return self._clock.now() + self.by

    def monotonic_s(self) -> float:
        return self._clock.monotonic_s() + self.more_s


def test_a_clock_that_is_set_back_puts_off_no_escalation(live_db: str) -> None:
    clock = MovedClock()
    with opened(live_db) as db, service(lambda _: OK) as it:
        prepared(db)
        with running(live_db, duty_file(hook=HOOK), {"URL": it.url, "SECRET": "s"}, clock):
            tick(db, 1, now(), ("space/gar", "raised", 4))
            wait_until(db, lambda rows: [row["state"] for row in rows] == ["accepted"])
            clock.by = -timedelta(hours=1)
            clock.more_s = 181.0  # three minutes and a second pass
            rows = wait_until(db, lambda rows: [row["state"] for row in rows] == ["accepted"] * 3)
    assert [(row["person_id"], row["reason"]) for row in rows] == [
        ("li", "first"), ("li", "repeat"), ("wu", "escalated"),
    ]  # fmt: skip
    assert rows[1]["decided_at"] < rows[0]["decided_at"]  # by the clock that was set right


def test_a_clock_that_was_two_days_ahead_is_followed_back(live_db: str) -> None:
    """Ahead, with Li's shift over, a red is told to the fallback; once the clock is right it is Li's, three minutes on.

    The engine's times stay ahead. The order that was given meanwhile, 60 s before the clock was right, keeps its time.
    """
    at, two_days = now(), timedelta(days=2)
    channels = Channels(frozenset({"hook"}), fallback=(Reach("hook", "control"),))

    def step(seconds: float, by: timedelta = timedelta(0)) -> list[tuple[str, str]]:
        before, moment = len(messages(db)), at + timedelta(seconds=seconds) + by
        notifier.step_live(moment, moment)
        return [(row["person_id"], row["reason"]) for row in messages(db)[before:]]

    with opened(live_db) as db:
        prepared(db, at=at)
        notifier = Notifier(db, channels, Style({}, ZoneInfo("UTC"), False))
        tick(db, 1, at + two_days, ("space/gar", "raised", 4))
        assert step(0, two_days) == [("fallback", "first")]
        order(db, actor(db), "space/gar", Proof.BARRIER_DEPLOYED, "street", at + two_days, "north")
        within = db.execute("select within_s from duty_order").fetchall()[0]["within_s"]
        step(60, two_days)
        # Another process, and the clock is right again.
        notifier = Notifier(db, channels, Style({}, ZoneInfo("UTC"), False))
        steady = SteadyClock(FakeClock(at + timedelta(seconds=60)))
        steady.be_at_least(notifier.reached().decided_at)
        moment, by = steady.now_and_set_back()
        assert (moment, by) == (at + timedelta(seconds=60), two_days)
        assert steady.now_and_set_back() == (moment, timedelta(0))
        notifier.set_back(moment, by)
        assert step(179) == []
        assert step(180) == [("li", "repeat"), ("wu", "escalated")]
        assert max(row["queued_at"] for row in messages(db)) == at + timedelta(seconds=180)
        tick(db, 2, at + two_days, ("space/gar", "acknowledged", 4), ("space/up", "raised", 4))
        assert step(200) == [("li", "worse"), ("wu", "worse")]
        assert step(379) == []
        assert [reason for _, reason in step(380)] == ["repeat", "repeat", "escalated"]
        (row,) = db.execute("select due_at from duty_order").fetchall()
        assert row["due_at"] == at + timedelta(seconds=within)


def test_a_clock_that_goes_back_a_little_is_waited_for() -> None:
    clock = FakeClock(START)
    steady = SteadyClock(clock)
    steady.be_at_least(START + timedelta(seconds=60))
    assert steady.now_and_set_back() == (START + timedelta(seconds=60), timedelta(0))
    clock.advance(timedelta(seconds=5))
    assert steady.now() == START + timedelta(seconds=65)


def test_a_clock_that_is_set_back_makes_no_order_late_that_is_not(live_db: str) -> None:
    """The notifier goes on an hour ahead of the clock; a barrier order given now has its whole time."""
    at, ahead = now(), now() + timedelta(hours=1)
    with opened(live_db) as db:
        prepared(db, at=at)
        tick(db, 1, at, ("space/gar", "raised", 4))
        notifier = Notifier(db, Channels(frozenset({"hook"})), Style({}, ZoneInfo("UTC"), False))
        notifier.step_live(ahead, ahead)
        given = order(db, actor(db), "space/gar", Proof.BARRIER_DEPLOYED, "street", at, "north")
        (row,) = db.execute("select due_at, within_s from duty_order").fetchall()
        due_at = ahead + timedelta(seconds=row["within_s"])
        assert (row["due_at"], given.at) == (due_at, at)
        for moment, late in ((due_at, 0), (due_at + timedelta(seconds=1), 1)):
            notifier.step_live(moment, moment)
            told = {row["cause"] for row in messages(db) if row["reason"] == "order_late"}
            assert len(told) == late
        # A notifier's clock that was a day ahead is not followed.
        db.execute("update duty_progress set decided_at = %s", (at + timedelta(days=2),))
        assert duty_acts.order_time(db, at) == at


def test_a_shift_that_ends_at_midnight_hands_the_alarm_over(exercise_db: str) -> None:
    """Li goes at midnight in Shenzhen, two minutes after the alarm; nobody acknowledges."""
    midnight, begins, ends = START + timedelta(minutes=10), START - timedelta(hours=4), START + timedelta(hours=8)

    def shift(name: str, step: int, starts_at: datetime, ends_at: datetime) -> Shift:
        return Shift(starts_at, ends_at, step, "holder", Person(name, name, "", (Reach("hook", name),)))

    with opened(exercise_db) as db:
        prepared(db, at=START)
        shifts = [shift("li", 0, begins, midnight), shift("zhao", 0, midnight, ends), shift("wu", 1, begins, ends)]
        db.execute("delete from roster_shift")
        replace_shifts(db, [shift_row(entry) for entry in shifts])
        for minute in range(16):
            events = [("space/gar", "raised", 4)] if minute == 8 else []
            tick(db, minute + 1, START + timedelta(minutes=minute), *events)
        with running(exercise_db, duty_file(hook=HOOK), {}):
            rows = wait_until(db, lambda rows: len(rows) >= 5)
    assert [((row["decided_at"] - START).total_seconds() / 60, row["person_id"], row["reason"]) for row in rows] == [
        (8, "li", "first"),
        (11, "zhao", "repeat"), (11, "wu", "escalated"),
        (14, "zhao", "repeat"), (14, "wu", "repeat"),
    ]  # fmt: skip
    assert {row["incident_id"] for row in rows} == {rows[0]["incident_id"]}, "one incident over midnight"


def test_a_channel_that_fails_for_a_time_reaches_the_fallback_once_and_goes_on(live_db: str) -> None:
    """Li's channel answers 503 for three minutes: the control room is told of it; then Li is, with the same key."""
    clock, well = MovedClock(), threading.Event()
    with (
        opened(live_db) as db,
        service(lambda _: OK if well.is_set() else (503, {})) as bad,
        service(lambda _: OK) as control_room,
    ):
        prepared(db, channel="bad")
        file = duty_file(bad=HOOK | {"url_env": "BAD"}, hook=HOOK, file={"fallback": ["hook:control"]})
        with running(live_db, file, {"BAD": bad.url, "URL": control_room.url, "SECRET": "s"}, clock):
            tick(db, 1, now(), ("space/gar", "raised", 4))
            wait_until(db, lambda rows: bool(rows) and rows[0]["error"] == "HTTP 503")
            clock.pass_by(181.0)
            rows = wait_until(db, lambda rows: "accepted" in {row["state"] for row in rows})
            assert [row["address"] for row in rows if row["state"] == "accepted"] == ["control"]
            well.set()
            clock.pass_by(61.0)  # the next attempt is due
            rows = wait_until(db, lambda rows: {row["state"] for row in rows} == {"accepted"})
    assert [(row["address"], row["reason"]) for row in rows if row["cause"].split("!")[0] == rows[0]["cause"]] == [
        ("li", "first"), ("control", "escalated"),
    ]  # fmt: skip
    assert set(bad.keys) == {row["key"] for row in rows if row["channel"] == "bad"}
    assert control_room.received[0]["body"].startswith("原收件人至今均未送达")


@pytest.mark.slow
def test_a_database_that_is_killed_in_a_storm_loses_no_message() -> None:
    """The server of this test alone is killed with -9 between alarms; its supervisor starts it again."""
    with (
        TemporaryDirectory(prefix="uct-", dir="/tmp") as folder,
        open_data_dir(Path(folder)) as data_dir,
        running_postgres(data_dir) as server,
        service(lambda _: OK) as it,
    ):
        create_database(server.url(), "storm")
        url = server.url("storm")
        migrate_database(url, Mode.LIVE)
        with running(url, duty_file(hook=HOOK | {"per_minute": 1000}), {"URL": it.url, "SECRET": "s"}):
            with opened(url) as db:
                prepared(db)
                tick(db, 1, now(), ("space/gar", "raised", 4))
                wait_until(db, lambda rows: [row["state"] for row in rows] == ["accepted"])
                tick(db, 2, now(), ("space/up", "raised", 4))
                pid = server.process.pid
                assert pid is not None
                os.kill(pid, signal.SIGKILL)
            await_database(url)
            with opened(url) as db:
                # What was committed just before the kill is told first: two ticks read at once make one message.
                wait_until(db, lambda rows: [row["state"] for row in rows] == ["accepted"] * 2)
                tick(db, 3, now(), ("space/gar", "acknowledged", 4), ("space/up", "severity_up", 4))
                wait_until(db, lambda rows: len(rows) >= 3 and {row["state"] for row in rows} == {"accepted"})
                told = messages(db)
    assert [row["reason"] for row in told] == ["first", "worse", "worse"]
    assert set(it.keys) == {row["key"] for row in told}


def await_database(url: str) -> None:
    """Wait until the server takes connections again."""
    clock, pause = SystemClock(), threading.Event()
    end_s = clock.monotonic_s() + 90.0
    while True:
        try:
            with opened(url) as db:
                db.execute("select 1")
                return
        except StoreUnavailable:
            assert clock.monotonic_s() < end_s
            pause.wait(0.1)


@pytest.mark.slow
def test_an_engine_killed_between_decision_and_commit_costs_no_message(live_db: str) -> None:
    """The engine has decided and waits for a table that the test holds; it is killed there, and another takes over."""
    with opened(live_db) as db, opened(live_db) as holder, service(lambda _: OK) as it:
        prepared(db)
        first = start_engine(live_db)
        try:
            await_row(db, "select from tick")
            with holder.transaction():
                holder.execute("lock table alarm_event in access exclusive mode")
                commit_batch(db, [(sensor_ids(db)["gar-in:water_depth_m"], now(), 0.6)], None)
                await_row(
                    db,
                    "select from pg_stat_activity where application_name = 'undercroft-engine'"
                    " and wait_event_type = 'Lock' and datname = current_database()",
                )
                first.kill()
                first.wait()
                # Its backend still waits, and would commit nothing: the client that commits is gone.
                db.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where application_name = 'undercroft-engine' and datname = current_database()"
                )
        finally:
            first.kill()
        assert db.execute("select from alarm_event").fetchall() == [], "decided, and not committed"
        second = start_engine(live_db)
        try:
            await_row(db, "select from alarm_event where subject = 'space/gar'")
            with running(live_db, duty_file(hook=HOOK), {"URL": it.url, "SECRET": "s"}):
                rows = wait_until(db, lambda rows: [r["state"] for r in of_garage(rows)] == ["accepted"])
        finally:
            second.terminate()
            second.wait(20)
        events = db.execute("select kind, severity from alarm_event where subject = 'space/gar'").fetchall()
    (row,) = of_garage(rows)
    assert events == [{"kind": "raised", "severity": 4}]
    assert (row["person_id"], row["reason"], row["severity"]) == ("li", "first", 4)
    assert it.keys.count(row["key"]) == 1


def of_garage(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out what is told of the roster, which ends within a day."""
    return [row for row in rows if row["incident_id"].startswith("b1-")]


def await_row(db: Connection, statement: str) -> None:
    """Wait until a statement has a row."""
    clock, pause = SystemClock(), threading.Event()
    end_s = clock.monotonic_s() + 60.0
    while not db.execute(statement.encode()).fetchall():
        assert clock.monotonic_s() < end_s, statement
        pause.wait(0.05)
