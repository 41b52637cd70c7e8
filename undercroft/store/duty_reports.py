"""What reports and exports of an incident are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from undercroft.store.connection import Connection
from undercroft.store.duty import Row, rows, run


def incidents(connection: Connection) -> list[Row]:
    """Return the newest incidents."""
    return rows(connection, "reports_incidents")


def open_incidents(connection: Connection) -> list[Row]:
    """Return the incidents that have not ended."""
    return rows(connection, "duty_open_incidents")


def incident(connection: Connection, incident_id: str) -> Row | None:
    """Return an incident with its basin's names and what the database is for."""
    return next(iter(rows(connection, "reports_incident", incident_id=incident_id)), None)


def events(connection: Connection, incident_id: str) -> list[Row]:
    """Return the alarm log of an incident's spaces."""
    return rows(connection, "reports_events", incident_id=incident_id)


def refused(connection: Connection, incident_id: str) -> list[Row]:
    """Return the messages that the next step got since the one before refused."""
    return rows(connection, "reports_refused", incident_id=incident_id)


def log_entries(
    connection: Connection, incident_id: str, basin_id: str, starts_at: datetime, ends_at: datetime | None
) -> list[Row]:
    """Return the duty log about an incident, its basin, and about no place, over a stretch of time."""
    stretch = {"starts_at": starts_at, "ends_at": ends_at}
    return rows(connection, "reports_log", incident_id=incident_id, basin_id=basin_id, **stretch)


def reports_of(connection: Connection, incident_id: str) -> list[Row]:
    """Return the reports of an incident in order."""
    return rows(connection, "reports_of", incident_id=incident_id)


def save_report(connection: Connection, values: Mapping[str, Any]) -> bool:
    """Keep a draft; False when the report of this number was handed in already."""
    return run(connection, "reports_save", **values) == 1


def submit_report(connection: Connection, incident_id: str, serial: int, author: str, at: datetime) -> bool:
    """Record that a report was handed in; False when there is none, or it was before."""
    return run(connection, "reports_submit", incident_id=incident_id, serial=serial, author=author, at=at) == 1


def report_by_phone(connection: Connection, incident_id: str, author: str, at: datetime) -> bool:
    """Record that an incident was reported by phone; False when it was before."""
    return run(connection, "reports_by_phone", incident_id=incident_id, author=author, at=at) == 1


def areas(connection: Connection, subjects: Sequence[str]) -> list[Row]:
    """Return where spaces are."""
    return rows(connection, "reports_areas", subjects=list(subjects))
