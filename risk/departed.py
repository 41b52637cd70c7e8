"""Alarms of spaces that a site import took out: they end by that name, and a space that comes back counts on."""

from __future__ import annotations

from dataclasses import replace

from risk.arrays import SiteArrays
from risk.output import CLEARED, AlarmEvent, AlarmRow
from risk.state import Departed, EngineState

WHY = "the space is no longer in the site"
AUTHOR = "site import"


def note_departures(before: tuple[EngineState, SiteArrays], after: tuple[EngineState, SiteArrays]) -> None:
    """Keep the alarms of spaces that the new version has no longer; one that came back goes on with its numbers."""
    (state, old), (result, new) = before, after
    result.departed = dict(state.departed)
    for row, space in enumerate(old.spaces):
        if space.id not in new.space_index:
            result.departed[space.id] = Departed(
                events=int(state.alarm_events[row]),
                occurrence=int(state.alarm_occurrence[row]),
                severity=int(state.alarm_severity[row]),
                peak=int(state.alarm_peak[row]),
                raised_us=int(state.alarm_raised_us[row]),
                acknowledged=bool(state.alarm_acked[row]),
                latched=bool(state.alarm_latched[row]),
            )
    for name in sorted(set(result.departed) & set(new.space_index)):
        known = result.departed.pop(name)
        result.alarm_events[new.space_index[name]] = known.events
        result.alarm_occurrence[new.space_index[name]] = known.occurrence


def end_departed(state: EngineState, tick_us: int) -> tuple[list[AlarmEvent], list[AlarmRow]]:
    """End the alarms of spaces that left since the last tick; one that waited to be acknowledged waits no more."""
    events, alarms = [], []
    for name, known in sorted(state.departed.items()):
        if not known.severity and not known.latched:
            continue
        subject, number = f"space/{name}", known.events + 1
        lasted = {"peak_severity": known.peak, "lasted_s": (tick_us - known.raised_us) // 1_000_000}
        kind, detail = (
            (CLEARED, {**lasted, "by": WHY}) if known.severity else ("acknowledged", {"author": AUTHOR, "comment": WHY})
        )
        events.append(AlarmEvent(subject, number, known.occurrence, kind, 0, [], detail))
        alarms.append(
            AlarmRow(
                subject=subject,
                occurrence=known.occurrence,
                subject_kind="space",
                severity=known.severity or known.peak,
                peak_severity=known.peak,
                active=False,
                raised_us=known.raised_us,
                cleared_us=tick_us if known.severity else None,
                reasons=[],
                acknowledged=known.acknowledged or not known.severity,
            )
        )
        state.departed[name] = replace(known, events=number, severity=0, latched=False)
    return events, alarms
