"""A restored database may be held: neither engine nor notifier works on it before a person has released it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from undercroft.errors import BadInput
from undercroft.store.connection import Connection, translated_errors
from undercroft.store.sql import sql

LOOK_EVERY_S = 1.0


def hold_database(connection: Connection, now: datetime) -> None:
    """Let neither engine nor notifier work on this database until it is released."""
    with translated_errors():
        connection.execute(sql("hold_database"), {"now": now})


def held_since(connection: Connection) -> datetime | None:
    """Return since when the database is held; None where it is not."""
    with translated_errors():
        row = connection.execute(sql("held_since")).fetchone()
    return None if row is None else row["held_at"]


def await_release(
    connection: Connection, is_told_to_stop: Callable[[], bool], wait: Callable[[float], object],
    say: Callable[[datetime], object],
) -> bool:  # fmt: skip
    """Wait while the database is held, and say so once; False when told to stop before."""
    told = False
    while not is_told_to_stop():
        since = held_since(connection)
        if since is None:
            return True
        if not told:
            say(since)
            told = True
        wait(LOOK_EVERY_S)
    return False


def release_database(connection: Connection, now: datetime, *, sends_old: bool | None) -> int:
    """Release a held database; return how many messages waited in it since before the backup.

    Parameters
    ----------
    sends_old : bool or None
        Whether these are sent now, or are never sent; None where nobody said so.

    Raises
    ------
    BadInput
        If the database is not held, or messages wait and nobody said what becomes of them.
    """
    with translated_errors(), connection.transaction():
        if held_since(connection) is None:
            raise BadInput("this database is not held")
        row = connection.execute(sql("count_waiting_messages")).fetchone()
        waiting = 0 if row is None else int(row["waiting"])
        if waiting and sends_old is None:
            raise BadInput(
                f"{waiting} messages wait in it since before the backup: say --messages send or --messages forget"
            )
        if waiting and not sends_old:
            connection.execute(sql("forget_waiting_messages"), {"now": now})
        connection.execute(sql("release_database"))
    return waiting
