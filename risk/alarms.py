"""Alarm states of every space: on-delay, off-delay, deadband, and a clear that fails safe.

One alarm per subject. It is raised, steps up, steps down and clears; a family of rules that joins it is told again.
On-delays are in the ``candidate`` view of `risk.rules`, which counts samples; here is what happens to an alarm:

- raised: the candidate severity reaches yellow. Blue is a notice on the page (`LEAST_ALARM_SEVERITY`).
- severity_up: the candidate severity exceeds the alarm's.
- reason_added: a family that had no part in this alarm reaches yellow.
- severity_down, cleared: with the deadband, newest evidence has stood below the alarm's severity for 10 minutes, and
  the last three good samples of every sensor that took part stand below it. Evidence that is missing, failed,
  suspect or silent starts the 10 minutes again, and a good sample must come after them, so unknown never clears.

What people do to alarms is in `risk.lifecycle`: fields beside severity that do not touch what is decided here, but for
the stand-down, which holds an alarm down until new evidence. Severity 0 is "no alarm".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk.arrays import NEVER_US, BoolArray, IntArray, SiteArrays
from risk.output import CLEARED, RAISED, REASON_ADDED, SEVERITY_DOWN, SEVERITY_UP
from risk.state import FAMILIES, EngineState
from risk.thresholds import LEAST_ALARM_SEVERITY, OFF_DELAY_S

FAMILY_BITS = 1 << np.arange(len(FAMILIES), dtype=np.int32)


@dataclass(frozen=True, slots=True)
class AlarmView:
    """What the state machine looks at, per family and space; see `risk.rules.Views`."""

    candidate: NDArray[np.int8]
    below: NDArray[np.int8]
    lasting: NDArray[np.int8]
    steady: BoolArray
    heard_us: IntArray


@dataclass(frozen=True, slots=True)
class Change:
    """Something happened to the alarm of a space.

    ``families`` are those that the event is about; ``was`` is the severity that a cleared alarm had.
    """

    space: int
    kind: str
    severity: int
    families: int
    was: int = 0
    first_out: bool = False
    """The first alarm of its basin, where none was open; see `risk.firstout`."""


def family_bits(severities: NDArray[np.int8], least: int) -> NDArray[np.int32]:
    """Return the families of each space whose severity is at least this, as bits."""
    bits = np.zeros(severities.shape[1], np.int32)
    rows = np.flatnonzero(severities.max(axis=0) >= least)
    bits[rows] = ((severities[:, rows] >= least) * FAMILY_BITS[:, None]).sum(axis=0, dtype=np.int32)
    return bits


def step(state: EngineState, arrays: SiteArrays, view: AlarmView, tick_us: int) -> list[Change]:
    """Move every alarm on by one tick and return what changed, by space, at most two changes each."""
    target = view.candidate.max(axis=0)
    bits = family_bits(view.candidate, LEAST_ALARM_SEVERITY)
    severity = state.alarm_severity
    active = severity > 0
    raised = ~active & (target >= LEAST_ALARM_SEVERITY)
    up = active & (target > severity)
    added = active & ((bits & ~state.alarm_families) != 0) & ~up
    left = np.maximum(view.lasting.max(axis=0), target)
    going = _releases(state, view, left, active, tick_us)
    changes = [
        *_raise(state, np.flatnonzero(raised), target, bits, tick_us),
        *_step_up(state, np.flatnonzero(up), target, bits),
        *_add_reasons(state, np.flatnonzero(added), bits),
        *_release(state, np.flatnonzero(going), left, view, tick_us),
    ]
    part = np.flatnonzero(state.implicated)
    state.implicated[part[state.alarm_severity[arrays.l_space[part]] == 0]] = False
    return sorted(changes, key=lambda change: change.space)


def _releases(
    state: EngineState, view: AlarmView, left: NDArray[np.int8], active: BoolArray, tick_us: int
) -> BoolArray:
    """Keep the off-delay timers; tell which alarms have stood below their severity, what is ``left``, long enough."""
    quiet = active & view.steady & (view.below.max(axis=0) < state.alarm_severity)
    started = np.where(state.alarm_below_us == NEVER_US, tick_us, state.alarm_below_us)
    state.alarm_below_us[:] = np.where(quiet, started, NEVER_US)
    delay_us = int(OFF_DELAY_S.value * 1e6)
    waited = quiet & (tick_us - started >= delay_us) & (view.heard_us - started >= delay_us)
    return np.asarray(waited & (left < state.alarm_severity))


def _raise(
    state: EngineState, rows: IntArray, target: NDArray[np.int8], bits: NDArray[np.int32], tick_us: int
) -> list[Change]:
    state.alarm_severity[rows] = state.alarm_peak[rows] = target[rows]
    state.alarm_families[rows] = bits[rows]
    state.alarm_occurrence[rows] += 1
    state.alarm_raised_us[rows] = tick_us
    return [Change(int(row), RAISED, int(target[row]), int(bits[row])) for row in rows]


def _step_up(state: EngineState, rows: IntArray, target: NDArray[np.int8], bits: NDArray[np.int32]) -> list[Change]:
    state.alarm_severity[rows] = target[rows]
    state.alarm_peak[rows] = np.maximum(state.alarm_peak[rows], target[rows])
    state.alarm_families[rows] |= bits[rows]
    return [Change(int(row), SEVERITY_UP, int(target[row]), int(bits[row])) for row in rows]


def _add_reasons(state: EngineState, rows: IntArray, bits: NDArray[np.int32]) -> list[Change]:
    fresh = bits[rows] & ~state.alarm_families[rows]
    state.alarm_families[rows] |= fresh
    return [
        Change(int(row), REASON_ADDED, int(state.alarm_severity[row]), int(new))
        for row, new in zip(rows, fresh, strict=True)
    ]


def _release(
    state: EngineState, rows: IntArray, lasting: NDArray[np.int8], view: AlarmView, tick_us: int
) -> list[Change]:
    changes = []
    for row in rows.tolist():
        left = int(lasting[row])
        if left >= LEAST_ALARM_SEVERITY:
            state.alarm_severity[row] = left
            state.alarm_below_us[row] = tick_us if int(view.below[:, row].max()) < left else NEVER_US
            families = int(family_bits(view.lasting[:, row : row + 1], LEAST_ALARM_SEVERITY)[0])
            changes.append(Change(row, SEVERITY_DOWN, left, families))
        else:
            changes.append(Change(row, CLEARED, 0, 0, int(state.alarm_severity[row])))
            state.alarm_severity[row] = 0
            state.alarm_families[row] = 0
            state.alarm_below_us[row] = NEVER_US
    return changes
