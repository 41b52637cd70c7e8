"""Commit order: the number taken from a locked counter row as the last statement before a commit, and who is woken."""

from __future__ import annotations

from undercroft.store.connection import Connection, translated_errors

COMMIT_CHANNEL = "undercroft_commit"
"""NOTIFY channel that wakes the engine; the payload is the commit number."""

TICK_CHANNEL = "undercroft_tick"
"""NOTIFY channel that wakes readers of engine output; the payload is the tick number."""


_HAS_TRANSACTION_TIMEOUT = 170_000
HELD_AT_MOST_S = 5.0
"""Whoever holds the number of the commit order, or rows not yet committed, and does nothing with it for so long is
disconnected by PostgreSQL: frozen, or its machine gone. [s]"""


TRANSACTION_AT_MOST_S = 60.0
"""Of a writer's transaction, and of anybody's from the number on, on PostgreSQL 17 and newer: covers also one frozen
with half a request sent. [s]"""


def held_at_most_ms() -> str:
    """Return `HELD_AT_MOST_S` as PostgreSQL takes it."""
    return f"{HELD_AT_MOST_S * 1000:.0f}"


def transaction_at_most_ms() -> str:
    """Return `TRANSACTION_AT_MOST_S` as PostgreSQL takes it."""
    return f"{TRANSACTION_AT_MOST_S * 1000:.0f}"


def take_commit_seq(connection: Connection) -> int:
    """Take the next number of the commit order; the counter stays locked until this transaction ends.

    Call it as late as possible: whoever holds the number holds up every other writer. The limits stand before the
    number is taken, on whatever connection, so that there is no moment at which one can be frozen with it for good.
    """
    limits = [("idle_in_transaction_session_timeout", held_at_most_ms())]
    if connection.info.server_version >= _HAS_TRANSACTION_TIMEOUT:
        limits.append(("transaction_timeout", transaction_at_most_ms()))
    names, values = zip(*limits, strict=True)
    connection.execute(
        "select set_config(name, value, true) from unnest(%s::text[], %s::text[]) as limits (name, value)",
        (list(names), list(values)),
    )
    row = connection.execute(
        "with counter as (update commit_counter set commit_seq = commit_seq + 1 returning commit_seq)"
        " select commit_seq, pg_notify(%s, commit_seq::text) from counter",
        (COMMIT_CHANNEL,),
    ).fetchone()
    assert row is not None  # noqa: S101 - the migration wrote the row
    seq: int = row["commit_seq"]
    return seq


def limit_transactions(connection: Connection) -> None:
    """End transactions of this connection after `TRANSACTION_AT_MOST_S`, where the server knows such a limit."""
    if connection.info.server_version >= _HAS_TRANSACTION_TIMEOUT:
        connection.execute("select set_config('transaction_timeout', %s, false)", (transaction_at_most_ms(),))


def listen_for_ticks(connection: Connection) -> None:
    """Ask to be woken by ticks; the connection must be in autocommit."""
    with translated_errors():
        connection.execute(f"listen {TICK_CHANNEL}".encode())


def wait_for_tick(connection: Connection, timeout_s: float) -> bool:
    """Wait for a tick, at most this long; tell whether one came. [s]"""
    with translated_errors():
        return any(True for _ in connection.notifies(timeout=timeout_s, stop_after=1))
