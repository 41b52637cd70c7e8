"""Whose TimescaleDB's jobs are after a restore: of whoever restores, whatever the owner of the old database was called.

A dump names the owner of each job, and the server must know that name while the rows are copied, even where everything
else is restored without owners. So a name that it lacks is lent: a role without login, dropped again at the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

from undercroft.errors import BadInput
from undercroft.store.connection import Connection, translated_errors

JOBS = "bgw_job"
"""TimescaleDB's table of jobs; its schema is not the same in all versions."""

_TABLE_OWNER = re.compile(r"^\d+; \d+ \d+ TABLE public deployment (.+)$", re.MULTILINE)
_COPY = re.compile(rf"^COPY (\w+)\.{JOBS} \((.+)\) FROM stdin;\n(.*?)^\\\.$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class JobOwners:
    """Names of roles in a dump.

    Attributes
    ----------
    database : str or None
        Owner of its tables.
    jobs : frozenset of str
        Owners of its jobs.
    schema : str
        Where the table of jobs is.
    """

    database: str | None
    jobs: frozenset[str]
    schema: str = "public"


def read_owners(listing: str, jobs: str) -> JobOwners:
    """Return the owners that a dump names.

    Parameters
    ----------
    listing
        What ``pg_restore --list`` says of it.
    jobs
        The rows of its jobs as ``pg_restore --data-only`` writes them.
    """
    table = _TABLE_OWNER.search(listing)
    owner = None if table is None else table[1]
    if (copied := _COPY.search(jobs)) is None:
        return JobOwners(owner, frozenset())
    column = [name.strip() for name in copied[2].split(",")].index("owner")
    names = frozenset(_unquoted(line.split("\t")[column]) for line in copied[3].splitlines())
    return JobOwners(owner, names, copied[1])


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


@contextmanager
def lent_roles(connection: Connection, owners: JobOwners) -> Iterator[frozenset[str]]:
    """Have a role by each of these names for as long as the dump is copied in; the names that the server lacked.

    Raises
    ------
    BadInput
        If one is missing that this user may not create; nothing was written then.
    """
    with translated_errors():
        rows = connection.execute("select rolname from pg_roles where rolname = any(%s)", (sorted(owners.jobs),))
        lacking = owners.jobs - {row["rolname"] for row in rows}
        with connection.transaction():
            _lend(connection, sorted(lacking))
        try:
            yield lacking
        finally:
            for name in sorted(lacking):
                connection.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))


def _lend(connection: Connection, names: Sequence[str]) -> None:
    commands = [sql.SQL("create role {} nologin").format(sql.Identifier(name)) for name in names]
    try:
        for command in commands:
            connection.execute(command)
    except psycopg.errors.InsufficientPrivilege as error:
        raise BadInput(
            f"jobs of the backup are of {' and '.join(names)}, which this server does not know as roles and this user"
            f" may not create: have somebody who may run `{'; '.join(each.as_string() for each in commands)}`,"
            " then restore again"
        ) from error


def take_jobs(connection: Connection, owners: JobOwners, lacking: frozenset[str]) -> None:
    """Make the old owner's jobs ours, and end those of others that the server does not know: they were no service's."""
    table = sql.Identifier(owners.schema, JOBS)
    strangers = sorted(lacking - {owners.database})
    with translated_errors():
        if strangers:
            command = sql.SQL("delete from {} j using pg_roles r where r.oid = j.owner and r.rolname = any(%s)")
            connection.execute(command.format(table), (strangers,))
        if owners.database in owners.jobs:
            command = sql.SQL(
                "update {} j set owner = current_user::regrole from pg_roles r where r.oid = j.owner and r.rolname = %s"
            )
            connection.execute(command.format(table), (owners.database,))
