"""Roles with least privilege: a group role per service; in the embedded server a login per role and database."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing, suppress
from enum import StrEnum

import psycopg
from psycopg import sql as build

from undercroft.errors import BadInput
from undercroft.store.connection import Connection, connect, translated_errors
from undercroft.store.sql import sql

APPLICATION_NAME = "undercroft-admin"


class Role(StrEnum):
    """Who speaks to the database; the value is the name of the group role."""

    INGEST = "undercroft_ingest"
    ENGINE = "undercroft_engine"
    API = "undercroft_api"
    SIMULATOR = "undercroft_simulator"
    DUTY = "undercroft_duty"
    ACTS = "undercroft_acts"

    @property
    def short(self) -> str:
        """The name without prefix."""
        return self.value.removeprefix("undercroft_")


GRAFANA_ROLE = "undercroft_grafana"
"""Reads the views of schema ``grafana`` and nothing else; Grafana's logins are members."""

GROUP_ROLES = (*(role.value for role in Role), GRAFANA_ROLE)
"""Every group role that the database's rights are given to; they belong to the server, so no backup holds them."""


GRANT_TRIES = 5


def make_group_roles(connection: Connection) -> list[str]:
    """Create the group roles that the server lacks; return them. They exist afterwards, or nobody would have rights.

    Raises
    ------
    BadInput
        If this user may not create them.
    """
    with translated_errors(), connection.transaction():
        rows = connection.execute(sql("group_roles"), {"names": list(GROUP_ROLES)})
        known = {row["rolname"] for row in rows}
        missing = [name for name in GROUP_ROLES if name not in known]
        for name in missing:
            try:
                with connection.transaction():
                    connection.execute(build.SQL("create role {} nologin").format(build.Identifier(name)))
            except psycopg.errors.InsufficientPrivilege as error:
                words = "; ".join(f"create role {each} nologin" for each in missing)
                raise BadInput(
                    f"this server has no role {name}, and this user may not create it:"
                    f" have somebody who may run `{words}`, then run this again"
                ) from error
            except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
                continue  # another database of this server was faster
        return missing


def grant_exactly(connection: Connection) -> None:
    """Give each group role its rights and no others; the roles exist.

    Rights are given without a lock: where a job of TimescaleDB changes a table's entry meanwhile, PostgreSQL refuses
    them with an internal error ("tuple concurrently updated"). Then all is done again.
    """
    with translated_errors():
        for _ in range(GRANT_TRIES - 1):
            with suppress(psycopg.errors.InternalError_):
                _grant_exactly(connection)
                return
        _grant_exactly(connection)


def _grant_exactly(connection: Connection) -> None:
    with connection.transaction():
        connection.execute(sql("revoke_public"))
        connection.execute(sql("grant_exactly"))
        connection.execute(sql("close_doors"))


def login_name(database: str, role: Role) -> str:
    """Return the login of a role; it enters this one database only."""
    return f"{database}_{role.short}"


def create_logins(owner_url: str, database: str, password: Callable[[str], str]) -> dict[Role, str]:
    """Create the logins of a database, or give them these passwords again; return their names.

    Parameters
    ----------
    owner_url
        URL of that database for a user who may create roles.
    database
        Its name.
    password
        Password for a login name.
    """
    names = {role: login_name(database, role) for role in Role}
    with closing(connect(owner_url, application_name=APPLICATION_NAME)) as connection, translated_errors():
        connection.execute(build.SQL("revoke all on database {} from public").format(build.Identifier(database)))
        for role, name in names.items():
            _create_login(connection, database, role, name, password(name))
        connection.commit()
    return names


def _create_login(connection: Connection, database: str, role: Role, name: str, password: str) -> None:
    # Hashed here, so that no log of the server can show it.
    hashed = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
    known = connection.execute("select from pg_roles where rolname = %s", (name,)).fetchone() is not None
    command = build.SQL("alter role {} login password {}" if known else "create role {} login password {}")
    login = build.Identifier(name)
    connection.execute(command.format(login, build.Literal(hashed)))
    connection.execute(build.SQL("grant {} to {}").format(build.Identifier(role.value), login))
    connection.execute(build.SQL("grant connect on database {} to {}").format(build.Identifier(database), login))
