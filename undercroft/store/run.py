"""What the driver of a run asks of the store: how far the engine has come."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from undercroft.errors import BadInput
from undercroft.model import Mode
from undercroft.store.connection import Connection, translated_errors
from undercroft.store.migrate import mode_of
from undercroft.store.patient import PatientConnection
from undercroft.store.sql import sql

PATIENCE_S = 60.0
"""How long a run waits for a database that went away. [s]"""


@dataclass(frozen=True, slots=True)
class RunClock:
    """A run clock that the engine has ticked on."""

    seq: int
    now: datetime


class Progress:
    """Tells how far a run has come: called, the run clock of the engine's newest tick, 0 before the first."""

    def __init__(self, database: PatientConnection) -> None:
        self._database = database

    def __call__(self) -> int:
        """Return the number of the run clock of the engine's newest tick."""
        return self._database.ask(_newest_seq)

    def newest_clock(self) -> RunClock | None:
        """Return the newest run clock that the engine has ticked on, None before the first."""
        return self._database.ask(_newest_clock)

    def clock_of(self, seq: int) -> datetime | None:
        """Return what the run clock of this number said, None where the engine ticked on none."""
        return self._database.ask(lambda connection: _clock_of(connection, seq))


@contextmanager
def engine_progress(url: str) -> Iterator[Progress]:
    """Give what tells how far the engine has come in a run.

    Raises
    ------
    BadInput
        If the database is a live one: simulations never touch it.
    """
    with PatientConnection(url, "undercroft-simulate", PATIENCE_S) as database:
        if database.ask(mode_of) is not Mode.EXERCISE:
            raise BadInput("this database is live: simulations, replays and demonstrations refuse it")
        yield Progress(database)


def _newest_clock(connection: Connection) -> RunClock | None:
    with translated_errors():
        row = connection.execute(sql("run_newest_clock").encode()).fetchone()
    return None if row is None else RunClock(row["run_seq"], row["tick_at"])


def _clock_of(connection: Connection, seq: int) -> datetime | None:
    with translated_errors():
        row = connection.execute(sql("run_clock").encode(), {"run_seq": seq}).fetchone()
    return None if row is None else row["tick_at"]


def _newest_seq(connection: Connection) -> int:
    with translated_errors():
        row = connection.execute(sql("run_newest_seq").encode()).fetchone()
    seq: int = row["run_seq"] if row is not None else 0
    return seq
