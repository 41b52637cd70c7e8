"""Retention: rows older than their class keeps go, in whole steps, but for what an incident holds.

On TimescaleDB a background job does this every hour. A plain PostgreSQL runs nothing by itself: `undercroft up` does it
there, or a timer that calls ``undercroft db retain``.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta

from undercroft.clock import Clock
from undercroft.errors import StoreUnavailable
from undercroft.store.connection import connect, translated_errors
from undercroft.store.sql import sql

APPLICATION_NAME = "undercroft-retention"
EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Dropped:
    """What went of one relation: how many steps, and the stretch from the oldest to the newest of them."""

    relation: str
    steps: int
    dropped_from: datetime
    dropped_to: datetime


def retain(url: str, now: datetime) -> list[Dropped]:
    """Drop what is older than its class keeps and not held; nothing in an exercise, which is played at any date."""
    with closing(connect(url, application_name=APPLICATION_NAME, autocommit=True)) as connection, translated_errors():
        return [Dropped(**row) for row in connection.execute(sql("retain"), {"now": now})]


def retain_hourly(url: str, clock: Clock, say: Callable[[str], None], is_over_after: Callable[[float], bool]) -> None:
    """Drop what is no longer kept, now and every hour; a database that is away waits for the next hour.

    ``is_over_after`` waits so many seconds, and tells whether to end.
    """
    while True:
        try:
            for dropped in retain(url, clock.now()):
                say(f"retention {dropped.relation}: {dropped.steps} steps up to {dropped.dropped_to:%F} dropped")
        except StoreUnavailable as error:
            say(f"retention put off for an hour: {error}")
        if is_over_after(EVERY.total_seconds()):
            return
