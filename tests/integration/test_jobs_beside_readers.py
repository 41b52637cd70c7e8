"""No job stands between readers and the alarm path: a backup, or a slow query, reads chunks for as long as it likes.

Whoever waits for ACCESS EXCLUSIVE has everybody behind it who asks for the table later. This takes a server with
several connections at once, which the TimescaleDB of npm does not have.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.contract.readings import store
from undercroft.clock import SystemClock
from undercroft.doctor.database import check_database
from undercroft.doctor.finding import Verdict
from undercroft.errors import StoreUnavailable
from undercroft.store import backup as backing_up
from undercroft.store.backup import backup
from undercroft.store.connection import Connection, connect
from undercroft.store.retention import retain
from undercroft.store.sql import sql

ANSWER_WITHIN_S = 2.0
"""Above the half second that a job may wait in front of others, and far below what a backup takes."""

DAY = timedelta(days=1)
JOBS = """
select job_id, concat_ws(' ', proc_name, coalesce(config ->> 'relation', hypertable_name)) as name
from timescaledb_information.jobs
where proc_name in ('undercroft_compress_job', 'policy_compression', 'policy_refresh_continuous_aggregate',
    'undercroft_retain_job', 'undercroft_unstick_job')
order by proc_name <> 'policy_refresh_continuous_aggregate', job_id
"""
STATES = """
select count(*)::int as chunks, count(*) filter (where status = 1)::int as compressed
from timescaledb_information.chunks,
    _timescaledb_functions.chunk_status(format('%I.%I', chunk_schema, chunk_name)::regclass) as status
where hypertable_name = 'observation_packed'
"""

pytestmark = pytest.mark.timescale_server


def opened(url: str, name: str = "tests") -> Connection:
    return connect(url, application_name=name, autocommit=True)


def on(days_ago: int, minute: int, now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0) - days_ago * DAY + timedelta(minutes=minute)


def fill(connection: Connection, now: datetime) -> None:
    """Readings of now, of the seven days before today and of two that are too old; ticks of old weeks."""
    times = [on(day, minute, now) for day in (*range(1, 8), 410, 412) for minute in range(0, 600, 10)]
    store(connection, [(sensor, at, 1.0, 1) for sensor in range(1, 4) for at in (now, *times)])
    for age in (0, 5, 20, 30, 1200):
        values = (10_000 - age, now - age * DAY)
        connection.execute("insert into tick (tick_seq, tick_at, up_to_commit_seq) values (%s, %s, 0)", values)


@contextmanager
def alarm_path_goes_on(url: str) -> Iterator[list[float]]:
    """Have what ingest, engine and notifier ask answered all the while, each within its time; yields what it took."""
    took: list[float] = []
    wrong: list[StoreUnavailable] = []
    over = threading.Event()

    def ask() -> None:
        with closing(connect(url, application_name="path", autocommit=True, answer_within_s=ANSWER_WITHIN_S)) as path:
            while not over.is_set():
                began = time.monotonic()
                now = SystemClock().now()
                store(path, [(1, now, 0.2, 1)])
                path.execute(sql("engine_last_tick").encode())
                path.execute(sql("engine_observations").encode(), {"after": 0, "up_to": 10})
                path.execute("select distinct on (sensor_id) * from observation order by sensor_id, observed_at desc")
                path.execute(sql("duty_ticks_after").encode(), {"tick_seq": 0, "most": 10})
                took.append(time.monotonic() - began)

    def ask_or_tell() -> None:
        try:
            ask()
        except StoreUnavailable as error:
            wrong.append(error)

    asking = threading.Thread(target=ask_or_tell)
    asking.start()
    try:
        yield took
    finally:
        over.set()
        asking.join()
    assert not wrong
    assert took


def run_all(url: str, within_s: float = 30.0) -> None:
    """Run each job as the scheduler does, one after the other."""
    with closing(connect(url, application_name="job", autocommit=True, answer_within_s=within_s)) as worker:
        for job in worker.execute(JOBS.encode()).fetchall():
            worker.execute("call run_job(%s)", (job["job_id"],))


@contextmanager
def reading(url: str) -> Iterator[None]:
    """Read everything, as a backup does, and stay."""
    with closing(connect(url, application_name="reader")) as reader:
        reader.execute("set transaction isolation level repeatable read")
        for name in ("observation_packed", "tick", "assessment", "rollup_1m", "rollup_1d"):
            reader.execute(f"select count(*) from {name}".encode())  # noqa: S608
        yield


def test_jobs_put_off_what_somebody_reads_and_nobody_waits_behind_them(timescale_live_db: str) -> None:
    now = SystemClock().now()
    with closing(opened(timescale_live_db)) as connection:
        fill(connection, now)
        before = connection.execute(STATES.encode()).fetchone()
        with reading(timescale_live_db), alarm_path_goes_on(timescale_live_db):
            run_all(timescale_live_db)
        assert connection.execute(STATES.encode()).fetchone() == before  # nothing compressed, nothing dropped
        assert connection.execute("select undercroft_put_off() as words").fetchall() == [
            {"words": "observation_packed: 2"},
            {"words": "tick: 1"},
        ]
        found = {finding.check: finding for finding in check_database(timescale_live_db, now)}
        assert (found["retention"].verdict, found["retention"].seen[:20]) == (Verdict.NOTE, "steps put off at the")
        connection.execute(
            "update retention_class set behind_since = behind_since - interval '3 days' where put_off > 0"
        )
    found = {finding.check: finding for finding in check_database(timescale_live_db, now)}
    assert (found["retention"].verdict, found["retention"].seen[:28]) == (Verdict.BAD, "older than they are kept: ob")
    assert found["policies"].verdict is Verdict.GOOD  # the chunks are of today
    with closing(opened(timescale_live_db)) as connection:
        connection.execute("update _timescaledb_catalog.chunk set creation_time = now() - interval '3 days'")
    found = {finding.check: finding for finding in check_database(timescale_live_db, now)}
    assert found["policies"].verdict is Verdict.BAD
    assert found["policies"].seen.startswith("not compressed though old: observation_packed: 5 chunks since ")
    with closing(opened(timescale_live_db)) as connection:
        connection.execute("update retention_class set keep = '411 days' where relation = 'observation_packed'")
        run_all(timescale_live_db)
        after = connection.execute(STATES.encode()).fetchone()
        assert before is not None
        assert after is not None
        assert after["chunks"] == before["chunks"] - 1
        assert after["compressed"] == 6  # of the days 3 to 7 and of day 410
        assert connection.execute("select undercroft_put_off()").fetchall() == []
        # Late rows in compressed chunks, which are compressed again: TimescaleDB builds the chunk's index anew.
        store(connection, [(1, on(day, 5, now), 1.0, 1) for day in range(3, 8)])
        late = connection.execute(STATES.encode()).fetchone()
        with reading(timescale_live_db), alarm_path_goes_on(timescale_live_db):
            run_all(timescale_live_db)
        assert late is not None
        assert late["compressed"] < after["compressed"]
        assert connection.execute(STATES.encode()).fetchone() == late
        run_all(timescale_live_db)
        assert connection.execute(STATES.encode()).fetchone() == after


def test_a_backup_does_not_stop_the_alarm_path(
    timescale_live_db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All jobs run while pg_dump has its locks and its snapshot; what it wrote is whole."""
    with closing(opened(timescale_live_db)) as connection:
        fill(connection, SystemClock().now())
    run = backing_up._run

    def slow(url: str, program: str, *words: str, forgiven: str | None = None) -> str:
        run_all(url)  # the snapshot and its locks are taken
        return run(url, program, *words, forgiven=forgiven)

    monkeypatch.setattr(backing_up, "_run", slow)
    with alarm_path_goes_on(timescale_live_db):
        manifest = backup(timescale_live_db, tmp_path / "a.dump", SystemClock().now())
    assert manifest.rows["observation"] >= 3 * 9 * 60
    assert [each.relation for each in retain(timescale_live_db, SystemClock().now())] == ["observation_packed", "tick"]
