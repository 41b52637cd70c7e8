"""The first row of every dashboard: why it may be empty, and how old its data are."""

from __future__ import annotations

from dashboards.house import LEVELS
from dashboards.panels import Panel, stat

_UNREACHABLE = "数据库无应答 · The database does not answer"
_NO_DATA = "所示时段内没有，或已不保留 · Nothing in this range, or no longer kept"


def strip() -> tuple[Panel, ...]:
    """Return the panels that every dashboard begins with."""
    return (
        stat("why", "数据状态 · State of the data", _UNREACHABLE, width=12, height=3, bare=LEVELS[4].colour),
        stat("ages", "数据龄 · Age of the data", _NO_DATA, width=12, height=3, nothing=None),
    )
