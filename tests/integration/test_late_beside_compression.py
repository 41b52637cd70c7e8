"""A reading that comes late for a day just being compressed does not keep those of now waiting: the compression ends.

This takes a server with several connections at once, which the TimescaleDB of npm does not have.
"""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import datetime, timedelta

import numpy as np
import pytest

from tests.contract.readings import store
from tests.integration.ingest_kit import one, wait_until
from undercroft.clock import SystemClock
from undercroft.store.connection import Connection, connect
from undercroft.store.observations import BatchRecord, Fate, Rows, commit_new_batch, microseconds, store_rows

ANSWER_WITHIN_S = 10.0
"""Far below the minute for which the compression of these tests stands."""
HOLDS_ITS_CHUNK = """
select count(*)::int from pg_locks held join pg_locks waiting using (pid)
where held.granted and held.mode = 'ExclusiveLock' and held.relation = %s::regclass
    and not waiting.granted and waiting.relation = '_timescaledb_catalog.compression_chunk_size'::regclass
"""
CHUNKS = """
select format('%I.%I', chunk_schema, chunk_name) as name from timescaledb_information.chunks
where hypertable_name = 'observation_packed' order by range_start
"""
RECORD = BatchRecord("observation", 1, 0, 2, 2, 0, 0, 0)

pytestmark = pytest.mark.timescale_server


def opened(url: str, name: str = "tests") -> Connection:
    return connect(url, application_name=name, autocommit=True)


def late_and_live(late: datetime, now: datetime) -> Rows:
    received = [microseconds(now)] * 2
    return Rows(
        np.array([1, 2], np.int32), np.array([microseconds(late), microseconds(now)]), np.array([0.5, 0.25]),
        np.ones(2, np.int16), np.zeros(2, np.int32), np.array(received),
    )  # fmt: skip


@pytest.mark.parametrize("is_short_way", [True, False])
def test_a_late_reading_ends_the_compression_of_its_day(timescale_live_db: str, is_short_way: bool) -> None:
    now = SystemClock().now()
    late = now.replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=4)
    done: list[bool] = []

    with closing(opened(timescale_live_db)) as owner, closing(opened(timescale_live_db)) as worker:
        store(owner, [(sensor, late + timedelta(minutes=m), 1.0, 1) for sensor in (1, 2) for m in range(1, 60)])
        found = owner.execute("select show_chunks('observation_packed')::text as name").fetchone()
        assert found is not None
        compress = "select undercroft_compress(%s::regclass) as done"

        def work() -> None:
            row = worker.execute(compress, (found["name"],)).fetchone()
            assert row is not None
            done.append(row["done"])

        # It stands where it writes down what it made, its chunk in hand, for as long as this lock is held.
        owner.execute("alter function undercroft_compress set lock_timeout = '60s'")
        with owner.transaction():
            owner.execute("lock table _timescaledb_catalog.compression_chunk_size in share mode")
            working = threading.Thread(target=work)
            working.start()
            wait_until(lambda: one(timescale_live_db, HOLDS_ITS_CHUNK, found["name"]) == 1, "the chunk is in hand")
            with closing(connect(
                timescale_live_db, application_name="ingest", autocommit=True, answer_within_s=ANSWER_WITHIN_S
            )) as ingest:  # fmt: skip
                ingest.execute("set role undercroft_ingest")
                rows = late_and_live(late, now)
                if is_short_way:
                    assert commit_new_batch(ingest, rows, 7, RECORD, None, lambda: None) is not None
                else:
                    with ingest.transaction():
                        assert list(store_rows(ingest, rows, 7)) == [Fate.STORED] * 2
            working.join()
        assert done == [False]
        work()  # in the same session, as the job does an hour later
        assert done == [False, True]
        assert one(timescale_live_db, "select count(*)::int from observation where batch_id = 7") == 2
        assert one(timescale_live_db, "select count(*)::int from observation") == 2 * 59 + 2


def test_only_a_compression_of_the_late_day_ends(timescale_live_db: str) -> None:
    now = SystemClock().now()
    with closing(opened(timescale_live_db)) as owner, closing(opened(timescale_live_db)) as other:
        store(owner, [(1, now - timedelta(days=days), 1.0, 1) for days in (4, 6)])
        chunks = [str(row["name"]) for row in owner.execute(CHUNKS)]
        make_way = "select undercroft_make_way(array[date_trunc('day', %s::timestamptz, 'UTC')]) as ended"
        with other.transaction():  # compressed, and not yet committed
            other.execute("select undercroft_compress(%s::regclass)", (chunks[0],))
            assert owner.execute(make_way, (now - timedelta(days=4),)).fetchone() == {"ended": 0}
        with other.transaction():  # somebody's lock that is no compression
            other.execute(f"lock table {chunks[1]} in exclusive mode".encode())
            assert owner.execute(make_way, (now - timedelta(days=4),)).fetchone() == {"ended": 0}
            assert other.execute("select 1 as one").fetchone() == {"one": 1}
