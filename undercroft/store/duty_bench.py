"""The bench of the notifier: alarms as the engine commits them, and how long each took to its first attempt."""

from __future__ import annotations

from datetime import datetime

from undercroft.store.commit import TICK_CHANNEL
from undercroft.store.connection import Connection, translated_errors
from undercroft.store.sql import sql


def make_places(connection: Connection, count: int) -> None:
    """Make so many basins with one place each."""
    with translated_errors():
        connection.execute(sql("duty_bench_places").encode(), {"count": count})


def raise_alarms(connection: Connection, tick_seq: int, at: datetime, first: int, last: int) -> None:
    """Commit a tick that raises red alarms in the basins ``first`` to ``last``."""
    values = {"tick_seq": tick_seq, "at": at, "first": first, "last": last}
    with translated_errors(), connection.transaction():
        connection.execute(sql("duty_bench_raise").encode(), values)
        connection.execute(sql("duty_bench_tick").encode(), values)
        connection.execute(sql("engine_notify_tick").encode(), {"channel": TICK_CHANNEL, "tick_seq": tick_seq})


def sent(connection: Connection) -> int:
    """Return how many messages were taken by their channel."""
    with translated_errors():
        row = connection.execute(sql("duty_bench_sent").encode()).fetchone()
    return 0 if row is None else int(row["sent"])


def delays_s(connection: Connection, after: int) -> list[float]:
    """Return the time from the commit of each later tick to the first attempt, shortest first. [s]"""
    with translated_errors():
        return [row["delay_s"] for row in connection.execute(sql("duty_bench_delays").encode(), {"after": after})]
