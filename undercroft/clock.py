"""The only place that reads the time of day. Everything else takes a ``Clock`` or an instant."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What tells the time."""

    def now(self) -> datetime:
        """Tell the present instant, UTC and aware."""
        ...

    def monotonic_s(self) -> float:
        """Count seconds on a clock that never goes back. [s]"""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Tell the present instant, UTC and aware."""
        return datetime.now(UTC)  # noqa: TID251 - this is the one place

    def monotonic_s(self) -> float:
        """Count seconds since an arbitrary start. [s]"""
        return time.monotonic()


class FakeClock:
    """A clock that a test sets and advances."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("a clock starts at an aware instant")
        self._now = start.astimezone(UTC)
        self._monotonic_s = 0.0

    def now(self) -> datetime:
        """Tell the instant last set."""
        return self._now

    def monotonic_s(self) -> float:
        """Count seconds advanced so far. [s]"""
        return self._monotonic_s

    def advance(self, by: timedelta) -> None:
        """Move forward."""
        self._now += by
        self._monotonic_s += by.total_seconds()
