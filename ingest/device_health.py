"""What ails devices, told as conditions: silent for too long, a lost clock, a serial number that repeats.

Judged by the newest reading of each sensor, once a minute and in live operation only: in a run its driver owns time. A
device that was never heard is not installed yet, and says nothing. What was told of a device that the site has no
longer is ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from undercroft.quality import QualityTest
from undercroft.store.conditions import SYSTEM, Condition, device_health, device_subject
from undercroft.store.connection import Connection

STALE, CLOCK_LOST, REPEATED_SERIAL = "stale", "clock-lost", "repeated-serial"
STALE_INTERVALS = 3.0
"""A device is stale when three of its dry intervals passed without a word (domain notes 6.2), as on the page."""


def device_conditions(connection: Connection, now: datetime, active: Iterable[tuple[str, str]]) -> Iterator[Condition]:
    """Yield every condition of every device that was heard, and the end of those of devices that are gone.

    Parameters
    ----------
    active : iterable of (subject, name)
        What is told now.
    """
    rows = device_health(connection, now)
    for row in rows:
        subject, silent_s = device_subject(row["device_id"]), max(0.0, (now - row["heard_at"]).total_seconds())
        limit_s, tests = STALE_INTERVALS * row["interval_s"], row["quality_tests"]
        yield Condition(STALE, silent_s > limit_s, silent_s, limit_s, "s", "since the device was heard", subject)
        lost, repeats = bool(tests & QualityTest.CLOCK_LOST), bool(tests & QualityTest.REPEATED_SERIAL)
        yield Condition(CLOCK_LOST, lost, float(lost), 1.0, "", "the newest reading has no possible time", subject)
        yield Condition(
            REPEATED_SERIAL, repeats, float(repeats), 1.0, "", "the newest reading repeats a number", subject
        )
    known = {device_subject(row["device_id"]) for row in rows}
    for subject, name in sorted(active):
        if subject not in known | {SYSTEM} and name in {STALE, CLOCK_LOST, REPEATED_SERIAL}:
            yield Condition(name, False, 0.0, 0.0, "", "the device is no longer in the site", subject)
