"""A nowcast or a library that fails ends no tick: the real process, real libraries, a real database."""

from __future__ import annotations

import os
import signal
from datetime import timedelta
from typing import Any

import orjson
import pytest

from risk.asof import differences
from risk.canonical import canonical_log
from risk.follower import Follower
from risk.nowcaster import Nowcaster
from risk.past.library import document
from risk.refold import refold
from risk.run import step_live, step_run
from risk.snapshot import dump_state
from tests.integration.test_engine_run import RUN_START, a_site, commit_batch, opened, sensor_ids
from tests.integration.test_engine_set_back import Told
from tests.unit.risk_past.kit import SENSOR, days_before, library
from undercroft.store import engine as store
from undercroft.store.connection import Connection
from undercroft.store.floods import NewLibrary, keep_library, use_library
from undercroft.store.site import import_site

SUBJECT = "system/nowcast-failed"


def poisoned() -> str:
    """A library that speaks and cannot be asked: a flood without a sample, which no command makes."""
    body = orjson.loads(document(library([0.4] * 30)))
    body["floods"].append([SENSOR, days_before(1), [], []])
    return orjson.dumps(body).decode()


def kept(connection: Connection, text: str) -> int:
    times = (RUN_START, None, None)
    return keep_library(connection, NewLibrary(*times, "1", "Li", "test", 1, 30, "0" * 64, text))


def prepared(connection: Connection, text: str) -> dict[str, int]:
    import_site(connection, a_site(), "test", RUN_START)
    use_library(connection, kept(connection, text), "Li", RUN_START)
    return sensor_ids(connection)


def depth_m(minute: int) -> float:
    return min(0.02 * minute, 0.4)


def live(connection: Connection, ids: dict[str, int], minutes: range, nowcaster: Nowcaster) -> Follower:
    follower = Follower(connection)
    follower.restore()
    for minute in minutes:
        at = RUN_START + timedelta(minutes=minute)
        commit_batch(connection, [(ids[SENSOR], at, depth_m(minute))], None)
        step_live(connection, follower, at, nowcaster)
    return follower


def alarm_of(connection: Connection, subject: str) -> Any:
    return connection.execute(
        "select * from alarm where subject = %s order by occurrence desc limit 1", (subject,)
    ).fetchone()


def test_a_library_that_fails_when_asked_ends_no_tick_and_is_told_until_it_is_out_of_use(live_db: str) -> None:
    with opened(live_db) as connection, Told() as nowcaster:
        ids = prepared(connection, poisoned())
        follower = live(connection, ids, range(20), nowcaster)
        red, failed = alarm_of(connection, "space/up"), alarm_of(connection, SUBJECT)
        errors = connection.execute("select tick_seq, nowcast_error, nowcast_id from tick order by 1").fetchall()
        use_library(connection, None, "Li", RUN_START + timedelta(minutes=20))
        for minute in range(20, 30):
            at = RUN_START + timedelta(minutes=minute)
            commit_batch(connection, [(ids[SENSOR], at, depth_m(minute))], None)
            step_live(connection, follower, at, nowcaster)
        ended = alarm_of(connection, SUBJECT)
        again, outputs = refold(connection, follower.tick_seq, before=1)
        differing = differences(connection, follower.tick_seq)
    assert (red["severity"], red["active"]) == (4, True)
    assert (failed["severity"], failed["active"]) == (3, True)
    assert "ValueError: time_s and depth_m" in failed["reasons"][0]["text_en"]
    assert sum(row["nowcast_error"] is not None for row in errors) > 10
    assert (ended["active"], ended["occurrence"]) == (False, 1)
    assert [output.nowcast_error for output in outputs][:20] == [row["nowcast_error"] for row in errors]
    assert memory(again) == memory(follower)
    assert differing == []


def memory(follower: Follower) -> bytes:
    assert follower.engine is not None
    return dump_state(follower.engine.state, follower.engine.plant.arrays)


def test_the_log_is_the_same_where_the_engine_is_started_again_meanwhile(live_db: str, exercise_db: str) -> None:
    logs = []
    for url, parts in ((live_db, [range(20)]), (exercise_db, [range(7), range(7, 20)])):
        with opened(url) as connection:
            ids = prepared(connection, poisoned())
            for part in parts:
                with Told() as nowcaster:
                    live(connection, ids, part, nowcaster)
            logs.append(canonical_log(store.alarm_events(connection)))
    assert logs[0].count(SUBJECT.encode()) == 1
    assert [line for line in logs[0].splitlines() if b"space/" in line] == [
        line for line in logs[1].splitlines() if b"space/" in line
    ]


@pytest.mark.parametrize("steps", [1, 20])
def test_in_a_run_it_is_told_by_the_tick_that_would_have_used_it_at_any_batch_size(
    exercise_db: str, steps: int, logs: list[bytes]
) -> None:
    with opened(exercise_db) as connection:
        ids = prepared(connection, poisoned())
        follower = Follower(connection)
        for minute in range(20):
            at = RUN_START + timedelta(minutes=minute)
            commit_batch(connection, [(ids[SENSOR], at, depth_m(minute))], (at, minute))
            if (minute + 1) % steps == 0:
                step_run(connection, follower)
        logs.append(canonical_log(store.alarm_events(connection)))
        again, _ = refold(connection, follower.tick_seq, before=1)
    assert logs[-1].count(SUBJECT.encode()) == 1
    assert b'"severity":4,"subject":"space/up"' in logs[-1]
    assert logs[-1] == logs[0]
    assert memory(again) == memory(follower)


@pytest.fixture(scope="module")
def logs() -> list[bytes]:
    return []


def test_a_library_that_cannot_be_read_is_not_in_use_and_is_told(live_db: str) -> None:
    with opened(live_db) as connection, Told() as nowcaster:
        ids = prepared(connection, '{"form": 9}')
        follower = live(connection, ids, range(20), nowcaster)
        failed, red = alarm_of(connection, SUBJECT), alarm_of(connection, "space/up")
        first = store.ticks_after(connection, 0, 1)[0]
        again, _ = refold(connection, follower.tick_seq, before=1)
    assert "flood library: form 9, expected 1" in str(first.nowcast_error)
    assert not failed["active"], "the nowcasts after it are made, without a library"
    assert red["active"]
    assert memory(again) == memory(follower)


def test_a_process_that_is_killed_is_told_and_replaced(live_db: str) -> None:
    with opened(live_db) as connection, Told() as nowcaster:
        ids = prepared(connection, document(library([0.4] * 30)))
        follower = live(connection, ids, range(5), nowcaster)
        assert nowcaster.finished() is not None
        assert nowcaster.pid is not None
        os.kill(nowcaster.pid, signal.SIGSTOP)
        nowcaster.ask(follower.question())
        os.kill(nowcaster.pid, signal.SIGKILL)
        for minute in range(5, 14):
            step_live(connection, follower, RUN_START + timedelta(minutes=minute), nowcaster)
        failed = alarm_of(connection, SUBJECT)
        rows = connection.execute("select nowcast_error, nowcast_id from tick order by tick_seq").fetchall()
    assert [row["nowcast_error"] for row in rows if row["nowcast_error"]] == [
        "RuntimeError: its process ended or hung, exit code -9"
    ]
    assert rows[-1]["nowcast_id"] > 10
    assert (failed["occurrence"], failed["active"]) == (1, False)
