"""What one tick says: assessments that changed, alarms and their events, as plain values ready to be stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

RAISED, SEVERITY_UP, SEVERITY_DOWN, REASON_ADDED, CLEARED = (
    "raised", "severity_up", "severity_down", "reason_added", "cleared",
)  # fmt: skip
"""What evidence does to an alarm."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """Level, score and reasons of a space at a tick."""

    space_id: str
    level: int
    score: float
    blind: bool
    reasons: list[dict[str, Any]]
    contributions: dict[str, Any]
    evidence: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AlarmEvent:
    """One entry of the alarm log; ``event_no`` counts per subject from 1."""

    subject: str
    event_no: int
    occurrence: int
    kind: str
    severity: int
    reasons: list[dict[str, Any]]
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """The alarm of a subject as it stands after the tick.

    A cleared one has its last severity and no reasons here; in the store it keeps its last reasons.
    """

    subject: str
    occurrence: int
    subject_kind: str
    severity: int
    peak_severity: int
    active: bool
    raised_us: int
    cleared_us: int | None
    reasons: list[dict[str, Any]]
    acknowledged: bool = False
    latched: bool = False
    shelved_us: int | None = None
    suppressed_by: str | None = None


@dataclass(frozen=True, slots=True)
class TickOutput:
    """Everything that a tick writes; events are in the order of subject and number.

    ``nowcast_id`` is the tick whose memory the nowcast was made from that this tick used; None for none.
    ``library`` is the version of the library of past floods in force, 0 for none. ``nowcast_error``: why the nowcast
    failed that it would have used.
    """

    tick_seq: int
    tick_us: int
    up_to: int
    run_seq: int | None
    nowcast_id: int | None
    library: int
    assessments: list[Assessment]
    events: list[AlarmEvent]
    alarms: list[AlarmRow]
    nowcast_error: str | None = None
