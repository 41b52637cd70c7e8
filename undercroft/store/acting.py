"""A small pool of connections that write what people do; opening it does not wait for the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

from undercroft.errors import UndercroftError
from undercroft.store.connection import CONNECT_TIMEOUT_S, Connection, translated_errors
from undercroft.store.sql import sql

STATEMENT_TIMEOUT_MS = 5_000
POOL_TIMEOUT_S = 3.0
CLOSE_TIMEOUT_S = 5.0

_OPTIONS = f"-c timezone=UTC -c statement_timeout={STATEMENT_TIMEOUT_MS}"


class AnotherDeployment(UndercroftError):
    """The login for acts leads to another database than the one that is shown."""


class ActPool:
    """Connections in autocommit, as `duty.door` takes them. It opens at its first use, in whatever thread that is."""

    def __init__(self, url: str, *, most_connections: int = 4) -> None:
        self._pool = ConnectionPool[Connection](
            url,
            open=False,
            min_size=0,
            max_size=most_connections,
            timeout=POOL_TIMEOUT_S,
            check=ConnectionPool.check_connection,
            kwargs={
                "application_name": "undercroft-api-acts",
                "autocommit": True,
                "connect_timeout": CONNECT_TIMEOUT_S,
                "options": _OPTIONS,
                "row_factory": dict_row,
            },
        )

    @contextmanager
    def connection(self, deployment_id: str) -> Iterator[Connection]:
        """Give a connection to the database of a deployment.

        Raises
        ------
        StoreUnavailable
            If none is to be had in `POOL_TIMEOUT_S`.
        AnotherDeployment
            If the login leads to another database: what is done on one page would be done in another system.
        """
        with translated_errors():
            self._pool.open(wait=False)
            with self._pool.connection() as connection:
                row = connection.execute(sql("read_deployment").encode()).fetchone()
                if row is None or row["deployment_id"] != deployment_id:
                    raise AnotherDeployment
                yield connection

    def close(self) -> None:
        """Give every connection back."""
        self._pool.close(timeout=CLOSE_TIMEOUT_S)
