"""Retention: rows older than their class keeps go, in whole steps, but for what an incident holds.

Whoever reads a step is not waited for longer than half a second: the step is put off to the next run.

On TimescaleDB a background job does this every hour. A plain PostgreSQL runs nothing by itself: `undercroft up` does it
there, or a timer that calls ``undercroft db retain``.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from undercroft.clock import Clock
from undercroft.errors import StoreUnavailable
from undercroft.store.connection import Connection, connect, translated_errors
from undercroft.store.sql import sql

APPLICATION_NAME = "undercroft-retention"
EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Dropped:
    """What went of one relation: how many steps, and the stretch from the oldest to the newest of them, if any.

    ``put_off`` are those that stay until the next run, since somebody read them.
    """

    relation: str
    steps: int
    dropped_from: datetime | None
    dropped_to: datetime | None
    put_off: int = 0

    @property
    def words(self) -> str:
        """What happened, in a line."""
        gone = [f"{self.steps} steps dropped, {self.dropped_from:%F} to {self.dropped_to:%F}"] if self.steps else []
        waits = [f"{self.put_off} put off to the next run: somebody reads them"] if self.put_off else []
        return f"{self.relation}: {'; '.join([*gone, *waits])}"


def retain(url: str, now: datetime) -> list[Dropped]:
    """Drop what is older than its class keeps and not held; nothing in an exercise, which is played at any date."""
    with closing(connect(url, application_name=APPLICATION_NAME, autocommit=True)) as connection, translated_errors():
        return retain_on(connection, now)


def retain_on(connection: Connection, now: datetime) -> list[Dropped]:
    """Do the same on a connection of its own transactions (autocommit): each step is one."""
    row = connection.execute(sql("retain"), {"now": now}).fetchone()
    assert row is not None  # noqa: S101 - a procedure answers with a row
    return [_dropped(**each) for each in row["done"]]


def _dropped(dropped_from: str | None, dropped_to: str | None, **others: Any) -> Dropped:
    begins, ends = (None if at is None else datetime.fromisoformat(at) for at in (dropped_from, dropped_to))
    return Dropped(dropped_from=begins, dropped_to=ends, **others)


def retain_hourly(url: str, clock: Clock, say: Callable[[str], None], is_over_after: Callable[[float], bool]) -> None:
    """Drop what is no longer kept, now and every hour; a database that is away waits for the next hour.

    ``is_over_after`` waits so many seconds, and tells whether to end.
    """
    while True:
        try:
            for dropped in retain(url, clock.now()):
                say(f"retention {dropped.words}")
        except StoreUnavailable as error:
            say(f"retention put off for an hour: {error}")
        if is_over_after(EVERY.total_seconds()):
            return
