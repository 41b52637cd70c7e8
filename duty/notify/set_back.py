"""What the notifier keeps when the clock is set back by much: its times move with the clock, so that no wait is lost.

A clock that was ahead once would else be followed for good, and the shift of another day be told. Pure.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from duty.incidents.incidents import AlarmNote, Incident
from duty.late.report_lateness import Clock


def incident_set_back(incident: Incident, by: timedelta) -> Incident:
    """Return an incident whose clocks stand as far from now as they stood before; it keeps its name and beginning."""
    alarms = tuple(_note_set_back(note, by) for note in incident.alarms)
    return replace(
        incident, alarms=alarms, told_at=_back(incident.told_at, by), stepped_at=_back(incident.stepped_at, by),
        orange_stepped_at=_back(incident.orange_stepped_at, by), red_stepped_at=_back(incident.red_stepped_at, by),
        clear_since=_back(incident.clear_since, by),
        pressed=tuple(replace(pressed, at=pressed.at - by) for pressed in incident.pressed),
    )  # fmt: skip


def _note_set_back(note: AlarmNote, by: timedelta) -> AlarmNote:
    return replace(
        note, since=note.since - by, orange_since=_back(note.orange_since, by), red_since=_back(note.red_since, by),
        acknowledged_at=_back(note.acknowledged_at, by),
    )  # fmt: skip


def clock_set_back(clock: Clock, by: timedelta) -> Clock:
    """Return the clock of a report with its last telling as long ago as before."""
    return replace(clock, at=_back(clock.at, by))


def _back(at: datetime | None, by: timedelta) -> datetime | None:
    return None if at is None else at - by
