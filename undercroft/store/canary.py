"""How long the canary's readings take: sent, stored, judged by a tick of the engine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from undercroft.store.connection import Connection, translated_errors
from undercroft.store.sql import sql

EVERY = timedelta(seconds=10)
"""How often the canary speaks."""

LATE_AFTER = 3 * EVERY
"""The chain stands still when its newest judged reading is older: three missed beats."""


@dataclass(frozen=True, slots=True)
class Beat:
    """A reading of the canary that came through the whole chain."""

    sent_at: datetime
    stored_at: datetime
    judged_at: datetime

    @property
    def stored_s(self) -> float:
        """From sending to the commit of its row. [s]"""
        return (self.stored_at - self.sent_at).total_seconds()

    @property
    def judged_s(self) -> float:
        """From sending to the commit of the tick that covers it. [s]"""
        return (self.judged_at - self.sent_at).total_seconds()


def newest_judged(connection: Connection, now: datetime) -> Beat | None:
    """Return the newest reading of the canary that a tick has covered, none of a clock that was ahead; else None."""
    with translated_errors():
        row = connection.execute(sql("canary_newest_judged"), {"now": now}).fetchone()
    return None if row is None else Beat(row["sent_at"], row["stored_at"], row["judged_at"])
