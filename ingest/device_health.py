"""What ails devices, told as conditions: silent for too long, a clock that is lost or stands still, a repeated serial.

Judged by the newest reading of each sensor, once a minute and in live operation only: in a run its driver owns time. A
device that was never heard is not installed yet, and says nothing. What was told of a device that the site has no
longer is ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from ingest.quality_recent import NEVER_US
from undercroft.quality import QualityTest
from undercroft.store.conditions import SYSTEM, Condition, device_health, device_subject
from undercroft.store.connection import Connection
from undercroft.store.observations import microseconds

STALE, CLOCK_LOST, REPEATED_SERIAL = "stale", "clock-lost", "repeated-serial"
CLOCK_FROZEN = "clock-frozen"
NAMES = frozenset({STALE, CLOCK_LOST, CLOCK_FROZEN, REPEATED_SERIAL})
CLOCK_AHEAD_S = 60.0
"""What was heard further ahead of now was noted while our own clock was ahead. [s]"""
STALE_INTERVALS = 3.0
"""A device is stale when three of its dry intervals passed without a word (domain notes 6.2), as on the page."""


def device_conditions(
    connection: Connection, now: datetime, active: Iterable[tuple[str, str]], heard_us: Mapping[str, int]
) -> Iterator[Condition]:
    """Yield every condition of every device that was heard, and the end of those of devices that are gone.

    Parameters
    ----------
    active : iterable of (subject, name)
        What is told now.
    heard_us : mapping
        When a device was last heard, whether it said anything new or not. [µs since 1970]
    """
    rows = device_health(connection, now)
    for row in rows:
        subject, news_s = device_subject(row["device_id"]), max(0.0, (now - row["heard_at"]).total_seconds())
        heard_s = (microseconds(now) - heard_us.get(row["device_id"], NEVER_US)) / 1e6
        heard_s = news_s if heard_s < -CLOCK_AHEAD_S else heard_s  # noted while our clock was ahead
        silent_s = max(0.0, min(news_s, heard_s))
        limit_s, tests = STALE_INTERVALS * row["interval_s"], row["quality_tests"]
        is_stale = silent_s > limit_s
        yield Condition(STALE, is_stale, silent_s, limit_s, "s", "since the device was heard", subject)
        is_frozen, old = news_s > limit_s and not is_stale, "since it said anything new, though it speaks"
        yield Condition(CLOCK_FROZEN, is_frozen, news_s, limit_s, "s", old, subject)
        lost, repeats = bool(tests & QualityTest.CLOCK_LOST), bool(tests & QualityTest.REPEATED_SERIAL)
        yield Condition(CLOCK_LOST, lost, float(lost), 1.0, "", "the newest reading has no possible time", subject)
        yield Condition(
            REPEATED_SERIAL, repeats, float(repeats), 1.0, "", "the newest reading repeats a number", subject
        )
    known = {device_subject(row["device_id"]) for row in rows}
    for subject, name in sorted(active):
        if subject not in known | {SYSTEM} and name in NAMES:
            yield Condition(name, False, 0.0, 0.0, "", "the device is no longer in the site", subject)
