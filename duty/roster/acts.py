"""The roster through the one door: shifts that replace others, and who cannot be reached for a time."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from duty.door.door import Actor, Asked, Done, Effect, log, through
from duty.door.refusals import ActInvalid, NotPossibleNow, SubjectUnknown
from duty.roster.roster import Shift, parse_roster
from duty.roster.stored import load_roster
from undercroft.instants import MEANT, is_meant
from undercroft.store import duty_roster as store
from undercroft.store.connection import Connection

LONGEST_ABSENCE = timedelta(days=62)
LOOK_AHEAD = timedelta(hours=24)


def import_roster(
    connection: Connection, actor: Actor, text: str, zone: ZoneInfo, now: datetime, key: str = "", *,
    channels: Collection[str] | None = None,
) -> Done:  # fmt: skip
    """Put the shifts of a CSV file in place of what others of their step and standing do meanwhile.

    Parameters
    ----------
    channels : collection of str or None
        Those of the duty file; who is to be reached by another is refused. None: no file is known.

    Raises
    ------
    RosterInvalid
        If the file cannot be used; names the line. The audit keeps the refusal.
    Refused
        By its class.
    """

    def do(at: datetime) -> Effect:
        shifts = parse_roster(text, zone, channels)
        store.replace_shifts(connection, [shift_row(shift) for shift in shifts])
        body = _said_of(shifts) | _gaps_of(connection, shifts, at)
        return Effect(log(connection, "roster", actor.operator_id, "roster", body, at), detail=body)

    sha256 = hashlib.sha256(text.encode()).hexdigest()
    return through(connection, actor, Asked("roster", "roster_import", "roster", {"sha256": sha256}, key), now, do)


def _said_of(shifts: Sequence[Shift]) -> dict[str, Any]:
    starts_at, ends_at = covered(shifts)
    return {
        "shifts": len(shifts), "from": starts_at.isoformat(), "until": ends_at.isoformat(),
        "people": sorted({shift.person.person_id for shift in shifts}),
    }  # fmt: skip


def _gaps_of(connection: Connection, shifts: Sequence[Shift], at: datetime) -> dict[str, list[list[str | int]]]:
    """Return the gaps that the roster has now: in the time of the file, and in the next 24 hours."""
    stretches = {"gaps": covered(shifts), "gaps_24h": (at, at + LOOK_AHEAD)}
    return {
        name: [
            [gap.starts_at.isoformat(), gap.ends_at.isoformat(), gap.step]
            for gap in load_roster(connection, *of).gaps(*of)
        ]
        for name, of in stretches.items()
    }


def covered(shifts: Sequence[Shift]) -> tuple[datetime, datetime]:
    """Return from when until when the shifts of a file are."""
    return min(shift.starts_at for shift in shifts), max(shift.ends_at for shift in shifts)


def mark_absent(
    connection: Connection, actor: Actor, person: str, starts_at: datetime | None, ends_at: datetime, now: datetime,
    key: str = "",
) -> Done:  # fmt: skip
    """Record that somebody cannot be reached for a time: the deputy of the step, or the next step, is told instead.

    The same person and start again moves the end.

    Parameters
    ----------
    starts_at : datetime or None
        None: from the time of the act on.

    Raises
    ------
    Refused
        By its class, if the roster does not know the person, or the time is none.
    """

    def do(at: datetime) -> Effect:
        begins = starts_at or at
        if not (is_meant(begins) and is_meant(ends_at)):
            raise ActInvalid(f"absent: {MEANT}")
        if not begins < ends_at <= begins + LONGEST_ABSENCE:
            raise ActInvalid(f"absent: it must end after it starts, within {LONGEST_ABSENCE.days} days")
        if person not in store.people(connection):
            raise SubjectUnknown(f"absent: the roster knows no {person[:40]!r}")
        store.mark_absent(connection, person, begins, ends_at, actor.operator_id)
        body = {"from": begins.isoformat(), "until": ends_at.isoformat()}
        return Effect(log(connection, "absent", actor.operator_id, f"person/{person}", body, at), detail=body)

    body = {"from": starts_at and starts_at.isoformat(), "until": ends_at.isoformat()}  # as asked, for the key
    asked = Asked("absent", "roster_absent", f"person/{person[:40]}", body, key)
    return through(connection, actor, asked, now, do)


def take_back_absence(
    connection: Connection, actor: Actor, person: str, starts_at: datetime | None, now: datetime, key: str = ""
) -> Done:
    """Take back an absence that was entered by mistake, or whose person is there again: it counts for nothing.

    Parameters
    ----------
    starts_at : datetime or None
        When it begins, to the minute; None: the only one that stands and is not over.

    Raises
    ------
    Refused
        By its class, if there is no such absence, or there are several; they are named.
    """

    def do(at: datetime) -> Effect:
        stand = store.absences_of(connection, person, at)
        if not stand:
            raise NotPossibleNow(f"absent: {person[:40]!r} has no absence that stands and is not over")
        meant = [row for row in stand if starts_at is None or _same_minute(row["starts_at"], starts_at)]
        if len(meant) != 1:
            named = "; ".join(f"{row['starts_at'].isoformat()} to {row['ends_at'].isoformat()}" for row in stand)
            raise NotPossibleNow(f"absent: say which of {person[:40]!r} by when it begins; there are {named}")
        (row,) = meant
        store.take_back_absence(connection, person, row["starts_at"], at, actor.operator_id)
        body = {"from": row["starts_at"].isoformat(), "until": row["ends_at"].isoformat(), "taken_back": True}
        return Effect(log(connection, "absent", actor.operator_id, f"person/{person}", body, at), detail=body)

    body = {"from": starts_at and starts_at.isoformat(), "taken_back": True}
    asked = Asked("absent", "roster_absent", f"person/{person[:40]}", body, key)
    return through(connection, actor, asked, now, do)


def _same_minute(one: datetime, other: datetime) -> bool:
    return one.timestamp() // 60 == other.timestamp() // 60


def shift_row(shift: Shift) -> dict[str, object]:
    """Return a shift as a row of the store."""
    return {
        "starts_at": shift.starts_at, "ends_at": shift.ends_at, "step": shift.step, "standing": shift.standing,
        "person_id": shift.person.person_id, "name": shift.person.name, "phone": shift.person.phone,
        "reach": [{"channel": reach.channel, "address": reach.address} for reach in shift.person.reach],
    }  # fmt: skip
