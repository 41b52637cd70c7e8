"""Which incidents have to be reported, and the clocks of their reports, beside the notifier's own incidents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from duty.incidents.codec import from_json
from duty.incidents.incidents import Incident
from duty.late.report_lateness import Asked, Clock, LateReports, clocks_of, remind_reports
from duty.model import AlarmEventIn, Policy
from duty.notify.set_back import clock_set_back
from duty.reports.reports import Due, Limits, ReportKind, Submitted
from undercroft.store import duty_late as store
from undercroft.store.connection import Connection

LOOK_EVERY = timedelta(seconds=2)
FOLLOWED_FOR = timedelta(days=7)
"""How long after the final report was due the telling goes on: then it is missing for good, and counted so."""


@dataclass(slots=True)
class ReportWatch:
    """Keeps the clocks of reports; its times are the notifier's, in a run those of the ticks."""

    limits: Limits = field(default_factory=Limits)
    asked: dict[str, Asked] = field(default_factory=dict)
    clocks: dict[str, tuple[Clock, ...]] = field(default_factory=dict)
    looked_at: datetime | None = None
    changed: set[str] = field(default_factory=set)

    def restore(self, connection: Connection) -> None:
        """Take up the incidents that are not wholly reported."""
        self.asked = {
            row["incident_id"]: Asked(
                row["incident_id"], row["basin_id"], row["serious_at"], from_json(row["state"]).clear_since
            )
            for row in store.serious_incidents(connection, self.limits.from_severity)
        }
        self.looked_at = None

    def set_back(self, by: timedelta) -> None:
        """Take the times of a clock that was ahead back with it; the store takes back what it keeps of them."""
        self.clocks = {
            name: tuple(clock_set_back(clock, by) for clock in clocks) for name, clocks in self.clocks.items()
        }

    def note(self, incident: Incident, event: AlarmEventIn) -> None:
        """Take an event of the alarm log: the first of a space that is grave enough starts the clocks."""
        if event.severity < self.limits.from_severity or not event.subject.startswith("space/"):
            return
        if incident.incident_id not in self.asked:
            self.asked[incident.incident_id] = Asked(incident.incident_id, incident.basin, event.at)
            self.looked_at = None

    def look(self, connection: Connection, at: datetime) -> bool:
        """Read what was drafted and handed in, unless it was read just now; tell whether it was."""
        if not self.asked or (self.looked_at is not None and timedelta(0) <= at - self.looked_at < LOOK_EVERY):
            return False
        self.looked_at = at
        ids = list(self.asked)
        handed_in: dict[str, list[Submitted]] = {}
        authors: dict[str, str] = {}
        for row in store.reports(connection, ids):
            if row["submitted_at"] is None:
                authors[row["incident_id"]] = row["author"]
            else:
                handed_in.setdefault(row["incident_id"], []).append(
                    Submitted(ReportKind(row["kind"]), row["serial"], row["submitted_at"])
                )
        known: dict[str, list[Clock]] = {}
        for row in store.report_clocks(connection, [name for name in ids if name not in self.clocks]):
            known.setdefault(row["incident_id"], []).append(_clock_of(row))
        for name, asked in self.asked.items():
            serious_at = min(asked.serious_at, at)  # not in the future, where the engine's clock was ahead
            self.asked[name] = replace(
                asked, serious_at=serious_at, submitted=tuple(handed_in.get(name, ())), author=authors.get(name, "")
            )
            self.clocks.setdefault(name, tuple(known.get(name, ())))  # what was told since stands here alone
        return True

    def late(self, incidents: Iterable[Incident], at: datetime, steps: int, policy: Policy) -> list[LateReports]:
        """Return the reports that the roster is to be told of at a time, incident by incident."""
        for incident in incidents:
            asked = self.asked.get(incident.incident_id)
            if asked is not None:
                self.asked[incident.incident_id] = replace(asked, ended_at=incident.clear_since)
        found = []
        for name in sorted(self.asked):
            asked, before = self.asked[name], self.clocks.get(name, ())
            clocks = clocks_of(asked, {clock.name: clock for clock in before}, at, self.limits)
            told = remind_reports(asked, clocks, at, steps, policy)
            if told is not None:
                anew = {clock.name: clock for clock in told.clocks}
                clocks = tuple(anew.get(clock.name, clock) for clock in clocks)
                found.append(told)
            if clocks != before:
                self.clocks[name] = clocks
                self.changed.add(name)
            if asked.is_done or self._is_past(asked, at):
                del self.asked[name]
        return found

    def _is_past(self, asked: Asked, at: datetime) -> bool:
        return asked.ended_at is not None and at > asked.ended_at + self.limits.final_after_end + FOLLOWED_FOR

    def rows(self) -> Mapping[str, list[dict[str, Any]]]:
        """Return what has to be stored of the incidents whose clocks changed, and forget that they did."""
        changed, self.changed = self.changed, set()
        return {name: [_row(name, clock) for clock in self.clocks[name]] for name in sorted(changed)}


def _clock_of(row: Mapping[str, Any]) -> Clock:
    due = Due(ReportKind(row["kind"]), row["serial"], row["due_at"])
    return Clock(due, row["reminders"], row["reminded_step"], row["reminded_at"])


def _row(incident_id: str, clock: Clock) -> dict[str, Any]:
    return {
        "incident_id": incident_id, "kind": clock.due.kind.value, "serial": clock.due.serial,
        "due_at": clock.due.due_at, "reminders": clock.times, "reminded_step": clock.step, "reminded_at": clock.at,
    }  # fmt: skip
