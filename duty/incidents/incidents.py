"""One incident per basin and storm: which of its alarms wait for a person, from the alarm log alone.

`fold` takes one event of the alarm log; `duty.telling.decide.due` says what is to be told. Both are functions of their
arguments; an incident is a value that a transaction stores beside the messages it caused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from duty.model import AlarmEventIn
from undercroft.model import Severity

NEWS = frozenset({"raised", "severity_up", "reason_added"})
"""Kinds of event after which somebody has to look again."""

ENDED = frozenset({"cleared", "stood_down"})

QUIET_BY = {
    "shelved": True, "unshelved": False, "suppressed": True, "unsuppressed": False,
    "out_of_service": True, "in_service": False,
}  # fmt: skip
"""Kinds that stop or resume the telling about an alarm below red; the alarm itself goes on."""


@dataclass(frozen=True, slots=True)
class AlarmNote:
    """An alarm of the incident.

    ``since`` is when somebody had to look at it first: raised, or told again after it was acknowledged. While nobody
    has acknowledged, further reasons and levels do not move it, or they could put off the escalation.
    ``orange_since`` and ``red_since`` are when somebody first had to look at it at that severity, None below it.
    ``text_*`` are the words of its worst reason, of severity ``said_severity`` (0: that of the alarm); ``also_*`` those
    of a milder one that came later, which never takes their place.
    """

    subject: str
    occurrence: int
    severity: int
    since: datetime
    active: bool = True
    acknowledged: bool = False
    quiet_by: tuple[str, ...] = ()
    text_zh: str = ""
    text_en: str = ""
    orange_since: datetime | None = None
    red_since: datetime | None = None
    acknowledged_at: datetime | None = None
    said_severity: int = 0
    also_zh: str = ""
    also_en: str = ""
    end_told: bool = False
    """Whether its end was told."""

    def since_of(self, severity: Severity) -> datetime | None:
        """Return when somebody first had to look at it at a severity; None when it is below."""
        if severity > self.severity:
            return None
        named = {Severity.ORANGE: self.orange_since, Severity.RED: self.red_since}.get(severity)
        return named or self.since

    @property
    def waits(self) -> bool:
        """Whether a person has to be told until one acknowledges; red can be neither shelved nor suppressed."""
        if not self.active or self.acknowledged:
            return False
        return self.severity >= Severity.RED or not self.quiet_by


@dataclass(frozen=True, slots=True)
class Pressed:
    """How far the telling has come of what stays undone in an incident, for one reason (`duty.late.unfinished`).

    ``about`` are the subjects or orders that were told; ``since`` is the first telling, ``at`` the last by the clock.
    ``left`` are those that are undone still: none, while it is only remembered that a switch may flap.
    """

    reason: str
    about: tuple[str, ...]
    since: datetime
    times: int
    step: int
    at: datetime
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Incident:
    """The alarms of one basin in one storm, and how far the telling has come.

    Attributes
    ----------
    causes : int
        Messages decided so far; each cause has a number, and messages carry it in their key.
    reached : int
        Highest step of the roster told so far; -1 is nobody.
    stepped_at, orange_stepped_at, red_stepped_at : datetime or None
        Last repetition; last one because of orange or red; last one because of red. The milder never moves the worse.
    news : tuple of str
        Subjects with news that was not told yet.
    """

    incident_id: str
    basin: str
    opened_at: datetime
    first_subject: str
    alarms: tuple[AlarmNote, ...] = ()
    causes: int = 0
    reached: int = -1
    told_at: datetime | None = None
    stepped_at: datetime | None = None
    orange_stepped_at: datetime | None = None
    red_stepped_at: datetime | None = None
    news: tuple[str, ...] = ()
    clear_since: datetime | None = None
    clear_told: bool = True
    worst: int = 0
    pressed: tuple[Pressed, ...] = ()

    def stepped_at_of(self, severity: Severity) -> datetime | None:
        """Return when the clock of a severity was started anew by a repetition."""
        named = {Severity.ORANGE: self.orange_stepped_at, Severity.RED: self.red_stepped_at}
        return named.get(severity, self.stepped_at)

    def stepped(self, severity: Severity, at: datetime) -> Incident:
        """Return the incident after a repetition because of a severity: its clock and those below start anew."""
        return replace(
            self,
            stepped_at=at,
            orange_stepped_at=at if severity >= Severity.ORANGE else self.orange_stepped_at,
            red_stepped_at=at if severity >= Severity.RED else self.red_stepped_at,
        )

    @property
    def open_alarms(self) -> list[AlarmNote]:
        """The active alarms, worst first, in an order that depends on nothing else."""
        return sorted((note for note in self.alarms if note.active), key=lambda note: (-note.severity, note.subject))

    @property
    def is_flood(self) -> bool:
        """Whether it had an alarm of a space: its end is an all clear then, else the end of what ailed something."""
        return any(is_of_space(note.subject) for note in self.alarms)

    @property
    def holding(self) -> list[AlarmNote]:
        """The open alarms that it goes on for: of spaces alone, once it had one; before that whatever is open."""
        is_flood = self.is_flood
        return [note for note in self.open_alarms if not is_flood or is_of_space(note.subject)]

    @property
    def ended(self) -> list[AlarmNote]:
        """The alarms that ended since an end was told last, worst first."""
        over = (note for note in self.alarms if not note.active and not note.end_told)
        return sorted(over, key=lambda note: (-note.severity, note.subject))

    @property
    def waiting(self) -> list[AlarmNote]:
        """The alarms that a person has to acknowledge."""
        return [note for note in self.open_alarms if note.waits]


def incident_id_of(basin: str, opened_at: datetime) -> str:
    """Return the name of an incident: its basin and when it began.

    Examples
    --------
    >>> from datetime import UTC
    >>> incident_id_of("north", datetime(2026, 7, 1, 8, 5, tzinfo=UTC))
    'north-20260701T080500Z'
    """
    return f"{basin}-{opened_at:%Y%m%dT%H%M%SZ}"


def opened(basin: str, event: AlarmEventIn) -> Incident:
    """Return the incident that an event opens; the first alarm is remembered (first-out)."""
    return Incident(incident_id_of(basin, event.at), basin, event.at, event.subject)


def fold(incident: Incident, event: AlarmEventIn) -> Incident:
    """Return the incident after an event of one of its alarms; events come in the order of the log."""
    key = (event.subject, event.occurrence)
    known = next((note for note in incident.alarms if (note.subject, note.occurrence) == key), None)
    if known is None and event.kind not in NEWS:
        return incident  # an act on an alarm that this incident never had
    note = _changed(known, event)
    others = tuple(other for other in incident.alarms if other.subject != event.subject)
    alarms = tuple(sorted((*others, note), key=lambda entry: entry.subject))
    news = set(incident.news)
    if event.kind in NEWS:
        news.add(event.subject)
    if not note.active:
        news.discard(event.subject)
    after = replace(incident, alarms=alarms, news=tuple(sorted(news)), worst=max(incident.worst, note.severity))
    return settled(after, event.at)


def is_of_space(subject: str) -> bool:
    """Tell whether an alarm is of a space, not of what ails a device or the system."""
    return subject.startswith("space/")


def settled(incident: Incident, at: datetime) -> Incident:
    """Return the incident with its end as its alarms have it: nothing is left that it goes on for, or something is."""
    if incident.holding:
        return replace(incident, clear_since=None, clear_told=False)
    return replace(incident, clear_since=incident.clear_since or at)


def _changed(known: AlarmNote | None, event: AlarmEventIn) -> AlarmNote:
    note = known or AlarmNote(event.subject, event.occurrence, event.severity, event.at)
    if event.kind in NEWS:
        quiet = () if event.kind == "severity_up" else note.quiet_by
        clocked = _clocked(_worded(note, event), event.severity, event.at, anew=known is None or not note.waits)
        return replace(
            clocked, active=True, acknowledged=False, acknowledged_at=None, quiet_by=quiet, end_told=False
        )  # fmt: skip
    if event.kind == "severity_down":
        return _clocked(_worded(note, event), event.severity, event.at, anew=False)
    if event.kind in ENDED:
        return replace(note, active=False)
    if event.kind == "acknowledged":
        return replace(note, acknowledged=True, acknowledged_at=event.at)
    if event.kind in QUIET_BY:
        return _quietened(note, event)
    return note


def _worded(note: AlarmNote, event: AlarmEventIn) -> AlarmNote:
    """Return an alarm in the words of its worst reason; another level, up or down, has words of its own."""
    if not (event.text_zh or event.text_en):
        return note
    said = event.said_severity or event.severity
    is_added = event.kind == "reason_added" and bool(note.text_zh or note.text_en)
    if is_added and said < (note.said_severity or note.severity):
        return replace(note, also_zh=event.text_zh, also_en=event.text_en)
    also_zh, also_en = (note.also_zh, note.also_en) if is_added else ("", "")
    return replace(
        note, text_zh=event.text_zh, text_en=event.text_en, said_severity=said, also_zh=also_zh, also_en=also_en
    )  # fmt: skip


def _clocked(note: AlarmNote, severity: int, at: datetime, *, anew: bool) -> AlarmNote:
    """Return an alarm at a severity: what it reaches first, or anew, has to be looked at from now on."""

    def since(level: Severity) -> datetime | None:
        known = None if anew else note.since_of(level)
        return None if severity < level else known or at

    return replace(
        note, severity=severity, since=at if anew else note.since,
        orange_since=since(Severity.ORANGE), red_since=since(Severity.RED),
    )  # fmt: skip


def _quietened(note: AlarmNote, event: AlarmEventIn) -> AlarmNote:
    opposite = {"unshelved": "shelved", "unsuppressed": "suppressed", "in_service": "out_of_service"}
    if QUIET_BY[event.kind]:
        return replace(note, quiet_by=tuple(sorted({*note.quiet_by, event.kind})))
    left = tuple(entry for entry in note.quiet_by if entry != opposite[event.kind])
    resumed = replace(note, quiet_by=left)
    return _clocked(resumed, note.severity, event.at, anew=True) if resumed.waits and not note.waits else resumed
