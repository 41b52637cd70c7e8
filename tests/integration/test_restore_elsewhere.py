"""Restores into another server than the backup's, into half of one, and of what another version made."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from tests.integration.compose_kit import ROOT, made_secrets, run_logins_script
from tests.integration.up_kit import short_folder
from tests.timescale import URL_VARIABLE, bare_database
from undercroft.cli import build_app
from undercroft.clock import SystemClock
from undercroft.doctor.database import check_database
from undercroft.doctor.finding import Finding
from undercroft.errors import BadInput
from undercroft.model import Mode
from undercroft.stack.datadir import open_data_dir
from undercroft.stack.postgres import PostgresServer, running_postgres
from undercroft.store import backup as backing_up
from undercroft.store.backup import BackupFailed, backup, restore
from undercroft.store.connection import connect
from undercroft.store.databases import create_database, drop_database, migrate_database
from undercroft.store.job_owners import read_owners
from undercroft.store.roles import GROUP_ROLES, Role

NOW = datetime(2026, 7, 1, tzinfo=UTC)
ASKS_WHAT_ALL_MAY = "select count(*) as n from schema_migration"


@pytest.fixture(scope="module")
def another_server() -> Iterator[PostgresServer]:
    """A server that has never seen a database of ours: it has none of our roles."""
    with short_folder() as folder, open_data_dir(folder) as data_dir, running_postgres(data_dir, fsync=False) as server:
        yield server


@pytest.fixture
def plain_db(postgres: PostgresServer) -> Iterator[str]:
    """A live database of the session's server, whatever TimescaleDB is given."""
    create_database(postgres.url(), "backed_up")
    migrate_database(postgres.url("backed_up"), Mode.LIVE)
    yield postgres.url("backed_up")
    drop_database(postgres.url(), "backed_up")


def execute(url: str, *commands: str) -> None:
    with closing(connect(url, application_name="tests", autocommit=True)) as connection:
        for command in commands:
            connection.execute(command.encode())


def names(url: str, query: str) -> set[str]:
    with closing(connect(url, application_name="tests")) as connection:
        return {row["name"] for row in connection.execute(query.encode())}


def tables(url: str) -> set[str]:
    return names(url, "select tablename::text as name from pg_tables where schemaname = 'public'")


def found_by_doctor(url: str) -> dict[str, Finding]:
    return {finding.check: finding for finding in check_database(url, SystemClock().now())}


def test_who_may_not_create_the_roles_is_told_which_before_anything_is_written(
    plain_db: str, another_server: PostgresServer, tmp_path: Path
) -> None:
    create_database(another_server.url(), "limited")
    execute(another_server.url(), "create role limited login password 'p'", "alter database limited owner to limited")
    url = another_server.url("limited", "limited", "p")
    backup(plain_db, tmp_path / "a.dump", NOW)
    for attempt in (lambda: restore(url, tmp_path / "a.dump"), lambda: migrate_database(url, Mode.LIVE)):
        with pytest.raises(BadInput, match=r"no role undercroft_ingest, .* `create role undercroft_ingest nologin; "):
            attempt()
    assert tables(url) <= {"schema_migration"}


def test_on_a_new_machine_every_service_has_its_rights_again(
    plain_db: str, another_server: PostgresServer, tmp_path: Path
) -> None:
    """By the steps of backup.md; only the script of logins has made roles there."""
    backup(plain_db, tmp_path / "a.dump", NOW)
    folder, name = tmp_path / "secrets", "undercroft"
    made_secrets(folder)
    create_database(another_server.url(), name)
    run_logins_script(another_server, name, folder)
    of_roles = "select rolname::text as name from pg_roles where rolname like 'undercroft\\_%' and not rolcanlogin"
    made = names(another_server.url(), of_roles)
    # A simulator is let into no live database. Every other group has a login, and so its role, by the script.
    assert made == {*GROUP_ROLES} - {Role.SIMULATOR}
    restore(another_server.url(name), tmp_path / "a.dump")
    assert names(another_server.url(), of_roles) == {*GROUP_ROLES}
    for login in ("ingest", "engine", "duty", "api", "acts"):
        url = another_server.url(name, login, (folder / f"{login}_password").read_text(encoding="utf-8").strip())
        with closing(connect(url, application_name="tests")) as connection:
            row = connection.execute(ASKS_WHAT_ALL_MAY).fetchone()
        assert row is not None
        assert row["n"] > 40
    assert "missing" not in found_by_doctor(another_server.url(name))["rights"].seen
    # As it was before migrate looked: one role lacks, and nobody was given anything.
    execute(another_server.url(name), "revoke all on all tables in schema public from undercroft_simulator")
    assert found_by_doctor(another_server.url(name))["rights"].seen.endswith("here: undercroft_simulator")
    migrate_database(another_server.url(name), Mode.LIVE)
    assert "missing" not in found_by_doctor(another_server.url(name))["rights"].seen


def test_the_script_of_logins_knows_every_group_that_has_one() -> None:
    script = (ROOT / "deploy/timescaledb/10-logins.sh").read_text(encoding="utf-8")
    (parts,) = re.findall(r"^for part in (.+); do$", script, re.MULTILINE)
    assert {f"undercroft_{part}" for part in parts.split()} == {*GROUP_ROLES} - {Role.SIMULATOR}


def test_half_a_restore_is_known_as_one_by_doctor_migrate_and_restore(
    plain_db: str, another_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.dump"
    backup(plain_db, path, NOW)
    beside = json.loads((tmp_path / "a.dump.json").read_text(encoding="utf-8"))
    beside["rows"]["observation"] = 1  # one that is not in the file
    (tmp_path / "a.dump.json").write_text(json.dumps(beside), encoding="utf-8")
    create_database(another_server.url(), "half")
    url = another_server.url("half")
    with pytest.raises(BackupFailed, match="rows are missing"):
        restore(url, path)
    schema = found_by_doctor(url)["schema"]
    assert schema.seen == "a restore into this database goes on, or did not end"
    assert "drop the database" in schema.advice
    assert "migrate" not in schema.advice
    with pytest.raises(BadInput, match="did not end: drop it"):
        restore(url, path)
    with pytest.raises(BadInput, match="did not end: drop it"):
        backup(url, tmp_path / "b.dump", NOW)
    monkeypatch.setenv("UNDERCROFT_DATABASE_URL", url)
    with pytest.raises(BadInput, match="did not end: drop it"):
        CliRunner().invoke(build_app("db"), ["db", "migrate", "--mode", "live"], catch_exceptions=False)


def test_what_a_newer_version_made_is_refused_and_stays_as_it_is(
    plain_db: str, another_server: PostgresServer, tmp_path: Path
) -> None:
    execute(
        plain_db,
        "insert into schema_migration (version, name, sha256) values (9999, '9999_later', '')",
        "update store_object set sha256 = '' where name = 'views of grafana'",
        "create view grafana.later as select 1 as n",
        "grant select on dead_letter to undercroft_engine, undercroft_simulator",
    )
    with pytest.raises(BadInput, match=r"newer version: it has migration 9999_later, the newest known here is \d{4}_"):
        migrate_database(plain_db, Mode.LIVE)
    assert names(plain_db, "select 'kept' as name from grafana.later") == {"kept"}
    of_simulator = "select 'kept' as name where has_table_privilege('undercroft_simulator', 'dead_letter', 'select')"
    assert names(plain_db, of_simulator) == {"kept"}
    assert "9999_later" in found_by_doctor(plain_db)["schema"].seen
    backup(plain_db, tmp_path / "a.dump", NOW)
    create_database(another_server.url(), "older")
    with pytest.raises(BadInput, match=r"a\.dump is of a newer version: it has migration 9999_later"):
        restore(another_server.url("older"), tmp_path / "a.dump")
    assert tables(another_server.url("older")) == set()


def test_the_programs_are_told_all_of_the_url_and_its_password_in_no_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backing_up, "_program", lambda _: "echo")
    url = "postgresql://me:s3cret@db.example:5433/flood?sslmode=verify-full&sslrootcert=/etc/ca.crt&options=-crole%3Downer"
    said = backing_up._run(url, "pg_dump", backing_up.TO_DATABASE).strip()
    assert said.startswith("--dbname=")
    assert psycopg.conninfo.conninfo_to_dict(said.removeprefix("--dbname=")) == {
        "user": "me",
        "host": "db.example",
        "port": "5433",
        "dbname": "flood",
        "sslmode": "verify-full",
        "sslrootcert": "/etc/ca.crt",
        "options": "-crole=owner",
    }


LISTING = """;
; Archive created at 2026-07-01 00:00:00 UTC
229; 1259 18667 TABLE public deployment Flood Owner
4070; 0 0 COMMENT public TABLE deployment somebody
363; 1259 20563 VIEW grafana deployment somebody_else
"""
ROWS = (
    "COPY _timescaledb_catalog.bgw_job (id, application_name, owner, scheduled) FROM stdin;\n"
    '1000\tColumnstore Policy [1000]\t"Flood Owner"\tt\n'
    "1013\tUser-Defined Action [1013]\tgrafana\tt\n"
    '1014\tUser-Defined Action [1014]\t"a ""b"""\tt\n'
    "\\.\n"
)


def test_owners_of_jobs_are_read_as_pg_restore_writes_them() -> None:
    found = read_owners(LISTING, ROWS)
    assert (found.database, found.schema) == ("Flood Owner", "_timescaledb_catalog")
    assert found.jobs == {"Flood Owner", "grafana", 'a "b"'}
    assert read_owners(LISTING, "\\restrict x\n").jobs == set()


@pytest.mark.timescale_server  # that of tests/npm has no COPY, which pg_dump needs
def test_the_jobs_of_an_owner_whom_the_server_does_not_know_are_the_restorers(tmp_path: Path) -> None:
    server = os.environ[URL_VARIABLE]
    me = psycopg.conninfo.conninfo_to_dict(server)["user"]
    roles = "select rolname::text as name from pg_roles where rolname in ('old_owner', 'stranger')"
    jobs = "select proc_name || ' of ' || owner as name from timescaledb_information.jobs where job_id >= 1000"
    with bare_database(server) as old, bare_database(server) as new:
        execute(
            old,
            "create role old_owner superuser login password 'p'",
            "create role stranger login",
            "create extension timescaledb",
        )
        execute(old, "select _timescaledb_functions.stop_background_workers()")
        migrate_database(psycopg.conninfo.make_conninfo(old, user="old_owner", password="p"), Mode.LIVE)
        execute(
            old,
            "grant execute on function add_job to stranger",
            "grant execute on procedure undercroft_unstick_job to stranger",
            "set role stranger",
            "select add_job('undercroft_unstick_job', '1 hour')",
        )
        before = names(old, jobs)
        assert {name.split(" of ")[1] for name in before} == {"old_owner", "stranger"}
        backup(old, tmp_path / "a.dump", NOW)
        execute(old, "select delete_job(job_id) from timescaledb_information.jobs", "drop owned by stranger")
        execute(old, f"reassign owned by old_owner to {me}", "drop owned by old_owner")
        execute(old, "drop role old_owner, stranger")
        restore(new, tmp_path / "a.dump")
        assert names(new, jobs) == {f"{name.split(' of ')[0]} of {me}" for name in before}
        assert names(new, roles) == set()
        count = "select count(*)::text as name from timescaledb_information.jobs where proc_name like '%unstick%'"
        assert names(new, count) == {"1"}
        assert found_by_doctor(new)["policies"].seen == "compression, refresh and retention are in place"
