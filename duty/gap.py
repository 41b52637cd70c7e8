"""A gap in the roster as a condition of the system: it is told before it begins. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from duty.roster import Gap
from undercroft.store.conditions import Condition

CONDITION = "roster-gap"


def gap_condition(gaps: Sequence[Gap], now: datetime, ahead: timedelta, zone: ZoneInfo) -> Condition:
    """Return what is told of the first gap within the time ahead; its value is how long until it begins. [min]"""
    begins_min = max(0.0, (gaps[0].starts_at - now).total_seconds() / 60) if gaps else 0.0
    detail = (
        " – ".join(f"{at.astimezone(zone):%F %H:%M}" for at in (gaps[0].starts_at, gaps[0].ends_at)) if gaps else ""
    )
    return Condition(CONDITION, bool(gaps), round(begins_min), round(ahead.total_seconds() / 60), "min", detail)
