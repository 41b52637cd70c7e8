"""What the driver of a run asks of the store: how far the engine has come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from undercroft.errors import BadInput
from undercroft.model import Mode
from undercroft.store.connection import Connection, translated_errors
from undercroft.store.migrate import mode_of
from undercroft.store.patient import PatientConnection
from undercroft.store.sql import sql

PATIENCE_S = 60.0
"""How long a run waits for a database that went away. [s]"""


@contextmanager
def engine_progress(url: str) -> Iterator[Callable[[], int]]:
    """Give a function that tells the run clock of the engine's newest tick, 0 before the first.

    Raises
    ------
    BadInput
        If the database is a live one: simulations never touch it.
    """
    with PatientConnection(url, "undercroft-simulate", PATIENCE_S) as database:
        if database.ask(mode_of) is not Mode.EXERCISE:
            raise BadInput("this database is live: simulations, replays and demonstrations refuse it")
        yield lambda: database.ask(_newest_seq)


def _newest_seq(connection: Connection) -> int:
    with translated_errors():
        row = connection.execute(sql("run_newest_seq").encode()).fetchone()
    seq: int = row["run_seq"] if row is not None else 0
    return seq
