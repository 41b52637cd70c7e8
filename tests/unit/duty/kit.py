"""Short ways to write incidents down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from duty.incidents.incidents import Incident, fold, opened
from duty.model import AlarmEventIn, Policy
from duty.telling.decide import Cause, due

START = datetime(2026, 7, 1, 15, 50, tzinfo=UTC)
"""Ten minutes to midnight in Shenzhen."""


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def event(minutes: float, kind: str, severity: int, subject: str = "space/gar", occurrence: int = 1) -> AlarmEventIn:
    return AlarmEventIn(subject, occurrence, 1, kind, severity, at(minutes), "水深 30 cm", "depth 30 cm")


def play(
    events: list[AlarmEventIn], until: float, *, steps: int = 3, every_s: float = 30.0, policy: Policy | None = None
) -> tuple[Incident, list[Cause]]:
    """Fold events and decide at every step of the clock, from the first event on."""
    policy = policy or Policy()
    left = sorted(events, key=lambda entry: entry.at)
    incident = opened("north", left[0])
    now, causes = left[0].at, []
    while now <= at(until):
        while left and left[0].at <= now:
            incident = fold(incident, left.pop(0))
        incident, fresh = due(incident, now, steps, policy)
        causes += fresh
        now += timedelta(seconds=every_s)
    return incident, causes


def told(causes: list[Cause]) -> list[tuple[float, str]]:
    """Causes as (minute, reasons of the steps)."""
    return [((cause.at - START).total_seconds() / 60, "/".join(cause.reasons)) for cause in causes]
