"""A gap in the roster as a condition of the system, one for each step: it is told before it begins. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from duty.roster.roster import Gap
from undercroft.store.conditions import Condition

CONDITION = "roster-gap"
"""Of step 0; that of a later one names the step."""
OF_STEP = f"{CONDITION}-step-"
ROUNDED = timedelta(minutes=1)
"""What was told of when a gap begins is in whole minutes."""
TO = " – "


def name_of(step: int) -> str:
    """Return the name of the condition of a step."""
    return f"{OF_STEP}{step}" if step else CONDITION


def gap_conditions(
    gaps: Sequence[Gap], now: datetime, ahead: timedelta, zone: ZoneInfo, told: Iterable[Mapping[str, Any]]
) -> list[tuple[Condition, bool]]:
    """Return what is told of the first gap of each step, and whether in other words than what stands.

    Parameters
    ----------
    gaps : sequence of Gap
        Those within the time ahead, by when they begin.
    told : iterable of mapping
        Rows of ``list_conditions``.
    """
    first: dict[str, list[Gap]] = {}
    for gap in gaps:
        first.setdefault(name_of(gap.step), []).append(gap)
    stands = {row["name"]: row for row in told if row["name"] == CONDITION or row["name"].startswith(OF_STEP)}
    found = []
    for name in sorted({CONDITION, *first, *stands}):
        condition = gap_condition(first.get(name, []), now, ahead, zone, stands.get(name), name)
        found.append((condition, has_other_words(condition, stands.get(name))))
    return found


def gap_condition(
    gaps: Sequence[Gap], now: datetime, ahead: timedelta, zone: ZoneInfo, told: Mapping[str, Any] | None = None,
    name: str = CONDITION,
) -> Condition:  # fmt: skip
    """Return what is told of the first gap within the time ahead; its value is how long until it begins. [min]

    Parameters
    ----------
    gaps : sequence of Gap
        Of one step.
    told : mapping or None
        What was told last, a row of ``list_conditions``. A gap that begins earlier is worse: it is told again.
    """
    begins_min = max(0.0, (gaps[0].starts_at - now).total_seconds() / 60) if gaps else 0.0
    detail = TO.join(f"{at.astimezone(zone):%F %H:%M}" for at in (gaps[0].starts_at, gaps[0].ends_at)) if gaps else ""
    worse = False
    if gaps and told is not None and told["is_active"]:
        worse = gaps[0].starts_at < told["changed_at"] + timedelta(minutes=told["value"]) - ROUNDED
    value, most = round(begins_min), round(ahead.total_seconds() / 60)
    return Condition(name, bool(gaps), value, most, "min", detail, is_worse=worse)


def has_other_words(condition: Condition, told: Mapping[str, Any] | None) -> bool:
    """Tell whether a gap ahead begins at another time than what stands; that time passes changes no words."""
    if told is None or not told["is_active"] or condition.value == 0:
        return False
    return bool(told["detail"].partition(TO)[0] != condition.detail.partition(TO)[0])
