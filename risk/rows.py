"""Rows of the store from the output of ticks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from risk.arrays import from_us
from risk.output import AlarmRow, TickOutput

Row = dict[str, Any]


def tick_rows(outputs: Iterable[TickOutput]) -> list[Row]:
    """Return the tick rows."""
    return [
        {
            "tick_seq": o.tick_seq, "tick_at": from_us(o.tick_us), "up_to": o.up_to, "run_seq": o.run_seq,
            "nowcast_id": o.nowcast_id, "flood_library": o.library or None,
            "nowcast_error": o.nowcast_error,
        }
        for o in outputs
    ]  # fmt: skip


def assessment_rows(outputs: Iterable[TickOutput]) -> list[Row]:
    """Return the assessment rows."""
    return [
        {
            "space_id": entry.space_id, "tick_seq": o.tick_seq, "tick_at": from_us(o.tick_us), "level": entry.level,
            "score": entry.score, "blind": entry.blind, "reasons": entry.reasons,
            "contributions": entry.contributions, "evidence": entry.evidence,
        }
        for o in outputs
        for entry in o.assessments
    ]  # fmt: skip


def event_rows(outputs: Iterable[TickOutput]) -> list[Row]:
    """Return the rows of the alarm log."""
    return [
        {
            "subject": event.subject, "event_no": event.event_no, "occurrence": event.occurrence,
            "tick_seq": o.tick_seq, "tick_at": from_us(o.tick_us), "kind": event.kind, "severity": event.severity,
            "reasons": event.reasons, "detail": event.detail,
        }
        for o in outputs
        for event in o.events
    ]  # fmt: skip


def alarm_rows(outputs: Iterable[TickOutput]) -> list[Row]:
    """Return each alarm as it stands after the last of the ticks; one that was cleared keeps its reasons."""
    latest: dict[tuple[str, int], Row] = {}
    for output in outputs:
        for alarm in output.alarms:
            key = (alarm.subject, alarm.occurrence)
            row = _alarm_row(alarm, output.tick_seq)
            if not row["reasons"] and key in latest:
                row["reasons"] = latest[key]["reasons"]
            if not row["active"] and row["cleared_at"] is None and key in latest:
                row |= {name: latest[key][name] for name in ("severity", "cleared_at")}
            latest[key] = row
    return [latest[key] for key in sorted(latest)]


def _alarm_row(alarm: AlarmRow, tick_seq: int) -> Row:
    return {
        "subject": alarm.subject, "occurrence": alarm.occurrence, "subject_kind": alarm.subject_kind,
        "severity": alarm.severity, "peak_severity": alarm.peak_severity, "active": alarm.active,
        "raised_at": from_us(alarm.raised_us),
        "cleared_at": None if alarm.cleared_us is None else from_us(alarm.cleared_us),
        "reasons": alarm.reasons, "last_tick_seq": tick_seq,
        "acknowledged": alarm.acknowledged, "latched": alarm.latched,
        "shelved_until": None if alarm.shelved_us is None else from_us(alarm.shelved_us),
        "suppressed_by": alarm.suppressed_by,
    }  # fmt: skip
