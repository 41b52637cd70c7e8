"""Alarms of spaces as a tick writes them: what happened to each, with its reasons, and how it stands."""

from __future__ import annotations

from typing import Any, TypedDict

import numpy as np

from risk.alarms import Change
from risk.arrays import NEVER_US
from risk.facts.fact import Context
from risk.lifecycle import REFUSED, LifeEvent
from risk.output import CLEARED, REASON_ADDED, SEVERITY_DOWN, AlarmEvent, AlarmRow
from risk.reasons import reasons_of
from risk.state import EngineState


def alarm_output(
    context: Context, changes: list[Change], happened: list[LifeEvent]
) -> tuple[list[AlarmEvent], list[AlarmRow]]:
    """Return what is written of the alarms of spaces: an event for each change and act, and each alarm as it stands."""
    events: list[AlarmEvent] = []
    alarms: dict[tuple[str, int], AlarmRow] = {}
    both: list[LifeEvent | Change] = [*happened, *changes]  # acts before evidence; the order is kept within a space
    for entry in sorted(both, key=lambda entry: entry.space):
        event, alarm = _life_event(context, entry) if isinstance(entry, LifeEvent) else _event(context, entry)
        events.append(event)
        if alarm.occurrence and event.kind != REFUSED:
            alarms[alarm.subject, alarm.occurrence] = alarm
    return events, list(alarms.values())


def _life_event(context: Context, happened: LifeEvent) -> tuple[AlarmEvent, AlarmRow]:
    state, row = context.state, happened.space
    subject = f"space/{context.arrays.spaces[row].id}"
    state.alarm_events[row] += 1
    occurrence = int(state.alarm_occurrence[row])
    number = int(state.alarm_events[row])
    event = AlarmEvent(subject, number, occurrence, happened.kind, happened.severity, [], happened.detail)
    alarm = AlarmRow(
        subject=subject,
        occurrence=occurrence,
        subject_kind="space",
        severity=happened.was or happened.severity or max(int(state.alarm_peak[row]), 1),
        peak_severity=int(state.alarm_peak[row]),
        active=happened.severity > 0,
        raised_us=int(state.alarm_raised_us[row]),
        cleared_us=context.tick_us if happened.was else None,
        reasons=[],
        **_life_fields(state, row),
    )
    return event, alarm


class _LifeFields(TypedDict):
    acknowledged: bool
    latched: bool
    shelved_us: int | None


def _life_fields(state: EngineState, row: int) -> _LifeFields:
    shelved_us = int(state.alarm_shelved_us[row])
    return {
        "acknowledged": bool(state.alarm_acked[row]),
        "latched": bool(state.alarm_latched[row]),
        "shelved_us": None if shelved_us == NEVER_US else shelved_us,
    }


def _event(context: Context, change: Change) -> tuple[AlarmEvent, AlarmRow]:
    state, views, row = context.state, context.views, change.space
    subject = f"space/{context.arrays.spaces[row].id}"
    state.alarm_events[row] += 1
    bits = (change.families >> np.arange(views.now.shape[0])) & 1
    view = views.lasting if change.kind == SEVERITY_DOWN else views.candidate
    severities = np.where(bits, view[:, row], 0).astype(np.int8)
    reasons = reasons_of(context, row, severities, 1)
    cleared = change.kind == CLEARED
    detail: dict[str, Any] = {"peak_severity": int(state.alarm_peak[row])} if cleared else {}
    if change.first_out:
        detail["first_out"] = context.arrays.spaces[row].basin
    if cleared:
        detail["lasted_s"] = (context.tick_us - int(state.alarm_raised_us[row])) // 1_000_000
    occurrence = int(state.alarm_occurrence[row])
    event = AlarmEvent(subject, int(state.alarm_events[row]), occurrence, change.kind, change.severity, reasons, detail)
    alarm = AlarmRow(
        subject=subject,
        occurrence=occurrence,
        subject_kind="space",
        severity=change.was if cleared else change.severity,
        peak_severity=int(state.alarm_peak[row]),
        active=not cleared,
        raised_us=int(state.alarm_raised_us[row]),
        cleared_us=context.tick_us if cleared else None,
        reasons=reasons if change.kind != REASON_ADDED else reasons_of(context, row, views.candidate[:, row], 2),
        **_life_fields(state, row),
    )
    return event, alarm
