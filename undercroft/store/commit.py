"""Commit order: the number taken from a locked counter row as the last statement before a commit."""

from __future__ import annotations

from undercroft.store.connection import Connection

COMMIT_CHANNEL = "undercroft_commit"
"""NOTIFY channel that wakes the engine; the payload is the commit number."""

TICK_CHANNEL = "undercroft_tick"
"""NOTIFY channel that wakes readers of engine output; the payload is the tick number."""


def take_commit_seq(connection: Connection) -> int:
    """Take the next number of the commit order; the counter stays locked until this transaction ends.

    Call it as late as possible: whoever holds the number holds up every other writer.
    """
    row = connection.execute("update commit_counter set commit_seq = commit_seq + 1 returning commit_seq").fetchone()
    assert row is not None  # noqa: S101 - the migration wrote the row
    seq: int = row["commit_seq"]
    connection.execute("select pg_notify(%s, %s)", (COMMIT_CHANNEL, str(seq)))
    return seq
