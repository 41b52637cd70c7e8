"""Backup and restore on PostgreSQL, and an upgrade from the schema before the storage migration."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from duty.file import DutyFile
from duty.notify.run import run_duty
from risk.run import run_engine
from tests.contract.storm import fill_storm
from tests.integration.test_engine_run import a_site
from tests.timescale import URL_VARIABLE, bare_database
from undercroft.clock import SystemClock
from undercroft.doctor.database import check_database
from undercroft.doctor.finding import Finding, Verdict
from undercroft.errors import BadInput
from undercroft.model import Mode
from undercroft.stack.postgres import PostgresServer
from undercroft.store import backup as backing_up
from undercroft.store import migrate as migrating
from undercroft.store.backup import BackupFailed, backup, failure, restore
from undercroft.store.connection import connect
from undercroft.store.databases import create_database, drop_database, migrate_database
from undercroft.store.retention import Dropped, retain
from undercroft.store.site import import_site

NOW = datetime(2026, 7, 1, tzinfo=UTC)
SOON_S = 20.0
OLD_DAYS = 60
"""Twice as long as batches are kept."""
TABLES = ("observation", "assessment", "alarm_event", "site_version", "sensor", "incident_hold", "deployment")


@pytest.fixture
def empty_db(postgres: PostgresServer) -> Iterator[str]:
    if given := os.environ.get(URL_VARIABLE):
        with bare_database(given) as url:
            yield url
        return
    create_database(postgres.url(), "restored_here")
    yield postgres.url("restored_here")
    drop_database(postgres.url(), "restored_here")


def content(url: str) -> dict[str, str]:
    """Return a hash of all rows of each table."""
    with closing(connect(url, application_name="tests")) as connection:
        found = {}
        for table in TABLES:
            row = connection.execute(
                f"select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) as hash from {table} t".encode()  # noqa: S608
            ).fetchone()
            assert row is not None
            found[table] = row["hash"]
        return found


def test_what_is_restored_is_what_was_backed_up(exercise_db: str, empty_db: str, tmp_path: Path) -> None:
    fill_storm(exercise_db)
    manifest = backup(exercise_db, tmp_path / "a.dump", NOW)
    assert manifest.rows["tick"] == 36
    assert (tmp_path / "a.dump").stat().st_mode & 0o777 == 0o600
    assert restore(empty_db, tmp_path / "a.dump") == manifest
    assert content(empty_db) == content(exercise_db)
    with closing(connect(empty_db, application_name="tests")) as connection:
        assert connection.execute("select count(*) as n from grafana.alarm").fetchone() == {"n": 20}
        # The next numbers go on where the old ones ended.
        row = connection.execute("select nextval('sensor_sensor_id_seq') > max(sensor_id) as ok from sensor").fetchone()
        assert row == {"ok": True}
    if os.environ.get(URL_VARIABLE):  # elsewhere nothing runs by itself
        assert is_soon(lambda: found_by_doctor(empty_db)["jobs"].verdict is Verdict.GOOD)
        assert [each for each in found_by_doctor(empty_db).values() if each.verdict is Verdict.BAD] == []


def test_a_live_database_with_batches_that_are_no_longer_kept_comes_back_whole_and_as_closed(
    live_db: str, empty_db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_old_batches(live_db)
    run = backing_up._run

    def begun_late(url: str, program: str, *words: str, forgiven: str | None = None) -> str:
        if program == "pg_dump":  # what was counted is dropped before it is read
            with closing(connect(live_db, application_name="tests", autocommit=True)) as connection:
                connection.execute("delete from batch where batch_id = %s", (OLD_DAYS,))
        return run(url, program, *words, forgiven=forgiven)

    monkeypatch.setattr(backing_up, "_run", begun_late)
    assert backup(live_db, tmp_path / "a.dump", NOW).rows["batch"] == OLD_DAYS
    dropped: list[Dropped] = []

    def migrate_and_retain(url: str, mode: Mode) -> list[str]:  # at the first moment at which TimescaleDB's job may run
        applied = migrate_database(url, mode)
        dropped.extend(retain(url, SystemClock().now()))
        return applied

    monkeypatch.setattr("undercroft.store.backup.migrate_database", migrate_and_retain)
    manifest = restore(empty_db, tmp_path / "a.dump")
    assert (manifest.mode, manifest.rows["batch"]) == ("live", OLD_DAYS)
    assert [each.relation for each in dropped] == ["batch"]
    with closing(connect(empty_db, application_name="tests", autocommit=True)) as connection:
        open_to_all = connection.execute(
            "select p.oid::regprocedure::text as name from pg_proc p,"
            " aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a"
            " where p.pronamespace = 'public'::regnamespace and p.prosecdef and a.grantee = 0"
        ).fetchall()
        assert open_to_all == []
        row = connection.execute(
            "select has_function_privilege('undercroft_acts', p.oid, 'execute') as ok from pg_proc p"
            " where p.proname = 'admin_makes_operator'"
        ).fetchone()
        assert row == {"ok": True}


def fill_old_batches(url: str) -> None:
    with closing(connect(url, application_name="tests", autocommit=True)) as connection:
        connection.execute(
            "insert into batch (batch_id, commit_seq, lane, messages, readings, stored, duplicates, conflicts,"
            " dead_letters, committed_at) select n, n, 'routine', 1, 1, 1, 0, 0, 0, now() - n * interval '1 day'"
            " from generate_series(1, %(days)s) as n",
            {"days": OLD_DAYS},
        )


def found_by_doctor(url: str) -> dict[str, Finding]:
    return {finding.check: finding for finding in check_database(url, SystemClock().now())}


def is_soon(holds: Callable[[], bool]) -> bool:
    ends = time.monotonic() + SOON_S
    while not holds():
        if time.monotonic() > ends:
            return False
    return True


@pytest.mark.slow
def test_a_held_database_is_worked_on_by_nobody_before_it_is_released(
    live_db: str, empty_db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message waited when the backup was made: neither engine nor notifier touches it, and it is never sent."""
    with closing(connect(live_db, application_name="tests", autocommit=True)) as connection:
        import_site(connection, a_site(), "tests", NOW)
        connection.execute(
            "insert into notification (key, cause, incident_id, reason, step, severity, person_id, channel, address,"
            " title, body, decided_at, state)"
            " values ('k', 'c', 'i', 'first', 0, 4, 'li', 'hook', 'a', '', '', now(), 'queued')"
        )
    backup(live_db, tmp_path / "a.dump", NOW)
    monkeypatch.setenv("UNDERCROFT_DATABASE_URL", empty_db)
    assert undercroft("restore", str(tmp_path / "a.dump"), "--hold").startswith("restored and held")
    assert "held since" in found_by_doctor(empty_db)["schema"].seen
    stop, ready = threading.Event(), threading.Event()
    services = [
        threading.Thread(target=run_engine, args=(empty_db, SystemClock(), stop, lambda: None)),
        threading.Thread(target=run_duty, args=(empty_db, SystemClock(), stop, DutyFile(), {}, ready.set)),
    ]
    try:
        for service in services:
            service.start()
        with closing(connect(empty_db, application_name="tests", autocommit=True)) as connection:
            seen = (
                "select count(*) = 2 as ok from pg_stat_activity"
                " where application_name in ('undercroft-engine', 'undercroft-duty')"
            )
            assert is_soon(lambda: connection.execute(seen).fetchone() == {"ok": True})
            assert connection.execute("select count(*) as ticks from tick").fetchone() == {"ticks": 0}
            assert not ready.is_set()
            assert "--messages send or --messages forget" in undercroft("db", "release", code=2)
            assert undercroft("db", "release", "--messages", "forget") == "released; 1 old messages are never sent"
            assert is_soon(lambda: connection.execute("select from tick limit 1").fetchone() is not None)
            assert is_soon(ready.is_set)
            assert connection.execute("select state, attempts from notification").fetchall() == [
                {"state": "held", "attempts": 0}
            ]
            assert "not held" in undercroft("db", "release", code=2)
    finally:
        stop.set()
        for service in services:
            service.join()


def undercroft(*words: str, code: int = 0) -> str:
    """Run the command line; what it says in its last line."""
    done = subprocess.run([sys.executable, "-m", "undercroft", *words], capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return (done.stdout or done.stderr).strip().splitlines()[-1]


def test_a_damaged_file_a_full_database_and_an_existing_file_are_refused(exercise_db: str, tmp_path: Path) -> None:
    path = tmp_path / "a.dump"
    backup(exercise_db, path, NOW)
    with pytest.raises(BadInput, match="exists already"):
        backup(exercise_db, path, NOW)
    with pytest.raises(BadInput, match="not empty"):
        restore(exercise_db, path)
    path.write_bytes(path.read_bytes()[:-1] + b"\0\0")
    with pytest.raises(BadInput, match="damaged"):
        restore(exercise_db, path)
    with pytest.raises(BadInput, match="no such file"):
        restore(exercise_db, tmp_path / "b.dump")


def test_missing_rows_are_seen_after_a_restore(exercise_db: str, empty_db: str, tmp_path: Path) -> None:
    path, beside = tmp_path / "a.dump", tmp_path / "a.dump.json"
    backup(exercise_db, path, NOW)
    manifest = json.loads(beside.read_text(encoding="utf-8"))
    manifest["rows"]["observation"] = 1
    beside.write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(BackupFailed, match="rows are missing"):
        restore(empty_db, path)


def test_an_older_server_that_does_not_know_a_setting_is_restored_into_and_any_other_error_is_one() -> None:
    # As pg_restore 18 said it of PostgreSQL 15.
    unknown = (
        'pg_restore: error: could not execute query: ERROR:  unrecognized configuration parameter "transaction_timeout"'
        "\n"
        "Command was: SET transaction_timeout = 0;\n"
    )
    more = 'pg_restore: error: could not execute query: ERROR:  relation "tick" does not exist\nCommand was: ...\n'
    ended = "pg_restore: warning: errors ignored on restore: 1\n"
    setting = 'parameter "transaction_timeout"'
    assert failure(unknown + ended, setting) is None
    assert failure(unknown + ended, None) == unknown.splitlines()[0]
    assert failure(unknown + more + ended, setting) == more.splitlines()[0]
    assert failure("pg_restore: connection lost\n", setting) == "pg_restore: connection lost"
    assert failure("", setting) == "it ended without a word"


def test_an_unreachable_database_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"^database: connection failed"):
        backup("postgresql://nobody@127.0.0.1:1/nothing", tmp_path / "a.dump", NOW)
    assert list(tmp_path.iterdir()) == []


def test_an_upgrade_from_the_schema_before_keeps_every_row(empty_db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    older = [migration for migration in migrating.migrations() if migration.version < 40]
    with monkeypatch.context() as patched:
        patched.setattr(migrating, "migrations", lambda: older)
        patched.setattr(migrating, "settle", lambda _: [])
        patched.setattr(migrating, "grant_exactly", lambda _: True)
        migrate_database(empty_db, Mode.EXERCISE)
    with closing(connect(empty_db, application_name="tests", autocommit=True)) as connection:
        connection.execute("insert into tick (tick_seq, tick_at, up_to_commit_seq) values (1, now(), 1)")
        connection.execute("insert into engine_snapshot values (1, 'x', '')")
        connection.execute(
            "insert into observation (sensor_id, observed_at, value, quality, received_at, batch_id) values"
            " (1, %(at)s, 0.123, 1, %(at)s + interval '1.5 s', 7), (2, %(at)s, 0.1 + 0.2::float8, 3, %(at)s, 8)",
            {"at": NOW},
        )
        before = connection.execute("select * from observation order by sensor_id").fetchall()
    applied = migrate_database(empty_db, Mode.EXERCISE)
    assert "0040_storage" in applied
    assert "views of grafana" in applied
    with closing(connect(empty_db, application_name="tests", autocommit=True)) as connection:
        assert connection.execute("select tick_seq from tick join engine_snapshot using (tick_seq)").fetchone()
        assert connection.execute("select count(*) as n from grafana.tick").fetchone() == {"n": 1}
        assert connection.execute("select * from observation order by sensor_id").fetchall() == before
