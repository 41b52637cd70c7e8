"""`undercroft bench query` times a filled database and leaves it as it was, so that it can be timed again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest
from psycopg.rows import DictRow

from dashboards.bench import END
from tests.contract.readings import store
from undercroft.store import bench
from undercroft.store.bench import ROLLUPS, bytes_per_observation, open_filled, refreshed_rows_per_s, tidy
from undercroft.store.connection import Connection, connect
from undercroft.store.timescale import is_timescale

MINUTES = 10_000
"""Seven days, so that the policies leave some days uncompressed and compress others."""


@pytest.fixture
def connection(any_db: str) -> Iterator[Connection]:
    """A database that holds a week of one sensor's readings, one a minute, tidied as a fill tidies."""
    with closing(connect(any_db, application_name="tests", autocommit=True)) as made:
        store(made, [(1, END - timedelta(minutes=minute), float(minute), 1) for minute in range(MINUTES, 0, -1)])
        tidy(made, END)
        yield made


def state(connection: Connection) -> list[list[DictRow]]:
    """Readings with the chunk that each lies in, rollups, and which chunks are compressed."""
    queries = ["select * from observation order by 1, 2", *(f"select * from {name} order by 1, 2" for name in ROLLUPS)]  # noqa: S608
    if is_timescale(connection):
        queries += [
            "select observed_at, tableoid from observation_packed order by 1",
            "select hypertable_name, chunk_name, is_compressed from timescaledb_information.chunks order by 1, 2",
        ]
    return [connection.execute(query.encode()).fetchall() for query in queries]


def test_a_weighing_leaves_all_as_it_was(connection: Connection) -> None:
    before = state(connection)
    first = bytes_per_observation(connection)
    assert first > 0
    assert state(connection) == before
    assert bytes_per_observation(connection) == first


@pytest.mark.parametrize("flavour", ["timescale"])  # a plain database keeps no rollups
def test_a_weighing_is_of_compressed_readings(connection: Connection) -> None:
    row = connection.execute(
        "select hypertable_size('observation_packed')::float8 / (select count(*) from observation) as bytes"
    ).fetchone()
    assert row is not None
    assert bytes_per_observation(connection) < row["bytes"]


@pytest.mark.parametrize("flavour", ["timescale"])
def test_a_stream_leaves_nothing_behind(connection: Connection) -> None:
    before = state(connection)
    for _ in range(2):
        assert refreshed_rows_per_s(connection, rows_per_s=20, steps=2) > 0
        assert state(connection) == before


@pytest.mark.parametrize("flavour", ["timescale"])
def test_a_stream_that_was_broken_off_is_dropped_before_the_next_timing(
    connection: Connection, any_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state(connection)
    with monkeypatch.context() as patched:
        patched.setattr(bench, "drop_stream", lambda _: None)
        refreshed_rows_per_s(connection, rows_per_s=20, steps=1)
    assert state(connection) != before
    connection.close()  # the TimescaleDB of npm has one client at a time
    with closing(open_filled(any_db)) as again:
        assert state(again) == before
