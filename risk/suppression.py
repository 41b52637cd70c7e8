"""Which alarms follow from another one, so that telling of them adds nothing: suppression by design. Pure.

It silences the telling only; the alarm is watched, shown, logged and judged as before. Only the alarm of a device is
ever a child, never that of a space, of the system, or a red one. Its parents are

- an alarm of the chain (`CHAIN`) at least as severe, where all that ails the device is its silence;
- an open alarm of a space in the device's basin that is more severe, the worst: water comes before maintenance.

A parent stays while it explains the child; when none is left the child is told.
"""

from __future__ import annotations

from collections.abc import Mapping

from risk.asked import RED
from risk.conditions import ConditionAlarm, ConditionFold

CHAIN = ("broker-away", "canary-late", "ingest-lag")
"""Conditions of the system in which nothing is heard of any device; a worker's slot may follow the name."""

SILENCE = frozenset({"offline", "stale"})
"""Conditions of a device that a broken chain looks like."""

SUPPRESSED, UNSUPPRESSED = "suppressed", "unsuppressed"

Open = Mapping[str, Mapping[str, int]]
"""Basin -> subject -> severity of the open alarms of its spaces."""


def parent_of(
    subject: str, alarm: ConditionAlarm, conditions: Mapping[str, ConditionAlarm], water: Open, basin: str
) -> str | None:
    """Return the alarm that an open alarm of a device follows from, None where it stands for itself."""
    if alarm.severity == 0 or alarm.severity >= RED or not subject.startswith("device/"):
        return None
    worse = {space: level for space, level in water.get(basin, {}).items() if level > alarm.severity}
    parents = sorted(worse, key=lambda space: (-worse[space], space))
    if set(alarm.told) <= SILENCE:
        parents += [name for name, other in sorted(conditions.items()) if _breaks_chain(name, other, alarm.severity)]
    return alarm.suppressed_by if alarm.suppressed_by in parents else next(iter(parents), None)


def _breaks_chain(subject: str, alarm: ConditionAlarm, severity: int) -> bool:
    return alarm.severity >= severity and subject.startswith(tuple(f"system/{name}" for name in CHAIN))


def suppress(fold: ConditionFold, water: Open, basin_of: Mapping[str, str]) -> None:
    """Say of every alarm of a device that it follows from another one, or no longer does."""
    for subject, alarm in sorted(fold.conditions.items()):
        if not subject.startswith("device/") or (alarm.severity == 0 and alarm.suppressed_by is None):
            continue
        basin = basin_of.get(subject.removeprefix("device/"), "")
        parent = parent_of(subject, alarm, fold.conditions, water, basin)
        if parent == alarm.suppressed_by:
            continue
        if parent is None:
            fold.say(subject, UNSUPPRESSED, {"by": alarm.suppressed_by}, suppressed_by=None)
        else:
            fold.say(subject, SUPPRESSED, {"by": parent}, suppressed_by=parent)
