"""What readers ask of the store: a read-only asynchronous pool, and a listener for ticks.

Statements are the named ones of ``sql/reading.sql``. No psycopg error leaves: see `undercroft.store.connection`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, Protocol, Self

from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from undercroft.store.commit import TICK_CHANNEL
from undercroft.store.connection import CONNECT_TIMEOUT_S, translated_errors
from undercroft.store.sql import sql

Row = dict[str, Any]

STATEMENT_TIMEOUT_MS = 5_000
"""A page that waits longer than this is not live any more. [ms]"""

POOL_TIMEOUT_S = 3.0
"""How long a request waits for a connection before it is told that the database is not there. [s]"""

CLOSE_TIMEOUT_S = 5.0
"""How long closing waits for connections that are being made; those given up would stay open. [s]"""

_OPTIONS = f"-c timezone=UTC -c default_transaction_read_only=on -c statement_timeout={STATEMENT_TIMEOUT_MS}"


class Query(Protocol):
    """What runs named statements: the pool itself, or one snapshot of it."""

    async def rows(self, statement: str, **values: object) -> list[Row]:
        """Return the rows of a named statement."""
        ...

    async def row(self, statement: str, **values: object) -> Row | None:
        """Return the first row of a named statement, or None."""
        ...


class _Transaction:
    """Statements that all see the same state of the database."""

    def __init__(self, connection: AsyncConnection[DictRow]) -> None:
        self._connection = connection

    async def rows(self, statement: str, **values: object) -> list[Row]:
        """Return the rows of a named statement."""
        cursor = await self._connection.execute(sql(statement).encode(), values)
        return await cursor.fetchall()

    async def row(self, statement: str, **values: object) -> Row | None:
        """Return the first row of a named statement, or None."""
        return first(await self.rows(statement, **values))


class Reader:
    """A pool of read-only connections; opening it does not wait for the database."""

    def __init__(self, url: str, *, most_connections: int = 8, application_name: str = "undercroft-api") -> None:
        # Opened later: a constructor cannot await, and the service must start while the database is away.
        self._pool = AsyncConnectionPool[AsyncConnection[DictRow]](
            url,
            open=False,
            min_size=1,
            max_size=most_connections,
            timeout=POOL_TIMEOUT_S,
            check=AsyncConnectionPool.check_connection,
            kwargs={
                "application_name": application_name,
                "autocommit": True,
                "connect_timeout": CONNECT_TIMEOUT_S,
                "options": _OPTIONS,
                "row_factory": dict_row,
            },
        )

    async def __aenter__(self) -> Self:
        await self._pool.open(wait=False)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._pool.close(timeout=CLOSE_TIMEOUT_S)

    async def rows(self, statement: str, **values: object) -> list[Row]:
        """Return the rows of a named statement.

        Raises
        ------
        StoreUnavailable
            If no connection is to be had in `POOL_TIMEOUT_S`, or it breaks, or the statement takes too long.
        """
        with translated_errors():
            async with self._pool.connection() as connection:
                return await _Transaction(connection).rows(statement, **values)

    async def row(self, statement: str, **values: object) -> Row | None:
        """Return the first row of a named statement, or None."""
        return first(await self.rows(statement, **values))

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Query]:
        """Give statements that all see one state of the database."""
        with translated_errors():
            async with self._pool.connection() as connection, connection.transaction():
                await connection.execute("set transaction isolation level repeatable read, read only")
                yield _Transaction(connection)


class TickListener:
    """One connection that is woken by every committed tick."""

    def __init__(self, connection: AsyncConnection[Any]) -> None:
        self._connection = connection

    @classmethod
    async def connect(cls, url: str) -> TickListener:
        """Connect and listen.

        Raises
        ------
        StoreUnavailable
            If the server cannot be reached.
        """
        with translated_errors():
            connection = await AsyncConnection.connect(
                url,
                autocommit=True,
                application_name="undercroft-api-listen",
                connect_timeout=CONNECT_TIMEOUT_S,
                keepalives_idle=10,
                keepalives_interval=5,
                keepalives_count=3,
            )
            try:
                await connection.execute(f"listen {TICK_CHANNEL}".encode())
            except BaseException:  # cancelled, too: nobody else knows this connection
                await connection.close()
                raise
        return cls(connection)

    async def wait(self, timeout_s: float) -> bool:
        """Wait for a tick; False when none came in this time. [s]"""
        woken = False
        with translated_errors():
            async for _ in self._connection.notifies(timeout=timeout_s, stop_after=1):
                woken = True
        return woken

    async def close(self) -> None:
        """Give the connection back to the server."""
        await self._connection.close()


def first(rows: Iterable[Row]) -> Row | None:
    """Return the first row, or None."""
    return next(iter(rows), None)
