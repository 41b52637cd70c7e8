"""What is to be told now about an incident, why, and to which steps of the roster. Time is an argument.

- news (first, worse) goes out at once when red; below red at most one message a minute per incident.
- what nobody acknowledges is told again after the interval of its severity: red 3 min, orange 10 min, yellow 30 min.
  Red and orange reach one step further up the roster each time: it is told ``escalated``, those below ``repeat``.
  Each severity has its own clock, from when somebody first had to look at it; the first that runs out counts.
- a red message that everybody at the highest step refuses goes to the next step at once.
- the end goes to everybody who was told: an all clear where spaces had alarms, else which of the system's or of
  devices' has ended.

However late the call, nothing is skipped: steps that were missed are reached together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from duty.incidents.incidents import AlarmNote, Incident
from duty.model import Policy, Reason
from undercroft.model import Severity


@dataclass(frozen=True, slots=True)
class Open:
    """How many alarms of a severity are open in the incident of a basin."""

    basin: str
    severity: int
    count: int


@dataclass(frozen=True, slots=True)
class Cause:
    """One decision to tell: the reason for each step of the roster that is told, lowest first."""

    incident_id: str
    number: int
    at: datetime
    severity: int
    """Of the worst alarm that waits for somebody: what was acknowledged makes no message graver."""
    reasons: tuple[Reason, ...]
    alarms: tuple[AlarmNote, ...]
    """Those that wait first, worst first of them and of the others."""
    lowest_step: int = 0
    """The step that the first reason is for."""
    refused_by: tuple[str, ...] = ()
    """Who refused it, where that is why it is told."""
    ended: tuple[AlarmNote, ...] = ()
    """What ended, where the end is told; worst first."""
    elsewhere: tuple[Open, ...] = ()
    """What is open in other incidents, where the end is told."""

    @property
    def key(self) -> str:
        """What the message's idempotency keys are made of."""
        return f"{self.incident_id}#{self.number}"

    def is_left_by(self, steps: int) -> bool:
        """Tell whether it is red, and every step of the roster was told before and left it for an interval.

        A chain that grew shorter since, at a shift's end or by an absence, was told whole: more reasons than steps.
        """
        chain = max(steps, 1)
        return self.severity >= Severity.RED and self.reasons[:chain] == (Reason.REPEAT,) * chain


def due(incident: Incident, now: datetime, steps: int, policy: Policy) -> tuple[Incident, list[Cause]]:
    """Return what is to be told now and the incident after that.

    Parameters
    ----------
    incident : Incident
        With every event up to ``now`` folded in.
    now : datetime
        Never earlier than at the call before.
    steps : int
        Steps that the roster has now; with none, messages go to step 0, which the duty file's fallback answers for.
    policy : Policy
        Intervals.
    """
    causes: list[Cause] = []
    top = max(steps, 1) - 1
    incident = _tell_news(incident, now, policy, causes)
    incident = _tell_again(incident, now, top, policy, causes)
    incident = _tell_clear(incident, now, causes)
    return incident, causes


def passed_on(
    incident: Incident, now: datetime, steps: int, refused_by: tuple[str, ...] = ()
) -> tuple[Incident, Cause] | None:  # fmt: skip
    """Return what the next step is told at once when the highest one refused whole: red cannot wait for a clock.

    None where no red alarm waits, or nobody stands above. The clocks go on as they are.

    Parameters
    ----------
    steps : int
        Steps that the roster has now.
    refused_by : tuple of str
        Who stands at the highest step, and refused.
    """
    red = any(note.severity >= Severity.RED for note in incident.waiting)
    reached = incident.reached + 1
    if not red or incident.reached < 0 or reached >= steps:
        return None
    causes: list[Cause] = []
    told = _told(incident, now, (Reason.REFUSED,), causes)
    return replace(told, reached=reached), replace(causes[0], lowest_step=reached, refused_by=refused_by)


def is_over(incident: Incident, now: datetime, policy: Policy) -> bool:
    """Tell whether the incident has ended: nothing held it for the lingering time, and the end was told."""
    return incident.clear_since is not None and incident.clear_told and now - incident.clear_since >= policy.linger


def _tell_news(incident: Incident, now: datetime, policy: Policy, causes: list[Cause]) -> Incident:
    fresh = [note for note in incident.waiting if note.subject in incident.news]
    quiet = tuple(sorted({note.subject for note in incident.open_alarms if _is_quiet(note)} & set(incident.news)))
    if not fresh:
        return replace(incident, news=quiet) if incident.news != quiet else incident
    red = any(note.severity >= Severity.RED for note in fresh)
    if not red and incident.told_at is not None and now - incident.told_at < policy.spacing:
        return incident
    reason = Reason.FIRST if incident.reached < 0 else Reason.WORSE
    reached = max(incident.reached, 0)
    told = _told(incident, now, (reason,) * (reached + 1), causes)
    return replace(told, news=quiet, reached=reached)


def _tell_again(incident: Incident, now: datetime, top: int, policy: Policy, causes: list[Cause]) -> Incident:
    if incident.reached < 0:
        return incident
    overdue = _overdue(incident, now, policy)
    if not overdue:
        return incident
    missed = max(
        (1 + late // policy.interval[severity] for severity, late in overdue.items() if severity in policy.escalates),
        default=0,
    )
    reached = max(min(incident.reached + missed, top), incident.reached)
    reasons = (Reason.REPEAT,) * (incident.reached + 1) + (Reason.ESCALATED,) * (reached - incident.reached)
    told = _told(incident, now, reasons, causes)
    return replace(told.stepped(max(overdue), now), reached=reached)


def _is_quiet(note: AlarmNote) -> bool:
    """Tell whether an alarm is silenced for a time: news of it is told when that ends."""
    return not note.acknowledged and not note.waits


def _overdue(incident: Incident, now: datetime, policy: Policy) -> dict[Severity, timedelta]:
    """Return the severities whose clock has run out, and how long ago for whoever waits longest."""
    found: dict[Severity, timedelta] = {}
    for severity, interval in policy.interval.items():
        waiting = [since for note in incident.waiting if (since := note.since_of(severity)) is not None]
        if waiting:
            stepped = incident.stepped_at_of(severity)
            started = min(waiting) if stepped is None else max(min(waiting), stepped)
            if now - started >= interval:
                found[severity] = now - started - interval
    return found


def _tell_clear(incident: Incident, now: datetime, causes: list[Cause]) -> Incident:
    if incident.clear_since is None or incident.clear_told:
        return incident
    if incident.reached < 0:
        return _end_told(incident)
    reason = Reason.ALL_CLEAR if incident.is_flood else Reason.ENDED
    told = _end_told(_told(incident, now, (reason,) * (incident.reached + 1), causes))
    causes[-1] = replace(causes[-1], severity=incident.worst, ended=tuple(incident.ended))
    if incident.open_alarms:  # what ails devices is told on, by its own clocks
        return told
    return replace(told, stepped_at=None, orange_stepped_at=None, red_stepped_at=None, news=())


def _end_told(incident: Incident) -> Incident:
    alarms = tuple(note if note.active else replace(note, end_told=True) for note in incident.alarms)
    return replace(incident, clear_told=True, alarms=alarms)


def open_elsewhere(incidents: Mapping[str, Incident], basin: str) -> tuple[Open, ...]:
    """Return what is open in the incidents of other basins, worst first; what is silenced for a time is left out."""
    found = Counter(
        (-note.severity, other)
        for other, incident in incidents.items()
        if other != basin
        for note in incident.open_alarms
        if not _is_quiet(note)
    )
    return tuple(Open(other, -worst, found[worst, other]) for worst, other in sorted(found))


def _told(incident: Incident, now: datetime, reasons: tuple[Reason, ...], causes: list[Cause]) -> Incident:
    notes = tuple(sorted(incident.open_alarms, key=lambda note: not note.waits))
    severity = notes[0].severity if notes else incident.worst
    number = incident.causes + 1
    causes.append(Cause(incident.incident_id, number, now, severity, reasons, notes))
    return replace(incident, causes=number, told_at=now)
