"""Fills a database for ``undercroft bench query`` and weighs it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from undercroft.errors import BadInput
from undercroft.model import Mode
from undercroft.store.connection import Connection, connect, translated_errors
from undercroft.store.migrate import mode_of
from undercroft.store.sql import sql
from undercroft.store.timescale import is_timescale

APPLICATION_NAME = "undercroft-bench"
DAY = timedelta(days=1)
BATCH_DAYS = 30
"""How long batches are kept: class ``batch`` of a live database's retention."""
TIDY_DAYS = 7
JOBS_END_WITHIN_S = 60.0
STREAM_AT = datetime(2036, 7, 1, tzinfo=UTC)
"""Years after whatever a benchmark fills, so that no chunk holds both."""
STREAM_APART = timedelta(days=1000)
COMPRESSED_AFTER_DAYS = {
    "observation_packed": 2,
    "assessment": 2,
    "tick": 8,
    "rollup_1m": 3,
    "rollup_10m": 20,
    "rollup_1h": 40,
    "rollup_1d": 40,
}
"""As `objects/policies.sql` has it. [d]"""

Series = Sequence[tuple[str, str, int, float]]
"""A simulated day: device, quantity, milliseconds of the day, value."""

ROLLUPS = ("rollup_1m", "rollup_10m", "rollup_1h", "rollup_1d")
"""The finest first: each is made from the one before."""


_OF_A_DAY = (
    "bench_fill_day",
    "bench_fill_flags",
    "bench_fill_engine",
    "bench_fill_assessments",
    "bench_fill_alarms",
    "bench_fill_acts",
    "bench_fill_library",
    "bench_fill_duty",
    "bench_fill_letters",
)


def open_empty(url: str) -> Connection:
    """Open an exercise database that holds no readings yet."""
    connection = _open(url)
    with translated_errors():
        if _has_readings(connection):
            raise BadInput("a benchmark fills the database: give it an empty one")
    return connection


def open_filled(url: str) -> Connection:
    """Open an exercise database that an earlier run has filled; what a timing that was broken off left is dropped."""
    connection = _open(url)
    with translated_errors():
        if not _has_readings(connection):
            raise BadInput("there is nothing to time: fill the database with `--stage fill` first")
    if is_timescale(connection):
        drop_stream(connection)
    return connection


def _open(url: str) -> Connection:
    connection = connect(url, application_name=APPLICATION_NAME, autocommit=True)
    with translated_errors():
        if mode_of(connection) is not Mode.EXERCISE:
            raise BadInput("a benchmark fills the database: give it one of mode exercise")
        if is_timescale(connection):
            stop_jobs(connection)
    return connection


def _has_readings(connection: Connection) -> bool:
    return connection.execute(sql("bench_any_reading")).fetchone() is not None


def stop_jobs(connection: Connection) -> None:
    """Stop what runs by itself, once nothing of it is at work."""
    ends = time.monotonic() + JOBS_END_WITHIN_S
    while connection.execute(sql("bench_running_jobs")).fetchone() != {"running": 0}:
        if time.monotonic() > ends:
            raise BadInput("the database is at work for itself: give it one that nothing else uses")
        time.sleep(0.1)
    connection.execute(sql("bench_stop_jobs"))


def fill(connection: Connection, sensors: int, end: datetime, days: int, series: Sequence[Series]) -> None:
    """Write some days of all that panels show before an instant, simulated days by turns; the newest is written last.

    What jobs would have done meanwhile is done each week.
    """
    connection.prepare_threshold = None  # a plan made while there are no batches reads them all for each tick
    with translated_errors():
        connection.execute("select setseed(0.5)")
        connection.execute(sql("bench_fill_site"), {"sensors": sensors})
        take_series(connection, series)
        for back in range(days, 0, -1):
            day = {"day": end - back * DAY, "end": end, "has_batches": back <= BATCH_DAYS}
            for name in _OF_A_DAY:
                connection.execute(sql(name), day)
            if back % TIDY_DAYS == 1:
                tidy(connection, end - (back - 1) * DAY)
        connection.execute("analyze")


def take_series(connection: Connection, series: Sequence[Series]) -> None:
    """Keep simulated days for this connection.

    Raises
    ------
    BadInput
        If they have nothing of a sensor of the site.
    """
    connection.execute(sql("bench_make_series"))
    with connection.cursor().copy(sql("bench_copy_series")) as copy:
        for number, day in enumerate(series):
            for row in day:
                copy.write_row((number, *row))
    connection.execute("analyze bench_series")
    if missing := connection.execute(sql("bench_missing_series")).fetchall():
        raise BadInput(f"the simulated days have no reading of {missing[0]['device_id']} and {len(missing) - 1} more")


def tidy(connection: Connection, end: datetime) -> None:
    """Do at once what policies do over time: refresh rollups, compress what is as old as they wait for."""
    if not is_timescale(connection):
        return
    refresh(connection, None, end)
    with translated_errors():
        for relation, days in COMPRESSED_AFTER_DAYS.items():
            connection.execute(sql("bench_compress"), {"relation": relation, "before": end - days * DAY})


def refresh(connection: Connection, since: datetime | None, until: datetime, levels: Sequence[str] = ROLLUPS) -> float:
    """Refresh rollups, the finest first; how long it took. [s]"""
    start = time.perf_counter()
    with translated_errors():
        for level in levels:
            connection.execute(sql("bench_refresh"), {"level": level, "since": since, "until": until})
    return time.perf_counter() - start


def refreshed_rows_per_s(connection: Connection, rows_per_s: int, steps: int) -> float:
    """Return how fast rollups take in a stream that comes in half-minutes, refreshed after each as the policy does.

    The finest rollup is refreshed after every half-minute, the coarser ones over all of it at the end. The stream comes
    long after everything else, into chunks of its own, which are dropped in the end.
    """
    took_s = 0.0
    half_minute = timedelta(seconds=30)
    for step in range(steps):
        at = STREAM_AT + step * half_minute
        with translated_errors():
            connection.execute(sql("bench_fill_stream"), {"at": at, "rows": 30 * rows_per_s})
        took_s += refresh(connection, STREAM_AT - DAY, at + half_minute, ROLLUPS[:1])
    took_s += refresh(connection, STREAM_AT - DAY, STREAM_AT + DAY)
    drop_stream(connection)
    return 30 * rows_per_s * steps / took_s


def drop_stream(connection: Connection) -> None:
    """Drop the chunks of a stream, where there are any."""
    with translated_errors():
        for relation in ("observation_packed", *ROLLUPS):
            connection.execute(sql("bench_drop_newer"), {"relation": relation, "since": STREAM_AT - STREAM_APART})


def bytes_per_observation(connection: Connection) -> float:
    """Return what a reading takes on disk once all are compressed, indexes included; nothing stays changed. [byte]"""
    with translated_errors(), connection.transaction(force_rollback=True):
        if is_timescale(connection):
            connection.execute(sql("bench_compress"), {"relation": "observation_packed", "before": STREAM_AT})
            row = connection.execute(sql("bench_observation_bytes_timescale")).fetchone()
        else:
            row = connection.execute(sql("bench_observation_bytes_plain")).fetchone()
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
