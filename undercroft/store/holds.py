"""Holds: stretches of time whose data retention keeps, by an incident or by their dates.

An open incident of a place holds by itself, from a day before it, for 60 days. What is to be kept longer, or after it
has closed, needs a hold, placed before retention takes the first of it: the commit order goes after 30 days.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

from undercroft.errors import BadInput
from undercroft.store.connection import Connection, connect, translated_errors
from undercroft.store.sql import sql

APPLICATION_NAME = "undercroft-hold"


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold as it stands; without a number it is that of an open incident, and ends with it, or at ``held_to``."""

    hold_id: int | None
    incident_id: str | None
    held_from: datetime
    held_to: datetime | None
    reason: str
    author: str
    placed_at: datetime
    released_at: datetime | None
    released_by: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person asks to be kept: an incident, or a stretch of time; an end of None is open."""

    reason: str
    author: str
    incident_id: str | None = None
    held_from: datetime | None = None
    held_to: datetime | None = None


def place_hold(url: str, wanted: Wanted, now: datetime) -> int:
    """Place a hold; return its number.

    Raises
    ------
    BadInput
        If the incident is not known, or the stretch ends before it begins.
    """
    with _connected(url) as connection, translated_errors():
        held_from = wanted.held_from
        if wanted.incident_id is not None:
            row = connection.execute(sql("held_incident").encode(), {"incident_id": wanted.incident_id}).fetchone()
            if row is None:
                raise BadInput(f"--incident {wanted.incident_id}: there is no such incident")
            held_from = held_from or row["held_from"]
        if held_from is None:
            raise BadInput("name an incident with --incident, or a time with --from")
        if wanted.held_to is not None and wanted.held_to <= held_from:
            raise BadInput(f"--to {wanted.held_to.isoformat()} is not after {held_from.isoformat()}")
        row = connection.execute(
            sql("place_hold").encode(),
            {
                "held_from": held_from,
                "held_to": wanted.held_to,
                "reason": wanted.reason,
                "author": wanted.author,
                "placed_at": now,
                "incident_id": wanted.incident_id,
            },
        ).fetchone()
        assert row is not None  # noqa: S101 - it was inserted
        return int(row["hold_id"])


def release_holds(url: str, author: str, now: datetime, *, hold_id: int | None, incident_id: str | None) -> list[int]:
    """Release a hold, or those of an incident; return their numbers.

    Raises
    ------
    BadInput
        If none of them is in force.
    """
    values = {"hold_id": hold_id, "incident_id": incident_id, "at": now, "author": author}
    with _connected(url) as connection, translated_errors():
        released = [int(row["hold_id"]) for row in connection.execute(sql("release_holds").encode(), values)]
    if not released:
        what = f"hold {hold_id}" if hold_id is not None else f"--incident {incident_id}"
        raise BadInput(f"{what}: no hold of it is in force; an open incident holds by itself until it closes")
    return sorted(released)


def list_holds(url: str, now: datetime, *, released_too: bool = False) -> list[Hold]:
    """Return the holds in force, open incidents among them, from the oldest data on."""
    with _connected(url) as connection, translated_errors():
        return [
            Hold(**row) for row in connection.execute(sql("list_holds").encode(), {"all": released_too, "now": now})
        ]


def _connected(url: str) -> closing[Connection]:
    return closing(connect(url, application_name=APPLICATION_NAME, autocommit=True))
