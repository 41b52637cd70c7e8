"""Databases of a server: wait for it, create, copy and drop them."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing

from psycopg import sql

from undercroft.errors import BadInput, StoreUnavailable
from undercroft.model import Mode
from undercroft.store.connection import connect, translated_errors
from undercroft.store.migrate import migrate, mode_of
from undercroft.store.sql import sql as statement

APPLICATION_NAME = "undercroft-admin"
_RETRY_S = 0.02


def wait_for_server(url: str, timeout_s: float, still_alive: Callable[[], bool] = lambda: True) -> bool:
    """Connect until the server accepts it; False when it is no longer alive or the time is over."""
    deadline = time.monotonic() + timeout_s
    while still_alive():
        try:
            connect(url, application_name=APPLICATION_NAME).close()
        except StoreUnavailable:
            if time.monotonic() > deadline:
                return False
            time.sleep(_RETRY_S)
        else:
            return True
    return False


def create_database(server_url: str, name: str, template: str | None = None) -> None:
    """Create a database, empty or as a copy of another one that nobody is connected to.

    An empty one is made of template0, which nobody can connect to: TimescaleDB's launcher looks into template1 now
    and then, and a database that somebody looks into cannot be copied. Its files are copied as they are: logging
    them block by block costs a new database seven times the processor time.
    """
    command = sql.SQL("create database {} template {} strategy file_copy").format(
        sql.Identifier(name), sql.Identifier(template or "template0")
    )
    with (
        closing(connect(server_url, application_name=APPLICATION_NAME, autocommit=True)) as server,
        translated_errors(),
    ):
        server.execute(command)


def database_exists(server_url: str, name: str) -> bool:
    """Tell whether the server has a database of this name."""
    with closing(connect(server_url, application_name=APPLICATION_NAME)) as server, translated_errors():
        return server.execute("select from pg_database where datname = %s", (name,)).fetchone() is not None


def drop_database(server_url: str, name: str) -> None:
    """Drop a database, sessions or not."""
    command = sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
    with (
        closing(connect(server_url, application_name=APPLICATION_NAME, autocommit=True)) as server,
        translated_errors(),
    ):
        server.execute(command)


def migrate_database(url: str, mode: Mode) -> list[str]:
    """Bring a database up to date; return the names of the migrations applied now."""
    with closing(connect(url, application_name=APPLICATION_NAME)) as connection:
        return migrate(connection, mode)


def renew_deployment_id(url: str) -> None:
    """Make a copied database a deployment of its own; MQTT sessions are named after it."""
    with closing(connect(url, application_name=APPLICATION_NAME)) as connection, translated_errors():
        connection.execute("update deployment set deployment_id = gen_random_uuid()")
        connection.commit()


def mode_of_database(url: str) -> Mode | None:
    """Return what a database is for; None before its first migration."""
    with closing(connect(url, application_name=APPLICATION_NAME)) as connection:
        try:
            return mode_of(connection)
        except BadInput:
            return None


def holds_run(url: str) -> bool:
    """Tell whether anything was ingested into a database or its engine has ticked."""
    with closing(connect(url, application_name=APPLICATION_NAME)) as connection, translated_errors():
        return connection.execute(statement("any_run_row")).fetchone() is not None


def reset_database(url: str) -> None:
    """Empty an exercise database: every table is dropped and made again.

    Raises
    ------
    BadInput
        If it is live, or was never migrated.
    """
    with closing(connect(url, application_name=APPLICATION_NAME)) as connection:
        if mode_of(connection) is not Mode.EXERCISE:
            raise BadInput("this database is live; only an exercise database can be reset")
        with translated_errors():
            connection.execute(statement("drop_everything"))
            connection.commit()
        migrate(connection, Mode.EXERCISE)
