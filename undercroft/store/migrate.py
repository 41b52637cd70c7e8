"""Migrations: plain SQL files applied once, in order, forward only."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files

import psycopg

from undercroft.errors import BadInput
from undercroft.model import Mode
from undercroft.store.connection import TO_MIGRATE, Connection, translated_errors
from undercroft.store.roles import GROUP_ROLES, grant_exactly, make_group_roles
from undercroft.store.timescale import delete_jobs_of, drop_views, keep_old_rollups, settle

_MIGRATION_LOCK = 0x756E6465  # "unde": one migration at a time

MARK_TABLE = "restore_unfinished"
"""There from the first statement of a restore to its last."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of ``migrations/``."""

    version: int
    name: str
    text: str

    @property
    def sha256(self) -> str:
        """Hash of the text; an applied migration must never change."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def drops_rollups(self) -> bool:
        """Whether it may drop rollups, for it drops something and names one; to keep the old ones takes hours."""
        return "drop " in self.text and "rollup_1" in self.text


def migrations() -> list[Migration]:
    """Return all migrations in order of application."""
    folder = files("undercroft.store") / "migrations"
    found = [
        Migration(int(path.name.split("_", 1)[0]), path.name.removesuffix(".sql"), path.read_text(encoding="utf-8"))
        for path in folder.iterdir()
        if path.name.endswith(".sql")
    ]
    return sorted(found, key=lambda migration: migration.version)


def migrate(connection: Connection, mode: Mode) -> list[str]:
    """Bring the schema up to date and fix the mode; return the names of the migrations applied now.

    Raises
    ------
    BadInput
        If the database is of the other mode or of a newer version, an applied migration was changed afterwards, or a
        group role is missing that this user may not create.
    StoreRejected
        If PostgreSQL refuses a statement; nothing of that migration stays.
    """
    with translated_errors():
        connection.execute("select pg_advisory_lock(%s)", (_MIGRATION_LOCK,))
        connection.commit()  # the lock stays with the session; each migration is a transaction of its own
        try:
            return _migrate_locked(connection, mode)
        finally:
            if not connection.broken:
                connection.rollback()
                connection.execute("select pg_advisory_unlock(%s)", (_MIGRATION_LOCK,))
                connection.commit()


def _migrate_locked(connection: Connection, mode: Mode) -> list[str]:
    with connection.transaction():
        connection.execute(
            "create table if not exists schema_migration (version integer primary key, name text not null,"
            " sha256 text not null, applied_at timestamptz not null default now())"
        )
        done = {row["version"]: row for row in connection.execute("select * from schema_migration")}
    refuse_newer("this database", [str(row["name"]) for row in done.values()])
    applied = [f"role {name}" for name in make_group_roles(connection)]
    for migration in migrations():
        before = done.get(migration.version)
        if before is not None:
            if before["sha256"] != migration.sha256:
                raise BadInput(f"migration {migration.name} was changed after it had been applied to this database")
            continue
        with connection.transaction():
            if migration.drops_rollups:
                keep_old_rollups(connection)
            drop_views(connection)  # they would hold on to what the migration changes
            connection.execute(psycopg.sql.SQL(migration.text))
            connection.execute(
                "insert into schema_migration (version, name, sha256) values (%s, %s, %s)",
                (migration.version, migration.name, migration.sha256),
            )
        applied.append(migration.name)
    _fix_mode(connection, mode)
    connection.commit()  # it ended with a read; what follows is a transaction of its own
    applied += settle(connection)
    grant_exactly(connection)
    applied += [f"end of job {name}" for name in delete_jobs_of(connection, GROUP_ROLES)]
    connection.commit()
    return applied


def refuse_half_restored(connection: Connection) -> None:
    """Refuse a database that a restore has not finished: no migration makes it whole."""
    with translated_errors():
        row = connection.execute("select to_regclass(%s) is not null as found", (f"public.{MARK_TABLE}",)).fetchone()
    if row is not None and row["found"]:
        raise BadInput("a restore into this database did not end: drop it, make a new one and restore again")


def newer_than_known(applied: Iterable[str]) -> list[str]:
    """Return of the names of applied migrations those that this version does not know."""
    return sorted(set(applied) - {migration.name for migration in migrations()})


def refuse_newer(what: str, applied: Iterable[str]) -> None:
    """Refuse what a newer version made: this one would put its older views and rights over the newer ones."""
    if newer := newer_than_known(applied):
        raise BadInput(
            f"{what} is of a newer version: it has migration {newer[-1]}, the newest known here is"
            f" {migrations()[-1].name}; run the version that made it, or a later one"
        )


def _fix_mode(connection: Connection, mode: Mode) -> None:
    with connection.transaction():
        connection.execute("insert into deployment (mode) values (%s) on conflict do nothing", (mode.value,))
    found = mode_of(connection)
    if found is not mode:
        raise BadInput(f"this database is for {found.value}; it cannot be used for {mode.value}")


def mode_of(connection: Connection) -> Mode:
    """Return what the database is for."""
    with translated_errors():
        try:
            row = connection.execute("select mode from deployment").fetchone()
        except psycopg.errors.UndefinedTable:
            row = None
    if row is None:
        raise BadInput(f"this database has no mode yet: {TO_MIGRATE}")
    return Mode(row["mode"])
