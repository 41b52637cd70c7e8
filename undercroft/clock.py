"""The only place that reads the time of day. Everything else takes a ``Clock`` or an instant."""

from __future__ import annotations

import threading
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


MOST_AHEAD = timedelta(minutes=1)
"""How far time goes on ahead of a clock that was set back; more is followed. Default (proposal)."""


class SteadyClock:
    """The time of day that goes back only by much: when the clock is set back by less, time goes on from where it was.

    One that was ahead of the machine's clock for good would keep the time of another shift, or another day. May be
    shared between threads.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._newest, self._at_s = clock.now(), clock.monotonic_s()
        self._set_back = timedelta(0)

    def now(self) -> datetime:
        """Tell the present instant, never earlier than before but where the clock was set back by much."""
        with self._lock:
            return self._now()

    def now_and_set_back(self) -> tuple[datetime, timedelta]:
        """Tell the present instant, and by how much time was set back since this was asked last; 0 is not at all."""
        with self._lock:
            now, by = self._now(), self._set_back
            self._set_back = timedelta(0)
            return now, by

    def _now(self) -> datetime:
        now_s, machine = self._clock.monotonic_s(), self._clock.now()
        steady = self._newest + timedelta(seconds=now_s - self._at_s)
        ahead = steady - machine
        if ahead > MOST_AHEAD:
            self._set_back += ahead
            steady = machine
        self._newest, self._at_s = max(machine, steady), now_s
        return self._newest

    def monotonic_s(self) -> float:
        """Count seconds on the clock behind it. [s]"""
        return self._clock.monotonic_s()

    def be_at_least(self, instant: datetime | None) -> None:
        """Go on from an instant that was told before, by this process or another one, if that is later.

        An instant too far ahead of the machine's clock counts as a set-back at the next question.
        """
        with self._lock:
            if instant is not None:
                self._newest = max(self._newest, instant)


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
