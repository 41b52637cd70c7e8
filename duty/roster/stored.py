"""The roster as the store has it."""

from __future__ import annotations

from datetime import datetime

from duty.roster.roster import STEPS_KNOWN_FOR, Roster, roster_of
from undercroft.store import duty as store
from undercroft.store.connection import Connection


def load_roster(connection: Connection, starts_at: datetime, ends_at: datetime) -> Roster:
    """Return the roster around a stretch of time, with the shifts of the week before, which show what steps it has."""
    return roster_of(
        store.shifts(connection, starts_at - STEPS_KNOWN_FOR, ends_at), store.absences(connection, starts_at, ends_at)
    )
