"""What the store knew at a tick."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from undercroft.quality import MOST_AHEAD
from undercroft.store.connection import Connection, translated_errors
from undercroft.store.sql import sql

Row = dict[str, Any]


def _rows(connection: Connection, name: str, **values: object) -> list[Row]:
    with translated_errors():
        return connection.execute(sql(name).encode(), values).fetchall()


def tick_at(connection: Connection, at: datetime) -> Row | None:
    """Return the newest tick at or before a time, None before the first."""
    return next(iter(_rows(connection, "asof_tick", at=at)), None)


def newest_tick(connection: Connection) -> Row | None:
    """Return the newest tick, None before the first."""
    return next(iter(_rows(connection, "asof_newest_tick")), None)


def assessments(connection: Connection, tick_seq: int, space: str | None) -> list[Row]:
    """Return the newest assessment of each space up to a tick, worst first."""
    return _rows(connection, "asof_assessments", tick_seq=tick_seq, space=space)


def alarm_events(connection: Connection, tick_seq: int, space: str | None) -> list[Row]:
    """Return the alarm log up to a tick."""
    return _rows(connection, "asof_alarm_events", tick_seq=tick_seq, space=space)


def observations(connection: Connection, tick: Row, space: str | None) -> list[Row]:
    """Return the newest reading of each sensor that was committed when a tick was taken.

    ``site_seq`` is the version of the site in force then, ``said_seq`` that when the reading came, None if none was.
    """
    known = {"up_to": tick["up_to_commit_seq"], "tick_at": tick["tick_at"], "latest": tick["tick_at"] + MOST_AHEAD}
    return _rows(connection, "asof_observations", space=space, **known)


def batches_gone(connection: Connection, after: int) -> bool:
    """Tell whether retention took batches that came after a point of the commit order."""
    return bool(_rows(connection, "asof_batches_gone", after=after)[0]["gone"])


def assessments_between(connection: Connection, after: int, tick_seq: int) -> list[Row]:
    """Return what was written in a stretch of ticks."""
    return _rows(connection, "asof_assessments_between", after=after, tick_seq=tick_seq)
