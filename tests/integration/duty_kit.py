"""A database with a site, a roster and alarms that a test raises; the notifier in a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from duty.file import DutyFile
from duty.log.hourly import KeepSigned
from duty.model import Person, Reach
from duty.notify.run import run_duty
from duty.roster.acts import shift_row
from duty.roster.roster import Shift
from tests.unit.risk.builders import guarded, site, underpass
from undercroft.clock import Clock, SystemClock
from undercroft.store.connection import Connection, connect
from undercroft.store.duty_roster import replace_shifts
from undercroft.store.site import import_site

DEADLINE_S = 30.0


def now() -> datetime:
    return SystemClock().now()


@contextmanager
def opened(url: str) -> Iterator[Connection]:
    with closing(connect(url, application_name="test", autocommit=True)) as connection:
        yield connection


def prepared(connection: Connection, *, at: datetime | None = None, channel: str = "hook") -> None:
    """Import a site and put three people on duty around a time."""
    at = at or now()
    import_site(connection, site(underpass(), guarded("gar", "car_park")), "test", at)
    shifts = [
        Shift(at - timedelta(hours=4), at + timedelta(hours=20), step, "holder",
              Person(name, name, "", (Reach(channel, name),)))
        for step, name in enumerate(["li", "wu", "chen"])
    ]  # fmt: skip
    replace_shifts(connection, [shift_row(shift) for shift in shifts])


def tick(connection: Connection, number: int, at: datetime, *events: tuple[str, str, int]) -> None:
    """Commit a tick with events ``(subject, kind, severity)`` as the engine does."""
    reason = {"severity": 4, "text_zh": "水深 30 cm", "text_en": "depth 30 cm"}
    with connection.transaction():
        connection.execute(
            "insert into tick (tick_seq, tick_at, up_to_commit_seq) values (%s, %s, %s)", (number, at, number)
        )
        for order, (subject, kind, severity) in enumerate(events):
            connection.execute(
                "insert into alarm_event (subject, event_no, occurrence, tick_seq, tick_at, kind, severity, reasons)"
                " values (%s, %s, 1, %s, %s, %s, %s, %s)",
                (subject, number * 100 + order, number, at, kind, severity, orjson.dumps([reason]).decode()),
            )
        connection.execute("select pg_notify('undercroft_tick', %s)", (str(number),))


def messages(connection: Connection) -> list[dict[str, Any]]:
    return connection.execute("select * from notification order by notification_id").fetchall()


def wait_until(connection: Connection, done: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
    """Look at the messages until they are as they should be."""
    clock, pause = SystemClock(), threading.Event()
    end_s = clock.monotonic_s() + DEADLINE_S
    while not done(rows := messages(connection)):
        assert clock.monotonic_s() < end_s, [
            (row["channel"], row["reason"], row["state"], row["error"]) for row in rows
        ]
        pause.wait(0.02)
    return rows


def duty_file(**channels: dict[str, Any]) -> DutyFile:
    extra = channels.pop("file", {})
    return DutyFile.model_validate({"channel": [{"id": name, **entry} for name, entry in channels.items()], **extra})


@contextmanager
def running(
    url: str, file: DutyFile, environment: Mapping[str, str], clock: Clock | None = None,
    keep_signed: KeepSigned | None = None,
) -> Iterator[None]:  # fmt: skip
    """Run the notifier in a thread until the block ends; its errors fail the test."""
    with in_a_thread(
        lambda stop, ready: run_duty(url, clock or SystemClock(), stop, file, environment, ready, keep_signed)
    ):
        yield


@contextmanager
def in_a_thread(service: Callable[[threading.Event, Callable[[], None]], None]) -> Iterator[None]:
    """Run a service that is told to stop and says when it is ready; its errors fail the test."""
    stop, ready, errors = threading.Event(), threading.Event(), []

    def run() -> None:
        try:
            service(stop, ready.set)
        except BaseException as error:  # noqa: BLE001 - reported below
            errors.append(error)
            ready.set()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert ready.wait(DEADLINE_S)
        yield
    finally:
        stop.set()
        thread.join(DEADLINE_S)
        assert not thread.is_alive()
        assert errors == []


START = datetime(2026, 7, 1, 15, 50, tzinfo=UTC)
