"""A report whose time is over tells the roster, and again until it is handed in. Time is an argument.

As with orders (`duty.late.lateness`), but a report is paper: it is told as an orange order is while the incident goes
on, and as a yellow one once it has ended, whatever the water. Reports late together make one message.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from duty.late.lateness import next_telling
from duty.model import Policy
from duty.reports.reports import Due, Limits, ReportKind, Submitted, dues
from undercroft.model import Severity

TALLY_OVER = timedelta(hours=24)
"""Over which time reports that were handed in are counted."""


@dataclass(frozen=True, slots=True)
class Clock:
    """When a report is due, and how far the telling that it is late has come: ``step`` -1 is nobody."""

    due: Due
    times: int = 0
    step: int = -1
    at: datetime | None = None

    @property
    def name(self) -> tuple[ReportKind, int]:
        """What tells a report of an incident from the others."""
        return self.due.kind, self.due.serial


@dataclass(frozen=True, slots=True)
class Asked:
    """An incident that has to be reported: since when, until when, and what was drafted and handed in.

    Attributes
    ----------
    author : str
        Who drafted the newest report that was not handed in yet; empty when nobody did.
    """

    incident_id: str
    basin: str
    serious_at: datetime
    ended_at: datetime | None = None
    submitted: tuple[Submitted, ...] = ()
    author: str = ""

    @property
    def severity(self) -> Severity:
        """How urgent its reports are told."""
        return Severity.ORANGE if self.ended_at is None else Severity.YELLOW

    @property
    def is_done(self) -> bool:
        """Whether the final report was handed in."""
        return any(entry.kind is ReportKind.FINAL for entry in self.submitted)


@dataclass(frozen=True, slots=True)
class LateReports:
    """Reports of one incident of which the roster is told now, up to a step."""

    asked: Asked
    clocks: tuple[Clock, ...]

    @property
    def step(self) -> int:
        """The highest step that is told."""
        return max(clock.step for clock in self.clocks)

    @property
    def cause(self) -> str:
        """What the keys of these messages are made of."""
        return self.asked.incident_id + "".join(
            f"/{clock.due.kind}-{clock.due.serial}@{clock.due.due_at:%Y%m%dT%H%M%S}#{clock.times}"
            for clock in self.clocks
        )


def clocks_of(
    asked: Asked, known: Mapping[tuple[ReportKind, int], Clock], now: datetime, limits: Limits
) -> tuple[Clock, ...]:
    """Return the clock of every report that the incident needs up to now and the next one, with what was told of it.

    One that is due at another time than it was is told anew.
    """
    found = []
    for due in dues(asked.serious_at, asked.ended_at, asked.submitted, now, limits):
        clock = known.get((due.kind, due.serial))
        found.append(clock if clock is not None and clock.due.due_at == due.due_at else Clock(due))
    return tuple(found)


def missing(asked: Asked, clocks: Iterable[Clock], now: datetime) -> list[Clock]:
    """Return the clocks that are over; a report that was handed in lets those before it rest, the final one all."""
    newest = max((entry.serial for entry in asked.submitted), default=-1)
    if asked.is_done:
        return []
    return [clock for clock in clocks if clock.due.serial > newest and now > clock.due.due_at]


def remind_reports(
    asked: Asked, clocks: Sequence[Clock], now: datetime, steps: int, policy: Policy
) -> LateReports | None:
    """Return the reports that are to be told of now, each told once more; None: nothing now.

    Parameters
    ----------
    steps : int
        Steps that the roster has now; with none, step 0 is the fallback of the duty file.
    """
    told = []
    for clock in missing(asked, clocks, now):
        step = next_telling(asked.severity, clock.due.due_at, clock.at, clock.step, now, steps, policy)
        if step is not None:
            told.append(replace(clock, times=clock.times + 1, step=step, at=now))
    return LateReports(asked, tuple(told)) if told else None
