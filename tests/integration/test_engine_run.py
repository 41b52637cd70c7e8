"""The engine's loop on a real database: ticks, restart, takeover, and one log whatever happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from risk.canonical import canonical_log
from risk.follower import Follower
from risk.run import StopFlag, run_engine, step_run
from tests.same_log import assert_same_log
from tests.unit.risk.builders import guarded, site, underpass
from undercroft.clock import SystemClock
from undercroft.site.model import Site
from undercroft.store import engine as store
from undercroft.store.commit import TICK_CHANNEL, take_commit_seq
from undercroft.store.connection import Connection, connect
from undercroft.store.site import import_site, sensors

RUN_START = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)
MINUTES = 120
DEADLINE_S = 30.0


@contextmanager
def opened(url: str) -> Iterator[Connection]:
    with closing(connect(url, application_name="test", autocommit=True)) as connection:
        yield connection


def a_site() -> Site:
    return site(underpass(), guarded("gar", "car_park", pump=True), guarded("met", "metro_entrance"))


def storm(minute: int) -> dict[str, float]:
    """Readings of one minute: up for half an hour, a plateau, down again."""
    depth = min(max(0.0, 0.02 * (minute - 5)), 0.32) if minute < 50 else max(0.0, 0.32 - 0.02 * (minute - 50))
    return {
        "up-lvl:water_depth_m": depth,
        "gar-out:water_depth_m": depth,
        "gar-out:barrier_state": 0.0 if minute < 20 else 3.0,
        "gar-in:water_depth_m": max(0.0, depth - 0.2),
        "gar-in:pump_running": float(minute > 20),
        "met-out:water_depth_m": depth / 2,
        "met-out:barrier_state": 0.0,
        "met-in:water_depth_m": 0.0,
        "rain-1:rain_total_mm": 2.0 * min(minute, 30),
    }


def commit_batch(
    connection: Connection, rows: list[tuple[int, datetime, float]], run: tuple[datetime, int] | None
) -> int:
    """Commit readings as ingest does: rows first, the number of the commit order last."""
    with connection.transaction():
        batch = connection.execute("select nextval('batch_id_seq') as id").fetchone()
        assert batch is not None
        for sensor_id, observed_at, value in rows:
            connection.execute(
                "insert into observation (sensor_id, observed_at, value, quality, received_at, batch_id)"
                " values (%s, %s, %s, 1, %s, %s)",
                (sensor_id, observed_at, value, observed_at, batch["id"]),
            )
        seq = take_commit_seq(connection)
        connection.execute(
            "insert into batch (batch_id, commit_seq, lane, run_now, run_seq, messages, readings, stored, duplicates,"
            " conflicts, dead_letters) values (%s, %s, 'test', %s, %s, 1, 1, 1, 0, 0, 0)",
            (batch["id"], seq, run[0] if run else None, run[1] if run else None),
        )
    return seq


def sensor_ids(connection: Connection) -> dict[str, int]:
    return {f"{row.device_id}:{row.quantity}": row.sensor_id for row in sensors(connection)}


def commit_minute(connection: Connection, ids: dict[str, int], minute: int, *, pieces: int = 1) -> None:
    at = RUN_START + timedelta(minutes=minute)
    rows = [(ids[key], at, value) for key, value in storm(minute).items()]
    size = -(-len(rows) // pieces)
    for first in range(0, len(rows) - size, size):
        commit_batch(connection, rows[first : first + size], None)
    commit_batch(
        connection,
        rows[len(rows) - size if pieces > 1 else 0 :] if pieces == 1 else rows[(pieces - 1) * size :],
        (at, minute),
    )


def prepared(connection: Connection, *, pieces: int = 1, minutes: int = MINUTES) -> None:
    import_site(connection, a_site(), "test", RUN_START)
    ids = sensor_ids(connection)
    for minute in range(minutes):
        commit_minute(connection, ids, minute, pieces=pieces)


def run_to_end(connection: Connection) -> bytes:
    follower = Follower(connection)
    follower.restore()
    while step_run(connection, follower):
        pass
    return canonical_log(store.alarm_events(connection))


@pytest.fixture(scope="module")
def logs() -> dict[str, bytes]:
    return {}


def expected_log(connection: Connection, logs: dict[str, bytes]) -> bytes:
    """The log of an undisturbed run, remembered for the tests of disturbed ones."""
    if "plain" not in logs:
        logs["plain"] = run_to_end(connection)
    return logs["plain"]


def test_run_raises_and_clears_with_reasons(exercise_db: str, logs: dict[str, bytes]) -> None:
    with opened(exercise_db) as connection:
        prepared(connection)
        text = expected_log(connection, logs)
        ticks = connection.execute("select count(*) as n, max(run_seq) as last from tick").fetchone()
        alarm: Any = connection.execute("select * from alarm where subject = 'space/up'").fetchone()
        kinds = [row["kind"] for row in store.alarm_events(connection) if row["subject"] == "space/up"]
        kept = connection.execute("select count(*) as n from engine_snapshot").fetchone()
    assert ticks == {"n": MINUTES, "last": MINUTES - 1}
    assert text.count(b"\n") > 8
    assert kinds[0] == "raised"
    assert kinds[-1] == "cleared"
    assert alarm["peak_severity"] == 4
    assert not alarm["active"]
    assert {"rule", "value", "unit", "threshold", "source", "sensor", "observed_at"} <= set(alarm["reasons"][0])
    assert kept == {"n": 2}


def test_batch_size_does_not_change_the_log(exercise_db: str, live_db: str, logs: dict[str, bytes]) -> None:
    del live_db
    with opened(exercise_db) as connection:
        prepared(connection, pieces=3)
        text = run_to_end(connection)
    assert_same_log(text, logs["plain"])


@pytest.mark.parametrize("steps", [1, 49, 50, 51, 77])
def test_restart_after_any_tick_gives_the_same_log(exercise_db: str, logs: dict[str, bytes], steps: int) -> None:
    with opened(exercise_db) as connection:
        import_site(connection, a_site(), "test", RUN_START)
        ids = sensor_ids(connection)
        follower = Follower(connection)
        for minute in range(MINUTES):
            commit_minute(connection, ids, minute)
            if minute == steps:
                follower = Follower(connection)
                follower.restore()
                assert follower.tick_seq == minute
            assert step_run(connection, follower) == 1
        text = canonical_log(store.alarm_events(connection))
    assert_same_log(text, logs["plain"])


def start_engine(url: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "undercroft", "risk"],
        env=os.environ | {"UNDERCROFT_DATABASE_URL": url},
        stderr=subprocess.DEVNULL,
    )


def wait_for_tick(listener: Connection, url: str, tick_seq: int) -> None:
    """Wait until a tick is committed; woken by its notification."""
    with opened(url) as connection:
        listener.execute(f"listen {TICK_CHANNEL}".encode())
        deadline = SystemClock().monotonic_s() + DEADLINE_S
        while True:
            newest = store.last_tick(connection)
            if newest is not None and newest["tick_seq"] >= tick_seq:
                return
            assert SystemClock().monotonic_s() < deadline, f"tick {tick_seq} did not come"
            for _ in listener.notifies(timeout=1.0, stop_after=1):
                pass


def test_killed_engine_leaves_the_same_log_and_the_second_takes_over(exercise_db: str, logs: dict[str, bytes]) -> None:
    with opened(exercise_db) as connection, opened(exercise_db) as listener:
        import_site(connection, a_site(), "test", RUN_START)
        ids = sensor_ids(connection)
        first, second = start_engine(exercise_db), start_engine(exercise_db)
        try:
            for minute in range(70):
                commit_minute(connection, ids, minute)
            wait_for_tick(listener, exercise_db, 20)
            holder = connection.execute(
                "select a.pid from pg_locks l join pg_stat_activity a using (pid)"
                " where l.locktype = 'advisory' and a.datname = current_database()"
            ).fetchall()
            assert len(holder) == 1
            first.kill()
            first.wait()
            for minute in range(70, MINUTES):
                commit_minute(connection, ids, minute)
            wait_for_tick(listener, exercise_db, MINUTES)
            second.send_signal(signal.SIGTERM)
            assert second.wait(timeout=DEADLINE_S) == 0
        finally:
            for process in (first, second):
                if process.poll() is None:
                    process.kill()
                process.wait()
        text = canonical_log(store.alarm_events(connection))
        seqs = [row["tick_seq"] for row in connection.execute("select tick_seq from tick order by tick_seq")]
    assert seqs == list(range(1, MINUTES + 1))
    assert_same_log(text, logs["plain"])


def test_live_engine_alarms_on_one_red_reading(live_db: str) -> None:
    stop = StopFlag()
    ready = threading.Event()
    with opened(live_db) as connection, opened(live_db) as listener:
        import_site(connection, a_site(), "test", RUN_START)
        ids = sensor_ids(connection)
        engine = threading.Thread(target=run_engine, args=(live_db, SystemClock(), stop, ready.set))
        engine.start()
        try:
            assert ready.wait(DEADLINE_S)
            wait_for_tick(listener, live_db, 1)
            now = SystemClock().now()
            seq = commit_batch(connection, [(ids["up-lvl:water_depth_m"], now, 0.31)], None)
            tick = 2
            while True:
                wait_for_tick(listener, live_db, tick)
                newest = store.last_tick(connection)
                assert newest is not None
                if newest["up_to_commit_seq"] >= seq:
                    break
                tick += 1
            alarms = store.alarms(connection, open_only=True)
        finally:
            stop.set()
            engine.join(DEADLINE_S)
    assert not engine.is_alive()
    assert [(row["subject"], row["severity"]) for row in alarms] == [("space/up", 4)]
    assert alarms[0]["reasons"][0]["threshold"] == 0.27


def test_run_clocks_of_before_the_site_keep_no_tick_from_coming(exercise_db: str) -> None:
    """More of them than are asked for at once; what came beside them is covered by the first tick."""
    with opened(exercise_db) as connection:
        for number in range(60):
            commit_batch(connection, [], (RUN_START - timedelta(minutes=60 - number), number))
        follower = Follower(connection)
        assert step_run(connection, follower) == 0
        import_site(connection, a_site(), "test", RUN_START)
        ids = sensor_ids(connection)
        for minute in range(20):
            at = RUN_START + timedelta(minutes=minute)
            commit_batch(connection, [(ids["up-lvl:water_depth_m"], at, 0.5)], (at, 60 + minute))
        while step_run(connection, follower):
            pass
        ticks = connection.execute("select tick_seq, run_seq from tick order by tick_seq").fetchall()
        again = Follower(connection)
        again.restore()
        alarms = store.alarms(connection, open_only=True)
    assert [(row["tick_seq"], row["run_seq"]) for row in ticks] == [(n + 1, 60 + n) for n in range(20)]
    assert [(row["subject"], row["severity"]) for row in alarms] == [("space/up", 4)]
    assert again.tick_seq == 20
