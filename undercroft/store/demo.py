"""What the demonstration reads: the terminal view, the report, and the latency probe."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from undercroft.store.commit import COMMIT_CHANNEL, TICK_CHANNEL
from undercroft.store.connection import Connection, translated_errors
from undercroft.store.sql import sql

Row = dict[str, Any]


def fetch_all(connection: Connection, name: str, **values: object) -> list[Row]:
    """Return the rows of a named statement."""
    with translated_errors():
        return connection.execute(sql(name).encode(), values).fetchall()


def fetch_one(connection: Connection, name: str, **values: object) -> Row | None:
    """Return the first row of a named statement, or None."""
    rows = fetch_all(connection, name, **values)
    return rows[0] if rows else None


def listen(connection: Connection) -> None:
    """Ask to be woken by commits and ticks; the connection must be in autocommit."""
    with translated_errors():
        connection.execute(f"listen {COMMIT_CHANNEL}".encode())
        connection.execute(f"listen {TICK_CHANNEL}".encode())


def wakeups(connection: Connection, timeout_s: float) -> list[tuple[str, int]]:
    """Wait for commits and ticks; return ``(channel, number)`` of those told of, none when the time is over. [s]"""
    with translated_errors():
        notices = list(connection.notifies(timeout=timeout_s, stop_after=1))
    return [(notice.channel, int(notice.payload)) for notice in notices]


def stored_since(connection: Connection, after: int, up_to: int) -> list[tuple[str, datetime]]:
    """Return ``(device_id, observed_at)`` of the observations committed in this stretch of the commit order."""
    rows = fetch_all(connection, "probe_stored", after=after, up_to=up_to)
    return [(row["device_id"], row["observed_at"]) for row in rows]


def red_subjects_since(connection: Connection, after: int, up_to: int) -> list[str]:
    """Return the subjects whose alarm turned red in these ticks."""
    return [row["subject"] for row in fetch_all(connection, "probe_alarms", after=after, up_to=up_to)]
