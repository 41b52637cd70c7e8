"""What the notifier asks of the store about orders and reports whose time is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from undercroft.store.connection import Connection
from undercroft.store.duty import Row, rows, run

_CLOCK = ("incident_id", "kind", "serial", "due_at", "reminders", "reminded_step", "reminded_at")


def serious_incidents(connection: Connection, least: int) -> list[Row]:
    """Return the incidents that reached a severity and whose final report was not handed in, with when they did."""
    return rows(connection, "duty_serious_incidents", least=least)


def reports(connection: Connection, incident_ids: Sequence[str]) -> list[Row]:
    """Return what was drafted and handed in of incidents, oldest first."""
    return rows(connection, "duty_reports", incident_ids=list(incident_ids))


def report_clocks(connection: Connection, incident_ids: Sequence[str]) -> list[Row]:
    """Return the clocks of the reports of incidents."""
    return rows(connection, "duty_report_clocks", incident_ids=list(incident_ids))


def save_report_clocks(connection: Connection, clocks: Mapping[str, Sequence[Mapping[str, object]]]) -> None:
    """Write the clocks of the reports of incidents as they stand, inside a transaction; others of theirs go."""
    if not clocks:
        return
    flat = [row for found in clocks.values() for row in found]
    run(connection, "duty_forget_report_clocks", incident_ids=list(clocks))
    run(connection, "duty_save_report_clocks", **{name: [row[name] for row in flat] for name in _CLOCK})


def set_back(connection: Connection, now: datetime, by: timedelta) -> None:
    """Take back, inside a transaction, what a clock that was ahead by so much had written."""
    run(connection, "duty_set_back", now=now, by=by)


def report_tally(connection: Connection, now: datetime, since: datetime) -> Row:
    """Return how reporting goes: how many are missing and to come now, were on time and late since a time."""
    return rows(connection, "reports_tally", now=now, since=since)[0]


def reports_due(connection: Connection, now: datetime) -> list[Row]:
    """Return the reports that are missing, the longest first, and those to come."""
    return rows(connection, "reports_due", now=now)
