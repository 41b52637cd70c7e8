"""An upgrade from the schema before the newest migrations, with data: every row stays, and what is new is in force."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest

from tests.contract.flavours import slow_on_timescale
from tests.contract.storm import END, START, fill_storm
from tests.timescale import fresh_database
from undercroft.model import Mode
from undercroft.stack.postgres import PostgresServer
from undercroft.store import migrate as migrating
from undercroft.store import timescale
from undercroft.store.connection import Connection, connect
from undercroft.store.databases import create_database, drop_database, migrate_database

BEFORE = 174
"""The schema before has the migrations up to this one: all but the newest block."""

AS_BEFORE = """
select set_chunk_time_interval('assessment', interval '7 days');
select delete_job(job_id) from timescaledb_information.jobs where proc_name = 'undercroft_compress_job';
select add_compression_policy('assessment', interval '8 days');
update store_object set sha256 = '' where name = 'policies'
"""
"""What the schema before had and today's objects make otherwise."""


PLACED = """
alter table sensor add column placed_seq bigint not null default 0;
create table sensor_past_place (sensor_id integer, until_seq bigint, since_seq bigint, place_id text, entrance_id text,
    zero_level_m double precision)
"""
"""What today's import of a site writes, and the schema before has not."""


@pytest.fixture
def old_db(flavour: str, postgres: PostgresServer, request: pytest.FixtureRequest) -> Iterator[str]:
    """URL of an empty database."""
    if flavour == "timescale":
        with fresh_database(request.getfixturevalue("timescale_url")) as url:
            yield url
        return
    create_database(postgres.url(), "upgraded_here")
    yield postgres.url("upgraded_here")
    drop_database(postgres.url(), "upgraded_here")


def tables(connection: Connection) -> dict[str, list[str]]:
    """Return the columns of each table, of those that hold rows of people and devices."""
    rows = connection.execute(
        "select table_name, array_agg(column_name::text order by ordinal_position) as columns"
        " from information_schema.columns where table_schema = 'public' and table_name not in"
        " ('schema_migration', 'store_object', 'retention_class') and exists (select from pg_class"
        " where oid = to_regclass('public.' || quote_ident(table_name)) and relkind in ('r', 'p')) group by 1"
    ).fetchall()
    return {row["table_name"]: row["columns"] for row in rows}


def content(connection: Connection, of: dict[str, list[str]]) -> dict[str, tuple[int, str]]:
    """Return of each table how many rows it has, and a hash of these columns of all of them."""
    found = {}
    for table, columns in of.items():
        names = ", ".join(columns)
        row = connection.execute(
            f"select count(*) as n, md5(coalesce(string_agg(t::text, '|' order by t::text), '')) as hash"  # noqa: S608
            f" from (select {names} from {table}) t".encode()
        ).fetchone()
        assert row is not None
        found[table] = (row["n"], row["hash"])
    return found


text_of = timescale._text


def text_before(name: str) -> bytes:
    """Return an object's text without what names today's columns: Grafana's views, and how far a refresh may reach."""
    if name == "grafana_views":
        return b"create schema grafana"
    if name in {"grafana_flags", "grafana_places"}:
        return b""
    if name == "policies":
        return b"do $$" + text_of(name).split(b"do $$")[-1].replace(b"undercroft_refresh_reach(level.name)", b"null")
    return text_of(name)


@slow_on_timescale
def test_every_row_of_the_schema_before_stays(old_db: str, flavour: str, monkeypatch: pytest.MonkeyPatch) -> None:
    newest = [migration for migration in migrating.migrations() if migration.version > BEFORE]
    older = [migration for migration in migrating.migrations() if migration.version <= BEFORE]
    assert newest, "the newest block has landed in BEFORE"
    with monkeypatch.context() as patched:
        patched.setattr(migrating, "migrations", lambda: older)
        patched.setattr(migrating, "grant_exactly", lambda _: True)  # today's rights and views name today's tables
        patched.setattr(timescale, "_text", text_before)
        migrate_database(old_db, Mode.EXERCISE)
    with closing(connect(old_db, application_name="tests", autocommit=True)) as connection:
        if flavour == "timescale":
            for statement in AS_BEFORE.split(";\n"):
                connection.execute(statement.encode())
        for statement in PLACED.split(";\n"):
            connection.execute(statement.encode())
    fill_storm(old_db)
    with closing(connect(old_db, application_name="tests", autocommit=True)) as connection:
        connection.execute(b"alter table sensor drop column placed_seq")
        connection.execute(b"drop table sensor_past_place")
        if flavour == "timescale":
            for table in ("observation_packed", "assessment"):
                connection.execute(f"select compress_chunk(c) from show_chunks('{table}') c".encode())  # noqa: S608
        known = tables(connection)
        before = content(connection, known)
    assert {"observation_packed", "assessment", "alarm_event", "act", "duty_log", "notification"} <= before.keys()
    applied = migrate_database(old_db, Mode.EXERCISE)
    assert [name for name in applied if name[:4].isdigit()] == [migration.name for migration in newest]
    assert migrate_database(old_db, Mode.EXERCISE) == []
    with closing(connect(old_db, application_name="tests", autocommit=True)) as connection:
        assert content(connection, known) == before
        if flavour == "timescale":
            new_days_have_chunks_of_their_own(connection)


def new_days_have_chunks_of_their_own(connection: Connection) -> None:
    """A late assessment goes into the compressed week; one of the week after into a day, compressed after two."""
    for at in (START, END + timedelta(days=7)):
        connection.execute(
            "insert into assessment (space_id, tick_seq, tick_at, level, score, blind, reasons, contributions,"
            " evidence) select space_id, 999, %s, 0, 0, false, '[]', '{}', '{}' from space limit 1",
            (at,),
        )
    rows = connection.execute(
        "select extract(epoch from range_end - range_start)::int / 86400 as days from timescaledb_information.chunks"
        " where hypertable_name = 'assessment' order by range_start"
    ).fetchall()
    assert [row["days"] for row in rows] == [7, 1]
    jobs = connection.execute(
        "select config ->> 'compress_after' as after from timescaledb_information.jobs"
        " where proc_name like '%compress%' and coalesce(config ->> 'relation', hypertable_name) = 'assessment'"
    ).fetchall()
    assert [row["after"] for row in jobs] == ["2 days"]
