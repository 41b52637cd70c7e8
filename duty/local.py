"""Times as whoever is on duty reads the clock on the wall."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from undercroft.errors import BadInput


def zone_of(name: str) -> ZoneInfo:
    """Return a time zone, or say in one line that there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise BadInput(f"there is no time zone {name!r}") from error


def local(at: datetime, zone: ZoneInfo) -> str:
    """Return date and time there, to the minute."""
    return f"{at.astimezone(zone):%F %H:%M}"
