"""Alarms of the log that another version of the engine wrote, taken over into the memory of this one. Pure.

The log holds: what it numbered goes on from there, what it left open is open, what it ended is ended, as they were
acknowledged, latched and shelved. Where this version sees it otherwise, its next tick says so by its own rules, openly
(docs/decisions/0047).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np

from risk.alarms import FAMILY_BITS
from risk.arrays import NEVER_US, SiteArrays, to_us
from risk.conditions import ConditionAlarm, Told
from risk.levels import RULE_NAMES
from risk.pending import PendingTick
from risk.state import (
    BARRIER,
    BLIND,
    DEPTH,
    FLOAT,
    FORECAST,
    FREEBOARD,
    LEAK,
    PUMP,
    RAIN,
    REPORT,
    RISE,
    STAND_IN,
    WARNING,
    Departed,
    EngineState,
)  # fmt: skip

COARSE = timedelta(minutes=1)

_FAMILIES: Mapping[str, int] = {
    "inside-depth": DEPTH, "inside-depth-rising": DEPTH, "freeboard": FREEBOARD, "outside-head": FREEBOARD,
    "rise-rate": RISE, "rain-5min": RAIN, "rain-10min": RAIN, "rain-60min": RAIN, "warning-colour": WARNING,
    "barrier-not-deployed": BARRIER, "pump-not-coping": PUMP, "time-to-orange": FORECAST, "time-to-red": FORECAST,
    "orange-within-30min": FORECAST, "leak": LEAK, "blind": BLIND, "float-lifted": FLOAT,
}  # fmt: skip
"""Family of a rule, by its name in a reason."""


@dataclass(frozen=True, slots=True)
class LoggedAlarm:
    """The last alarm of a subject as it stands in the store; ``events`` is the newest number of its log.

    ``said``: rules and sensors of all reasons told of it; ``reasons``: the last. Times are microseconds since 1970.
    """

    subject: str
    events: int
    occurrence: int
    severity: int
    peak: int
    active: bool
    acknowledged: bool
    latched: bool
    raised_us: int
    shelved_us: int | None
    suppressed_by: str | None
    said: tuple[tuple[str, str], ...]
    reasons: tuple[Mapping[str, Any], ...]


def logged_alarm(row: Mapping[str, Any]) -> LoggedAlarm:
    """Return what the store has of a subject; one of which only refusals are logged never had an alarm."""
    shelved, raised = row["shelved_until"], row["raised_at"]
    return LoggedAlarm(
        subject=row["subject"],
        events=row["events"],
        occurrence=row["occurrence"] or 0,
        severity=row["severity"] or 0,
        peak=row["peak_severity"] or 0,
        active=bool(row["active"]),
        acknowledged=bool(row["acknowledged"]),
        latched=bool(row["latched"]),
        raised_us=NEVER_US if raised is None else to_us(raised),
        shelved_us=None if shelved is None else to_us(shelved),
        suppressed_by=row["suppressed_by"],
        said=tuple((rule, sensor) for rule, sensor in row["said"]),
        reasons=tuple(row["reasons"] or ()),
    )


def coarser(ticks: Sequence[PendingTick], imports: Sequence[int]) -> list[PendingTick]:
    """Return ticks of the log a minute apart, and the last: enough to remember by. None is taken over an import.

    Examples
    --------
    >>> ticks = [PendingTick(n, datetime(2026, 7, 1, 8, 0, n), n, None) for n in range(1, 6)]
    >>> [tick.tick_seq for tick in coarser(ticks, [4])]
    [3, 5]
    """
    kept, since = list[PendingTick](), ticks[0].tick_at
    for entry, later in pairwise(ticks):
        near = timedelta() <= later.tick_at - since < COARSE
        if not near or any(entry.up_to < number <= later.up_to for number in imports):
            kept.append(entry)
            since = later.tick_at
    return [*kept, ticks[-1]]


def take_over(state: EngineState, arrays: SiteArrays, logged: Iterable[LoggedAlarm], *, silent: Iterable[str]) -> None:
    """Have the memory hold the alarms of the log; nothing of it is told anew.

    Parameters
    ----------
    silent : iterable of str
        Conditions that no act told of, only readings from before the memory begins or the engine itself: what the log
        says of them holds.
    """
    known = {alarm.subject: alarm for alarm in logged}
    for row, space in enumerate(arrays.spaces):
        _space(state, arrays, row, known.pop(f"space/{space.id}", None))
    departed = dict[str, Departed]()
    for subject in [subject for subject in known if subject.startswith("space/")]:
        alarm = known.pop(subject)
        departed[subject.removeprefix("space/")] = Departed(
            alarm.events, alarm.occurrence, alarm.severity if alarm.active else 0, alarm.peak, alarm.raised_us,
            alarm.acknowledged, alarm.latched,
        )  # fmt: skip
    state.departed = departed
    quiet = frozenset(silent)
    told = {subject: alarm.told for subject, alarm in state.conditions.items() if alarm.told}
    untold = {subject: ConditionAlarm(told=of) for subject, of in told.items() if subject not in known}
    of_log = {subject: _condition(alarm, told.get(subject, {}), quiet) for subject, alarm in known.items()}
    state.conditions = untold | of_log
    state.written_signature[:] = -1


def _space(state: EngineState, arrays: SiteArrays, row: int, logged: LoggedAlarm | None) -> None:
    if logged is None:
        _nothing(state, row)
        state.alarm_events[row] = state.alarm_occurrence[row] = state.alarm_peak[row] = 0
        state.alarm_acked[row] = state.alarm_latched[row] = False
        return
    state.alarm_events[row], state.alarm_occurrence[row] = logged.events, logged.occurrence
    state.alarm_acked[row], state.alarm_latched[row] = logged.acknowledged, logged.latched
    state.alarm_peak[row], state.alarm_raised_us[row] = logged.peak, logged.raised_us
    if not logged.active:
        _nothing(state, row)
        return
    if state.alarm_severity[row] == 0:
        state.stood_down_us[row] = NEVER_US
    if state.alarm_severity[row] != logged.severity:
        state.alarm_below_us[row] = NEVER_US
    state.alarm_severity[row] = logged.severity
    state.alarm_shelved_us[row] = NEVER_US if logged.shelved_us is None else logged.shelved_us
    for family in _families(logged.said):
        state.alarm_families[row] |= FAMILY_BITS[family]
    named = {sensor for _, sensor in logged.said}
    of_space = np.flatnonzero(arrays.l_space == row)
    for level in of_space.tolist():
        if arrays.sensors[arrays.l_sensor[level]].key in named:
            state.implicated[level] = True


def _nothing(state: EngineState, row: int) -> None:
    """Have no alarm of a space be open."""
    state.alarm_severity[row] = state.alarm_families[row] = 0
    state.alarm_below_us[row] = state.alarm_shelved_us[row] = NEVER_US


def _families(said: Iterable[tuple[str, str]]) -> set[int]:
    """Return the families that reasons may be of; those of a report or of a stand-in bear the name of its rule."""
    found = set[int]()
    for rule, sensor in said:
        by_report = rule in RULE_NAMES and sensor.startswith("report:")
        found |= {REPORT} if by_report else {_FAMILIES[rule]} if rule in _FAMILIES else set()
    return found | ({STAND_IN} if BLIND in found else set())


def _condition(logged: LoggedAlarm, told: Mapping[str, Told], silent: frozenset[str]) -> ConditionAlarm:
    """Return the alarm of a device or of the system: what is told of it stays, the alarm is the log's."""
    said = dict(told)
    for reason in logged.reasons if logged.active else ():
        if reason["rule"] in silent and reason["rule"] not in said:
            body = {name: reason[name] for name in ("value", "unit", "threshold") if reason.get(name) is not None}
            at_us = to_us(datetime.fromisoformat(reason["observed_at"]))
            said[reason["rule"]] = Told(int(reason["severity"]), at_us, {"is_active": True, **body})
    alarm = ConditionAlarm(
        logged.occurrence, logged.events, logged.severity if logged.active else 0, logged.peak, logged.raised_us,
        logged.acknowledged, logged.latched, logged.shelved_us, logged.suppressed_by,
    )  # fmt: skip
    return replace(alarm, told=said)
