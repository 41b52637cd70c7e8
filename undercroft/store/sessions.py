"""MQTT sessions of ingest: whose each is, and what is remembered of how its messages came.

A worker takes a session by a number of its own with every connection, before it reads a message. So one that was
frozen, and wakes when another has taken its session over, is told apart by that number and by no clock.
"""

from __future__ import annotations

from collections.abc import Collection

from undercroft.errors import UndercroftError
from undercroft.store.connection import Connection, translated_errors
from undercroft.store.sql import sql


class SessionTaken(UndercroftError):
    """Another connection has taken the session: the broker delivers to that one what this one has not acknowledged."""


def take_session(connection: Connection, session: str, *, is_new: bool) -> int:
    """Take a session over and return the number of this time.

    ``is_new``: the broker had none of this name. Its packet identifiers begin anew, and how messages came is forgotten.
    """
    with translated_errors(), connection.transaction():
        row = connection.execute(sql("take_session"), {"session": session}).fetchone()
        if is_new:
            forget_deliveries(connection, session)
    assert row is not None  # noqa: S101 - an upsert returns its row
    return int(row["taken"])


def hold_session(connection: Connection, session: str, taken: int) -> None:
    """Keep others from taking the session until the end of the caller's transaction.

    Raises
    ------
    SessionTaken
        If another has.
    """
    if connection.execute(sql("hold_session"), {"session": session, "taken": taken}).fetchone() is None:
        raise SessionTaken(f"session {session}: another worker took it over")


def forget_deliveries(connection: Connection, session: str, but: Collection[int] = ()) -> None:
    """Forget how messages came that nobody can deliver again, all but those under the identifiers ``but``."""
    with translated_errors():
        connection.execute(sql("forget_deliveries"), {"session": session, "but": sorted(but)})
