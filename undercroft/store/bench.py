"""Fills a database for ``undercroft bench query`` and weighs it."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from undercroft.errors import BadInput
from undercroft.model import Mode
from undercroft.store.connection import Connection, connect, translated_errors
from undercroft.store.migrate import mode_of
from undercroft.store.sql import sql
from undercroft.store.timescale import is_timescale

APPLICATION_NAME = "undercroft-bench"
DAY = timedelta(days=1)


def open_for_bench(url: str) -> Connection:
    """Open an exercise database that holds no readings yet."""
    connection = connect(url, application_name=APPLICATION_NAME, autocommit=True)
    with translated_errors():
        if mode_of(connection) is not Mode.EXERCISE:
            raise BadInput("a benchmark fills the database: give it one of mode exercise")
        if connection.execute("select from observation limit 1").fetchone() is not None:
            raise BadInput("a benchmark fills the database: give it an empty one")
    return connection


def fill(connection: Connection, sensors: int, end: datetime, days: int, *, live: bool = False) -> None:
    """Write some days of readings and assessments before an instant; the newest day is written last."""
    with translated_errors():
        connection.execute("select setseed(0.5)")
        connection.execute(sql("bench_fill_site"), {"sensors": sensors})
    extend(connection, end, 0, days, live=live)


def extend(connection: Connection, end: datetime, before: int, days: int, *, live: bool = False) -> None:
    """Write the days further back: ``before`` are there already, ``days`` are wanted."""
    with translated_errors():
        for back in range(days, before, -1):
            day = {"day": end - back * DAY, "live": live}
            for name in ("bench_fill_day", "bench_fill_engine", "bench_fill_assessments"):
                connection.execute(sql(name), day)
        connection.execute("analyze")


def compress(connection: Connection) -> None:
    """Compress all readings, where there is compression."""
    if is_timescale(connection):
        with translated_errors():
            connection.execute(sql("bench_compress"))
            connection.execute("analyze")


def bytes_per_observation(connection: Connection) -> float:
    """Return what a reading takes on disk, indexes included. [byte]"""
    name = "bench_observation_bytes_timescale" if is_timescale(connection) else "bench_observation_bytes_plain"
    with translated_errors():
        row = connection.execute(sql(name)).fetchone()
    assert row is not None  # noqa: S101 - it has one row
    return float(row["bytes"]) / float(row["readings"])


def timed_s(connection: Connection, text: str, times: int) -> list[float]:
    """Run a query some times; how long each took with its rows fetched. [s]"""
    spans = []
    with translated_errors():
        for _ in range(times):
            start = time.perf_counter()
            connection.execute(text.encode()).fetchall()
            spans.append(time.perf_counter() - start)
    return spans


def measure(url: str, sensors: int, end: datetime, days: int, *, live: bool = False) -> tuple[Connection, float]:
    """Fill a database and compress it; the open connection and the bytes of a reading."""
    connection = open_for_bench(url)
    try:
        fill(connection, sensors, end, days, live=live)
        compress(connection)
        return connection, bytes_per_observation(connection)
    except BaseException:
        connection.close()
        raise
