"""How much the alarms ask of the operators, against EEMUA 191 and ISA-18.2 (domain notes 5.4)."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from duty.incidents.incidents import ENDED, NEWS
from duty.model import AlarmEventIn

WINDOW = timedelta(minutes=10)
MANAGEABLE_PER_WINDOW = 1.0
"""Alarms per 10 minutes and operator, EEMUA 191."""

FLOOD_BEGINS = 10
FLOOD_ENDS_BELOW = 5
"""A flood is 10 alarms in 10 minutes; it ends when fewer than 5 came in 10 minutes (EEMUA 191, ISA-18.2)."""

FLOOD_SHARE_TARGET = 0.01
"""Share of the time in flood, ISA-18.2: below 1 %."""

CHATTERING_TIMES = 3
CHATTERING_WITHIN = timedelta(minutes=1)
STALE_AFTER = timedelta(hours=24)
TOP = 10


@dataclass(frozen=True, slots=True)
class Load:
    """Figures of a stretch of time; times to acknowledge in seconds, None where nobody acknowledged anything."""

    alarms: int
    per_window_per_operator: float
    peak_window: int
    flood_now: bool
    flood_share: float
    chattering: tuple[str, ...]
    stale: tuple[str, ...]
    top: tuple[tuple[str, int], ...]
    by_severity: dict[int, int]
    ack_median_s: float | None
    ack_slowest_s: float | None
    never_acknowledged: int

    @property
    def manageable(self) -> bool:
        """Whether the mean rate is one that an operator can answer."""
        return self.per_window_per_operator <= MANAGEABLE_PER_WINDOW


def load_of(events: Sequence[AlarmEventIn], starts_at: datetime, ends_at: datetime, operators: int) -> Load:
    """Return the alarm load of ``[starts_at, ends_at)``.

    Parameters
    ----------
    events : sequence of AlarmEventIn
        In the order of the log; earlier ones too, so that stale alarms are seen.
    operators : int
        People on duty who share the load, at least 1.
    """
    asks = [event for event in events if event.kind in NEWS and starts_at <= event.at < ends_at]
    times = [event.at for event in asks]
    windows = max((ends_at - starts_at) / WINDOW, 1.0)
    floods = flood_times(times, ends_at)
    flooded = sum(((last or ends_at) - first for first, last in floods), timedelta(0))
    waits, never = _acknowledgements(events, starts_at, ends_at)
    return Load(
        alarms=len(asks),
        per_window_per_operator=len(asks) / windows / max(operators, 1),
        peak_window=_peak(times),
        flood_now=bool(floods) and floods[-1][1] is None,
        flood_share=flooded / (ends_at - starts_at),
        chattering=_chattering(asks),
        stale=_stale(events, ends_at),
        top=tuple(sorted(Counter(event.subject for event in asks).items(), key=lambda item: (-item[1], item[0]))[:TOP]),
        by_severity=dict(sorted(Counter(event.severity for event in asks).items())),
        ack_median_s=median(waits) if waits else None,
        ack_slowest_s=max(waits, default=None),
        never_acknowledged=never,
    )


def flood_times(times: Sequence[datetime], until: datetime) -> list[tuple[datetime, datetime | None]]:
    """Return when alarm floods began and ended; an end of None is a flood that still goes on at ``until``."""
    edges = sorted({moment for at in times for moment in (at, at + WINDOW) if moment <= until} | {until})
    ordered = sorted(times)
    floods: list[tuple[datetime, datetime | None]] = []
    for edge in edges:
        count = _within(ordered, edge)
        going = bool(floods) and floods[-1][1] is None
        if not going and count >= FLOOD_BEGINS:
            floods.append((edge, None))
        elif going and count < FLOOD_ENDS_BELOW:
            floods[-1] = (floods[-1][0], edge)
    return floods


def _peak(times: Sequence[datetime]) -> int:
    ordered = sorted(times)
    return max((_within(ordered, at) for at in ordered), default=0)


def _within(ordered: Sequence[datetime], at: datetime) -> int:
    """Return how many lie in the window that ends at an instant, which belongs to it."""
    return bisect_right(ordered, at) - bisect_right(ordered, at - WINDOW)


def _chattering(asks: Iterable[AlarmEventIn]) -> tuple[str, ...]:
    by_subject: dict[str, list[datetime]] = {}
    for event in asks:
        if event.kind == "raised":
            by_subject.setdefault(event.subject, []).append(event.at)
    return tuple(
        sorted(
            subject
            for subject, times in by_subject.items()
            if any(
                last - first <= CHATTERING_WITHIN
                for first, last in zip(times, times[CHATTERING_TIMES - 1 :], strict=False)
            )
        )
    )


def _stale(events: Iterable[AlarmEventIn], at: datetime) -> tuple[str, ...]:
    raised: dict[str, datetime] = {}
    for event in events:
        if event.at > at:
            break
        if event.kind == "raised":
            raised[event.subject] = event.at
        elif event.kind in ENDED:
            raised.pop(event.subject, None)
    return tuple(sorted(subject for subject, since in raised.items() if at - since >= STALE_AFTER))


def _acknowledgements(
    events: Iterable[AlarmEventIn], starts_at: datetime, ends_at: datetime
) -> tuple[list[float], int]:
    waiting: dict[tuple[str, int], datetime] = {}
    waits = []
    for event in events:
        key = (event.subject, event.occurrence)
        if event.kind in NEWS and starts_at <= event.at < ends_at:
            waiting.setdefault(key, event.at)
        elif event.kind == "acknowledged" and key in waiting:
            waits.append((event.at - waiting.pop(key)).total_seconds())
    return waits, len(waiting)
