"""What people may ask of an alarm, whatever its subject: when it may be acknowledged, and for how long shelved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from risk.arrays import iso
from risk.warnings import Act

RED = 4
MINUTE_US = 60_000_000
MOST_SHELVED_MIN = 480.0
MOST_SHELVED_IN_STORM_MIN = 30.0
"""Domain notes 5.4: shelving needs a reason, a name and an end, at most 30 minutes ahead in a storm."""


@dataclass(frozen=True, slots=True)
class Shelving:
    """A shelving that may be: until when [microseconds since 1970], and what its event says."""

    until_us: int
    detail: dict[str, Any]


def acknowledge_refused(severity: int, *, acknowledged: bool, latched: bool) -> str | None:
    """Return why an alarm cannot be acknowledged, None where it can; severity 0 is "no alarm"."""
    if severity == 0 and not latched:
        return "there is no alarm to acknowledge"
    if severity and acknowledged:
        return "it is acknowledged already"
    return None


def shelving_of(act: Act, severity: int, tick_us: int, *, storm: bool) -> Shelving | str:
    """Return the shelving that an act asks for, or why it cannot be."""
    if severity == 0:
        return "there is no alarm to shelve"
    if severity >= RED:
        return "a red alarm cannot be shelved"
    if not str(act.body.get("reason", "")).strip():
        return "shelving needs a reason"
    minutes = minutes_of(act)
    most = MOST_SHELVED_IN_STORM_MIN if storm else MOST_SHELVED_MIN
    if minutes is None or not 0 < minutes <= most:
        return f"shelving lasts more than 0 and at most {most:g} minutes now"
    until_us = act.acted_us + round(minutes * MINUTE_US)
    if until_us <= tick_us:
        return "it would have expired already"
    return Shelving(until_us, {"author": act.author, "reason": str(act.body["reason"]), "until": iso(until_us)})


def storm_end_us(shelved_us: int, tick_us: int) -> int:
    """Return until when a shelving lasts once a storm is on: no longer than one that is asked for now could.

    Asked at every tick of the storm, it is the first that shortens it. [microseconds since 1970]
    """
    return min(shelved_us, tick_us + round(MOST_SHELVED_IN_STORM_MIN * MINUTE_US))


def minutes_of(act: Act) -> float | None:
    """Return the ``minutes`` of an act; None where they are no number."""
    value = act.body.get("minutes")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 2**53 else None  # nor NaN
