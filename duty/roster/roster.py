"""Who is on duty: shifts in steps (officer, deputy, leader ...), stand-ins, absences, gaps; imported from CSV.

A row holds one step of the chain for a time. Two rows at the same step and time are allowed when one is ``holder`` and
one ``deputy``: the deputy takes the step while the holder is absent.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

from duty.door.refusals import ActInvalid
from duty.model import Person, Reach
from undercroft.instants import MEANT, is_meant
from undercroft.plain_text import problem_of_text

COLUMNS = ("starts_at", "ends_at", "step", "standing", "person", "name", "phone", "reach")
STANDINGS = ("holder", "deputy")
LONGEST_SHIFT = timedelta(days=7)
MOST_CHARACTERS = 1000
"""Of a cell; far below what the CSV reader takes."""
STEPS_KNOWN_FOR = timedelta(days=7)
"""How long a step that the roster had is looked for: a file that forgets one is not the end of it."""


class RosterInvalid(ActInvalid):
    """The roster cannot be used as it is."""


@dataclass(frozen=True, slots=True)
class Shift:
    """One person at one step of the chain; ``ends_at`` no longer belongs to it."""

    starts_at: datetime
    ends_at: datetime
    step: int
    standing: str
    person: Person

    def covers(self, at: datetime) -> bool:
        """Tell whether the shift runs at an instant."""
        return self.starts_at <= at < self.ends_at


@dataclass(frozen=True, slots=True)
class Absence:
    """A person who cannot be reached for a time."""

    person_id: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which a step that the chain needs has nobody, or nobody but who stands at a lower step."""

    starts_at: datetime
    ends_at: datetime
    step: int = 0


@dataclass(frozen=True, slots=True)
class Roster:
    """All shifts and absences that are known."""

    shifts: tuple[Shift, ...] = ()
    absences: tuple[Absence, ...] = ()

    def is_absent(self, person_id: str, at: datetime) -> bool:
        """Tell whether a person is absent at an instant."""
        return any(entry.person_id == person_id and entry.starts_at <= at < entry.ends_at for entry in self.absences)

    def chain(self, at: datetime) -> tuple[Person, ...]:
        """Return who is told first, second ...; a step that nobody holds is left out, so that nobody waits for it."""
        return tuple(shift.person for shift in self._held(at))

    def _held(self, at: datetime) -> list[Shift]:
        """Return who holds each step, lowest first; nobody twice."""
        found: dict[int, list[Shift]] = {}
        for shift in self.shifts:
            if shift.covers(at) and not self.is_absent(shift.person.person_id, at):
                found.setdefault(shift.step, []).append(shift)
        people: dict[str, Shift] = {}
        for step in sorted(found):
            shift = min(found[step], key=_holder_first)
            people.setdefault(shift.person.person_id, shift)
        return list(people.values())

    @property
    def needed(self) -> frozenset[int]:
        """The steps that the chain needs: those that it has at any time, 0 for every alarm, 1 for orange and red."""
        return frozenset({0, 1, *(shift.step for shift in self.shifts)})

    def gaps(self, starts_at: datetime, ends_at: datetime) -> list[Gap]:
        """Return the times in a stretch at which a needed step has nobody, by when they begin; deputies counted."""
        edges = {starts_at, ends_at}
        for shift in self.shifts:
            edges |= {shift.starts_at, shift.ends_at}
        for absence in self.absences:
            edges |= {absence.starts_at, absence.ends_at}
        cuts = sorted(edge for edge in edges if starts_at <= edge <= ends_at)
        open_since: dict[int, datetime] = {}
        gaps: list[Gap] = []
        for cut in cuts:
            held = self.needed if cut == ends_at else {shift.step for shift in self._held(cut)}
            gaps += [Gap(open_since.pop(step), cut, step) for step in sorted(held & open_since.keys())]
            for step in self.needed - held:
                open_since.setdefault(step, cut)
        return sorted(gaps, key=lambda gap: (gap.starts_at, gap.step))


def _holder_first(shift: Shift) -> tuple[int, datetime, str]:
    return STANDINGS.index(shift.standing), shift.starts_at, shift.person.person_id


def roster_of(shifts: Iterable[Mapping[str, Any]], absences: Iterable[Mapping[str, Any]]) -> Roster:
    """Return the roster of rows of the store."""
    found = tuple(
        Shift(
            row["starts_at"], row["ends_at"], row["step"], row["standing"],
            Person(row["person_id"], row["name"], row["phone"], tuple(Reach(**entry) for entry in row["reach"])),
        )
        for row in shifts
    )  # fmt: skip
    return Roster(found, tuple(Absence(**row) for row in absences))


BEYOND = ""
"""Where the reader puts cells that no header names."""


def parse_roster(text: str, zone: ZoneInfo, channels: Collection[str] | None = None) -> tuple[Shift, ...]:
    """Return the shifts of a CSV file.

    Parameters
    ----------
    text : str
        With the header ``starts_at,ends_at,step,standing,person,name,phone,reach``; ``reach`` is
        ``channel:address`` items separated by ``;``. A byte order mark, as Excel writes it, is allowed.
    zone : ZoneInfo
        Of times without offset.
    channels : collection of str or None
        Those of the duty file, which everybody has to be reached by; None where there is no file to ask.

    Raises
    ------
    RosterInvalid
        Names the line and what is wrong there.
    """
    reader = csv.DictReader(StringIO(text.removeprefix("\ufeff")), restkey=BEYOND)
    try:
        missing = set(COLUMNS) - set(reader.fieldnames or ())
        if missing:
            raise RosterInvalid(f"roster: the header lacks {', '.join(sorted(missing))}")
        shifts = tuple(_shift(row, reader.line_num, zone, channels) for row in reader)
    except csv.Error as error:
        raise RosterInvalid(f"roster line {reader.line_num + 1}: not CSV: {error}") from None  # over 128 KiB in a cell
    if not shifts:
        raise RosterInvalid("roster: no shift in the file")
    _refuse_doubles(shifts)
    return tuple(sorted(shifts, key=lambda shift: (shift.starts_at, shift.step, _holder_first(shift))))


def _shift(row: dict[str, str | None], line: int, zone: ZoneInfo, channels: Collection[str] | None) -> Shift:
    if BEYOND in row:
        raise RosterInvalid(f"roster line {line}: more cells than the header; items of reach are separated by ;")
    value = {name: (row.get(name) or "").strip() for name in COLUMNS}
    for name, said in value.items():
        if len(said) > MOST_CHARACTERS:
            raise RosterInvalid(f"roster line {line}: {name}: expected at most {MOST_CHARACTERS} characters")
        if unfit := problem_of_text(said):
            raise RosterInvalid(f"roster line {line}: {name}: {unfit}")
    starts_at, ends_at = _instant(value["starts_at"], line, zone), _instant(value["ends_at"], line, zone)
    if not starts_at < ends_at <= starts_at + LONGEST_SHIFT:
        raise RosterInvalid(f"roster line {line}: the shift must end after it starts, within 7 days")
    if value["step"] not in {str(number) for number in range(10)}:
        raise RosterInvalid(f"roster line {line}: step {value['step']!r} is not a number from 0 to 9")
    standing = value["standing"] or "holder"
    if standing not in STANDINGS:
        raise RosterInvalid(f"roster line {line}: standing {standing!r} is neither holder nor deputy")
    if not value["person"]:
        raise RosterInvalid(f"roster line {line}: no person")
    reach = tuple(_reach(item.strip(), line, channels) for item in value["reach"].split(";") if item.strip())
    if not reach:
        raise RosterInvalid(f"roster line {line}: {value['person']} cannot be reached: no channel:address")
    person = Person(value["person"], value["name"] or value["person"], value["phone"], reach)
    return Shift(starts_at, ends_at, int(value["step"]), standing, person)


def _instant(text: str, line: int, zone: ZoneInfo) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise RosterInvalid(f"roster line {line}: {text!r} is not a date and time") from None
    instant = instant if instant.tzinfo else instant.replace(tzinfo=zone)
    if not is_meant(instant):
        raise RosterInvalid(f"roster line {line}: {text!r}: {MEANT}")
    return instant.astimezone(UTC)


def _reach(item: str, line: int, channels: Collection[str] | None) -> Reach:
    channel, colon, address = item.partition(":")
    if not colon or not channel or not address:
        raise RosterInvalid(f"roster line {line}: {item!r} is not channel:address")
    if channels is not None and channel not in channels:
        known = ", ".join(sorted(channels)) or "none"
        raise RosterInvalid(f"roster line {line}: reach: the duty file has no channel {channel!r}; it has {known}")
    return Reach(channel, address)


def _refuse_doubles(shifts: Sequence[Shift]) -> None:
    ordered = sorted(shifts, key=lambda shift: (shift.step, shift.standing, shift.starts_at))
    for before, after in itertools.pairwise(ordered):
        if (before.step, before.standing) == (after.step, after.standing) and after.starts_at < before.ends_at:
            raise RosterInvalid(
                f"roster: {before.person.person_id} and {after.person.person_id} both are {after.standing} of step"
                f" {after.step} at {after.starts_at.isoformat()}"
            )


def channels_of(shifts: Iterable[Shift]) -> set[str]:
    """Return the channels that the roster needs."""
    return {reach.channel for shift in shifts for reach in shift.person.reach}
