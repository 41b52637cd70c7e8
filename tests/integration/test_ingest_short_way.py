"""The usual batch in three round trips: it writes nothing that is not new, or was judged before another's commit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import numpy as np
import pytest

from tests.integration.ingest_kit import one, wait_until
from undercroft.quality import Quality
from undercroft.store.connection import connect
from undercroft.store.observations import BatchRecord, Rows, commit_new_batch, take_batch_ids

NOON_US = 1_782_907_200_000_000
WAITING = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
WRITTEN = "select (select count(*) from observation) + (select count(*) from batch)"


def rows_at(*seconds: int) -> Rows:
    count = len(seconds)
    return Rows(
        np.full(count, 7, dtype=np.int32),
        np.array([NOON_US + second * 1_000_000 for second in seconds], dtype=np.int64),
        np.array([float(second) for second in seconds]),
        np.full(count, Quality.GOOD, dtype=np.int16),
        np.zeros(count, dtype=np.int32),
        np.full(count, NOON_US, dtype=np.int64),
    )


def record_of(rows: Rows) -> BatchRecord:
    count = len(rows)
    return BatchRecord("test", count, 0, count, count, 0, 0, 0)


def commit(database: str, rows: Rows, after: int | None) -> tuple[int | None, list[int]]:
    """Return the commit number, and what others saw before the commit."""
    seen: list[int] = []
    with closing(connect(database, application_name="test", autocommit=True)) as connection:
        (batch_id,) = take_batch_ids(connection)
        seq = commit_new_batch(
            connection, rows, batch_id, record_of(rows), after, lambda: seen.append(one(database, WRITTEN))
        )
        assert connection.info.transaction_status.name == "IDLE"
    return seq, seen


def counter(database: str) -> int:
    found: int = one(database, "select commit_seq from commit_counter")
    return found


def test_more_than_a_socket_holds_is_sent_whole(live_db: str) -> None:
    """60,000 readings, some 3 MB; half a statement sent is one that the server waits for until its limit strikes."""
    seq, seen = commit(live_db, rows_at(*range(60_000)), None)
    assert seq is not None
    assert seen == [0]
    assert one(live_db, WRITTEN) == 60_001


@pytest.mark.parametrize("is_alone", [True, False])
def test_all_is_there_after_the_commit_and_nothing_before(live_db: str, is_alone: bool) -> None:
    before = counter(live_db)
    assert commit(live_db, rows_at(3, 1, 2), None if is_alone else before) == (before + 1, [0])
    assert one(live_db, WRITTEN) == 4
    assert one(live_db, "select count(*) from observation where value = extract(second from observed_at)") == 3


@pytest.mark.parametrize("again", [(2, 4), (4, 4)])
def test_nothing_is_written_if_a_row_is_not_new(live_db: str, again: tuple[int, ...]) -> None:
    commit(live_db, rows_at(1, 2, 3), None)
    before = counter(live_db)
    assert commit(live_db, rows_at(*again), before) == (None, [])
    assert (counter(live_db), one(live_db, WRITTEN)) == (before, 4)


def test_nothing_is_written_after_another_commit(live_db: str) -> None:
    before = counter(live_db)
    commit(live_db, rows_at(1), None)
    assert commit(live_db, rows_at(2), before) == (None, [])
    assert (counter(live_db), one(live_db, WRITTEN)) == (before + 1, 2)


def test_nothing_is_written_if_another_commits_while_this_one_waits(live_db: str) -> None:
    before = counter(live_db)
    with (
        closing(connect(live_db, application_name="test")) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        other.execute("update commit_counter set commit_seq = commit_seq + 1")
        waiting = pool.submit(commit, live_db, rows_at(1), before)
        wait_until(lambda: one(live_db, WAITING) == 1, "the batch waits for the commit number")
        other.commit()
        assert waiting.result() == (None, [])
    assert (counter(live_db), one(live_db, WRITTEN)) == (before + 1, 0)
