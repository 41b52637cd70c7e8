"""What people do to alarms: acknowledge, shelve, stand down, take a device out of service. Pure; times are arguments.

Acts are inputs like readings, at their place in the commit order. Those of a tick are taken before its evidence, so
that an alarm that rises in the same tick is unacknowledged again: whoever acknowledged had not seen it. An act that
cannot be is answered by an event ``refused`` that says why. ``docs/alarm-lifecycle.md`` has the transition table.

- ``acknowledge`` ``space/<id>`` ``{comment}``
- ``shelve`` ``space/<id>`` ``{reason, minutes}``: at most 30 minutes in a storm, else 480; never red. A storm that
  begins leaves it 30 minutes; a higher severity or another family of rules ends it
- ``unshelve`` ``space/<id>``
- ``stand_down`` ``space/<id>`` ``{evidence}``: evidence that comes after it undoes it, see `risk.standdown`
- ``out_of_service`` ``device/<id>`` ``{reason, minutes}``: its readings count as missing, never as normal
- ``in_service`` ``device/<id>``
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from risk.alarms import Change
from risk.arrays import NEVER_US, SiteArrays, iso
from risk.asked import MINUTE_US, acknowledge_refused, minutes_of, shelving_of, storm_end_us
from risk.evidence import Samples
from risk.output import CLEARED, RAISED, REASON_ADDED, SEVERITY_UP
from risk.standdown import stood_down
from risk.state import EngineState
from risk.warnings import Act

ORANGE = 3
REFUSED = "refused"
MOST_OUT_OF_SERVICE_MIN = 7 * 24 * 60.0


@dataclass(frozen=True, slots=True)
class LifeEvent:
    """Something that a person or an expiry did to the alarm of a space."""

    space: int
    kind: str
    severity: int
    detail: dict[str, Any] = field(default_factory=dict)
    was: int = 0


def take_acts(state: EngineState, arrays: SiteArrays, acts: Iterable[Act], tick_us: int) -> list[LifeEvent]:
    """Take the acts of a tick in commit order, then let what expired end; return what happened."""
    rows = {f"space/{space.id}": row for row, space in enumerate(arrays.spaces)} if acts else {}
    events: list[LifeEvent] = []
    for act in sorted(acts, key=lambda act: act.commit_seq):
        if act.kind in _DEVICE_ACTS:
            _device_act(state, act)
        elif act.kind in _SPACE_ACTS and act.subject in rows:
            row = rows[act.subject]
            why_not = _SPACE_ACTS[act.kind](state, row, act, tick_us, events)
            if why_not:
                detail = {"act": act.kind, "author": act.author, "why": why_not}
                events.append(LifeEvent(row, REFUSED, int(state.alarm_severity[row]), detail))
    for row in np.flatnonzero((state.alarm_shelved_us != NEVER_US) & (state.alarm_shelved_us <= tick_us)).tolist():
        events.append(_unshelved(state, row, "expiry"))
    if is_storm(state):
        events += _shortened(state, tick_us)
    return events


def _shortened(state: EngineState, tick_us: int) -> list[LifeEvent]:
    """Let what was shelved in the calm last as long as may be in the storm that began."""
    events = []
    for row in np.flatnonzero(state.alarm_shelved_us != NEVER_US).tolist():
        until_us = storm_end_us(int(state.alarm_shelved_us[row]), tick_us)
        if until_us < state.alarm_shelved_us[row]:
            state.alarm_shelved_us[row] = until_us
            detail = {"by": "storm", "until": iso(until_us)}
            events.append(LifeEvent(row, "shelved", int(state.alarm_severity[row]), detail))
    return events


def in_service(state: EngineState, arrays: SiteArrays, samples: Samples, tick_us: int) -> Samples:
    """Return the samples without those of sensors whose device is out of service; expired ones are back."""
    for device in [device for device, until_us in state.out_of_service.items() if until_us <= tick_us]:
        del state.out_of_service[device]
    if not state.out_of_service or not samples.sensor.size:
        return samples
    out = np.array([device in state.out_of_service for device in arrays.devices], np.bool_)
    kept = (samples.sensor < 0) | ~out[arrays.s_device[samples.sensor]]
    sensor, observed, value = samples.sensor[kept], samples.observed_us[kept], samples.value[kept]
    buffered = None if samples.buffered is None else samples.buffered[kept]
    return Samples(sensor, observed, value, samples.quality[kept], buffered)


def follow(state: EngineState, changes: Sequence[Change]) -> list[LifeEvent]:
    """Let acknowledgement, latch and shelving follow what the evidence did; return shelvings that ended by it."""
    events = []
    for change in changes:
        row = change.space
        if change.kind in {RAISED, SEVERITY_UP, REASON_ADDED}:
            state.alarm_acked[row] = state.alarm_latched[row] = False
            if change.kind in _ENDS_SHELVING and state.alarm_shelved_us[row] != NEVER_US:
                events.append(_unshelved(state, row, _ENDS_SHELVING[change.kind]))
        elif change.kind == CLEARED:
            state.alarm_latched[row] = not state.alarm_acked[row]
            state.alarm_shelved_us[row] = NEVER_US
    return events


def _unshelved(state: EngineState, row: int, by: str) -> LifeEvent:
    state.alarm_shelved_us[row] = NEVER_US
    return LifeEvent(row, "unshelved", int(state.alarm_severity[row]), {"by": by})


def _acknowledge(state: EngineState, row: int, act: Act, _: int, events: list[LifeEvent]) -> str | None:
    severity = int(state.alarm_severity[row])
    why_not = acknowledge_refused(
        severity, acknowledged=bool(state.alarm_acked[row]), latched=bool(state.alarm_latched[row])
    )
    if why_not is not None:
        return why_not
    state.alarm_acked[row], state.alarm_latched[row] = True, False
    detail = {"author": act.author, "comment": str(act.body.get("comment", ""))}
    events.append(LifeEvent(row, "acknowledged", severity, detail))
    return None


def _shelve(state: EngineState, row: int, act: Act, tick_us: int, events: list[LifeEvent]) -> str | None:
    severity = int(state.alarm_severity[row])
    shelving = shelving_of(act, severity, tick_us, storm=is_storm(state))
    if isinstance(shelving, str):
        return shelving
    state.alarm_shelved_us[row] = shelving.until_us
    events.append(LifeEvent(row, "shelved", severity, shelving.detail))
    return None


def _unshelve(state: EngineState, row: int, act: Act, _: int, events: list[LifeEvent]) -> str | None:
    if state.alarm_shelved_us[row] == NEVER_US:
        return "it is not shelved"
    events.append(_unshelved(state, row, act.author))
    return None


def _stand_down(state: EngineState, row: int, act: Act, _: int, events: list[LifeEvent]) -> str | None:
    severity = int(state.alarm_severity[row])
    if severity == 0:
        return "there is no alarm to stand down"
    if not str(act.body.get("evidence", "")).strip():
        return "a stand-down names its evidence"
    stood_down(state, row, act)
    state.alarm_severity[row] = state.alarm_families[row] = 0
    state.alarm_below_us[row] = state.alarm_shelved_us[row] = NEVER_US
    state.alarm_acked[row], state.alarm_latched[row] = True, False
    detail = {"author": act.author, "evidence": str(act.body["evidence"])}
    events.append(LifeEvent(row, "stood_down", 0, detail, was=severity))
    return None


def _device_act(state: EngineState, act: Act) -> None:
    """Note until when a device is out of service: by its name, whatever an import makes of its sensors."""
    device = act.subject.removeprefix("device/")
    state.out_of_service.pop(device, None)
    if act.kind == "out_of_service":
        minutes = min(minutes_of(act) or 0.0, MOST_OUT_OF_SERVICE_MIN)
        state.out_of_service[device] = act.acted_us + round(minutes * MINUTE_US)


def is_storm(state: EngineState) -> bool:
    """Tell whether shelving is short: a rain warning is in force, or some alarm is orange or red."""
    return bool(state.warnings) or bool((state.alarm_severity >= ORANGE).any())


_SPACE_ACTS = {"acknowledge": _acknowledge, "shelve": _shelve, "unshelve": _unshelve, "stand_down": _stand_down}
_ENDS_SHELVING = {SEVERITY_UP: "rising severity", REASON_ADDED: "another reason"}
_DEVICE_ACTS = frozenset({"out_of_service", "in_service"})
