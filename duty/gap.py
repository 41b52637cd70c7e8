"""A gap in the roster as a condition of the system: it is told before it begins. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from duty.roster import Gap
from undercroft.store.conditions import Condition

CONDITION = "roster-gap"
ROUNDED = timedelta(minutes=1)
"""What was told of when a gap begins is in whole minutes."""
TO = " – "


def gap_condition(
    gaps: Sequence[Gap], now: datetime, ahead: timedelta, zone: ZoneInfo, told: Mapping[str, Any] | None = None
) -> Condition:
    """Return what is told of the first gap within the time ahead; its value is how long until it begins. [min]

    Parameters
    ----------
    told : mapping or None
        What was told last, a row of ``list_conditions``. A gap that begins earlier is worse: it is told again.
    """
    begins_min = max(0.0, (gaps[0].starts_at - now).total_seconds() / 60) if gaps else 0.0
    detail = TO.join(f"{at.astimezone(zone):%F %H:%M}" for at in (gaps[0].starts_at, gaps[0].ends_at)) if gaps else ""
    worse = False
    if gaps and told is not None and told["is_active"]:
        worse = gaps[0].starts_at < told["changed_at"] + timedelta(minutes=told["value"]) - ROUNDED
    value, most = round(begins_min), round(ahead.total_seconds() / 60)
    return Condition(CONDITION, bool(gaps), value, most, "min", detail, is_worse=worse)


def has_other_words(condition: Condition, told: Mapping[str, Any] | None) -> bool:
    """Tell whether a gap ahead begins at another time than what stands; that time passes changes no words."""
    if told is None or not told["is_active"] or condition.value == 0:
        return False
    return bool(told["detail"].partition(TO)[0] != condition.detail.partition(TO)[0])
