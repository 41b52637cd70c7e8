"""Each service can do its own work in the database, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from tests.integration.ingest_kit import one, wait_until
from undercroft.errors import StoreRejected, StoreUnavailable
from undercroft.model import Mode
from undercroft.stack.postgres import PostgresServer
from undercroft.store.connection import connect, translated_errors
from undercroft.store.databases import create_database, drop_database, migrate_database
from undercroft.store.roles import Role, create_logins, grant_exactly
from undercroft.store.sql import sql

DATABASE = "roles_test"


@pytest.fixture(scope="module")
def logins(postgres: PostgresServer) -> Iterator[dict[Role, str]]:
    create_database(postgres.url(), DATABASE)
    migrate_database(postgres.url(DATABASE), Mode.EXERCISE)
    names = create_logins(postgres.url(DATABASE), DATABASE, lambda login: f"pw-{login}")
    yield {role: postgres.url(DATABASE, name, f"pw-{name}") for role, name in names.items()}
    drop_database(postgres.url(), DATABASE)


def run(url: str, command: str) -> None:
    """Run one statement and take it back."""
    with closing(connect(url, application_name="test")) as connection, translated_errors():
        connection.execute(command)
        connection.rollback()


ALLOWED = [
    (Role.INGEST, "insert into observation_packed values (1, now(), 100, null, 1, 0, 0, 1)"),
    (Role.INGEST, "select nextval('batch_id_seq')"),
    (Role.INGEST, "update commit_counter set commit_seq = commit_seq + 1"),
    (Role.ENGINE, "insert into tick (tick_seq, tick_at, up_to_commit_seq) values (1, now(), 0)"),
    (Role.ENGINE, "select * from observation"),
    (Role.API, "select * from alarm"),
    (Role.ACTS, "insert into act values (gen_random_uuid(), 1, 'note', '-', 'li', now(), '{}')"),
    (Role.ACTS, "select entry_no, sha256 from duty_log"),
    (Role.ACTS, "update commit_counter set commit_seq = commit_seq + 1"),
    (Role.SIMULATOR, "select mode from deployment"),
    (Role.SIMULATOR, "select max(run_seq) from tick"),
]

REFUSED = [
    (Role.INGEST, "insert into alarm select * from alarm"),
    (Role.INGEST, "insert into tick (tick_seq, tick_at, up_to_commit_seq) values (1, now(), 0)"),
    (Role.INGEST, "update observation_packed set quality = 1"),
    (Role.INGEST, "delete from observation_packed"),
    (Role.INGEST, "update deployment set mode = 'live'"),
    (Role.INGEST, "select * from alarm"),
    (Role.ENGINE, "insert into observation values (1, now(), 0.1, 1, 0, now(), 1)"),
    (Role.ENGINE, "insert into observation_packed values (1, now(), 100, null, 1, 0, 0, 1)"),
    (Role.ENGINE, "delete from alarm"),
    (Role.ENGINE, "update alarm_event set severity = 0"),
    (Role.ENGINE, "update tick set tick_at = now()"),
    (Role.ACTS, "select detail from audit"),
    (Role.ACTS, "update operator set role = 'admin'"),
    (Role.ACTS, "insert into operator values ('me', 'me', 'admin', '', now())"),
    (Role.API, "select admin_makes_operator('x', 'me', 'me', 'admin', '', now())"),
    (Role.ACTS, "update duty_log set author = 'x'"),
    (Role.ACTS, "delete from act_key"),
    (Role.ACTS, "update alarm set acknowledged = true"),
    (Role.ACTS, "update report set submitted_at = null, serial = 2"),
    (Role.ACTS, "select admin_of_token('x')"),
    (Role.ACTS, "insert into notification (key) values ('x')"),
    (Role.SIMULATOR, "select * from observation"),
    (Role.SIMULATOR, "insert into tick (tick_seq, tick_at, up_to_commit_seq) values (1, now(), 0)"),
]


@pytest.mark.parametrize(("role", "command"), ALLOWED)
def test_a_role_can_do_its_work(logins: dict[Role, str], role: Role, command: str) -> None:
    run(logins[role], command)


@pytest.mark.parametrize(
    "command",
    [
        "select admin_makes_operator('nobody''s token', 'me', 'me', 'admin', 'x', now())",
        "select admin_disables_operator('nobody''s token', 'me', now())",
    ],
)
def test_no_login_makes_or_ends_an_operator_without_an_admins_token(logins: dict[Role, str], command: str) -> None:
    with pytest.raises(StoreRejected, match="by an admin"):
        run(logins[Role.ACTS], command)


@pytest.mark.parametrize(("role", "command"), REFUSED)
def test_a_role_can_do_no_more(logins: dict[Role, str], role: Role, command: str) -> None:
    with pytest.raises(StoreRejected, match="permission denied"):
        run(logins[role], command)


def tables(url: str) -> list[str]:
    with closing(connect(url, application_name="test")) as connection:
        rows = connection.execute("select tablename from pg_tables where schemaname = 'public' order by 1")
        return [row["tablename"] for row in rows]


def test_the_api_writes_nothing(logins: dict[Role, str], postgres: PostgresServer) -> None:
    found = tables(postgres.url(DATABASE))
    assert len(found) > 20
    with closing(connect(logins[Role.API], application_name="test")) as connection:
        rows = connection.execute(
            "select tablename from pg_tables where schemaname = 'public'"
            " and has_table_privilege(format('%I.%I', schemaname, tablename), 'insert, update, delete, truncate')"
        ).fetchall()
    assert rows == []


@pytest.mark.parametrize("role", list(Role))
def test_nobody_makes_tables(logins: dict[Role, str], role: Role) -> None:
    with pytest.raises(StoreRejected, match="permission denied"):
        run(logins[role], "create table mine (n integer)")


@pytest.mark.parametrize("role", list(Role))
def test_a_login_enters_its_own_database_only(postgres: PostgresServer, logins: dict[Role, str], role: Role) -> None:
    with pytest.raises(StoreUnavailable, match="permission denied for database"):
        connect(logins[role].replace(f"/{DATABASE}?", "/roles_other?"), application_name="test")


@pytest.fixture(scope="module", autouse=True)
def _other_database(postgres: PostgresServer, logins: dict[Role, str]) -> Iterator[None]:
    create_database(postgres.url(), "roles_other")
    create_logins(postgres.url("roles_other"), "roles_other", lambda login: login)
    yield
    drop_database(postgres.url(), "roles_other")


def test_logins_can_be_made_again(postgres: PostgresServer, logins: dict[Role, str]) -> None:
    create_logins(postgres.url(DATABASE), DATABASE, lambda login: f"pw-{login}")
    run(logins[Role.API], "select 1")


def test_rights_are_given_again_where_somebody_changed_a_table_meanwhile(exercise_db: str) -> None:
    """As a job of TimescaleDB does that makes a chunk; PostgreSQL refuses what waited for it."""
    waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    with (
        closing(connect(exercise_db, application_name="test")) as meanwhile,
        closing(connect(exercise_db, application_name="test", autocommit=True)) as migrating,
        ThreadPoolExecutor() as pool,
    ):
        meanwhile.execute("grant insert on deployment to undercroft_api")
        given = pool.submit(grant_exactly, migrating)
        wait_until(lambda: one(exercise_db, waiting) == 1, "rights wait for the table's entry")
        meanwhile.commit()
        given.result(timeout=30)
        assert one(exercise_db, "select has_table_privilege('undercroft_api', 'deployment', 'insert')") is False


def test_every_table_was_given_to_somebody(postgres: PostgresServer, logins: dict[Role, str]) -> None:
    named = set(re.findall(r"\w+", sql("grant_exactly")))
    assert [table for table in tables(postgres.url(DATABASE)) if table not in named] == []
