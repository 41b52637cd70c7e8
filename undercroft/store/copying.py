"""The limit that ingest is measured against: binary COPY over one connection into the same table and key."""

from __future__ import annotations

from datetime import timedelta

from undercroft.clock import Clock
from undercroft.store.connection import Connection, translated_errors
from undercroft.store.observations import instant
from undercroft.store.sql import sql


def copy_observations(connection: Connection, count: int, first_us: int, clock: Clock) -> float:
    """Copy so many rows of a sensor that does not exist, take them back, and return the seconds of the copy."""
    start = instant(first_us)
    second = timedelta(seconds=1)
    rows = [(-1, start + n * second, 500, 1, 0, first_us // 1000, 0) for n in range(count)]
    with translated_errors(), connection.transaction(force_rollback=True):
        began_s = clock.monotonic_s()
        with connection.cursor().copy(sql("copy_observations")) as copy:
            copy.set_types(["int4", "timestamptz", "int8", "int2", "int4", "int8", "int8"])
            for row in rows:
                copy.write_row(row)
        return clock.monotonic_s() - began_s


def committed(connection: Connection) -> tuple[int, float]:
    """Return messages committed so far, and the seconds from the first commit to the last."""
    with translated_errors():
        row = connection.execute(sql("count_committed")).fetchone()
    assert row is not None  # noqa: S101 - an aggregate always answers
    return int(row["messages"]), float(row["seconds"])


def count_rows(connection: Connection) -> tuple[int, int]:
    """Return how many readings the batches say they stored, and how many rows there are."""
    with translated_errors():
        row = connection.execute(sql("count_rows")).fetchone()
    assert row is not None  # noqa: S101 - an aggregate always answers
    return int(row["stored"]), int(row["readings"])


def fetch_committed_readings(connection: Connection) -> list[tuple[int, int]]:
    """Return the commit number and the time [µs since 1970] of every reading."""
    with translated_errors():
        rows = connection.execute(sql("fetch_committed_readings")).fetchall()
    return [(row["commit_seq"], row["observed_us"]) for row in rows]
