"""What ails devices outlasts a flood: it goes on in an incident of its own, and the next storm is another. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from duty.incidents.incidents import NEWS, Incident, incident_id_of, is_of_space
from duty.model import AlarmEventIn


def left_over(ended: Incident, at: datetime) -> Incident | None:
    """Return the incident of the alarms that are open still when theirs ends; None where there are none."""
    notes = ended.open_alarms
    if not notes:
        return None
    return carried(ended, Incident(incident_id_of(ended.basin, at), ended.basin, at, notes[0].subject))


def begins_anew(standing: Incident, event: AlarmEventIn, linger: timedelta) -> bool:
    """Tell whether an alarm of a space begins an incident although one stands that never had one.

    What began to ail devices no longer before than an incident lingers may be of the same storm.
    """
    if event.kind not in NEWS or not is_of_space(event.subject):
        return False
    return event.at - standing.opened_at > linger and not any(is_of_space(note.subject) for note in standing.alarms)


def carried(before: Incident, after: Incident) -> Incident:
    """Return an incident that takes over the open alarms of the one before it.

    Who was told of them is told on, by the same clocks, while one of them is not acknowledged.
    """
    notes = tuple(note for note in before.alarms if note.active)
    taken = replace(after, alarms=notes, worst=max((note.severity for note in notes), default=0), clear_told=not notes)
    if all(note.acknowledged for note in notes):
        return taken
    return replace(
        taken, reached=before.reached, told_at=before.told_at, stepped_at=before.stepped_at,
        orange_stepped_at=before.orange_stepped_at, red_stepped_at=before.red_stepped_at,
        news=tuple(subject for subject in before.news if any(note.subject == subject for note in notes)),
    )  # fmt: skip
