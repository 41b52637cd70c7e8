"""Times as whoever is on duty reads the clock on the wall."""

from __future__ import annotations

from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from undercroft.errors import BadInput


def zone_of(name: str) -> ZoneInfo:
    """Return a time zone, or say in one line that there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise BadInput(f"there is no time zone {name!r}") from error


def with_zone(at: datetime, zone: tzinfo) -> str:
    """Return date and time there with the offset, for whoever cannot ask which clock is meant.

    Examples
    --------
    >>> from datetime import UTC
    >>> with_zone(datetime(2026, 7, 1, 16, 12, tzinfo=UTC), ZoneInfo("Asia/Shanghai"))
    '2026-07-02 00:12:00+08:00'
    """
    return at.astimezone(zone).isoformat(" ", "seconds")


def local(at: datetime, zone: ZoneInfo) -> str:
    """Return date and time there, to the minute."""
    return f"{at.astimezone(zone):%F %H:%M}"
