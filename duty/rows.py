"""Rows of the store as duty reads them, and what the notifier decided as rows of the store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from duty.codec import to_json
from duty.incidents import Incident
from duty.lateness import Reminded
from duty.model import AlarmEventIn
from duty.orders import order_of
from duty.roster import STEPS_KNOWN_FOR, Roster, roster_of
from duty.texts import Named
from undercroft.model import SpaceKind
from undercroft.store import duty as store
from undercroft.store.connection import Connection


def late_orders(connection: Connection, at: datetime) -> dict[str, Reminded]:
    """Return the orders whose time is over, and how far the telling of each has come."""
    return {
        row["order_id"]: Reminded(order_of(row), row["reminders"], row["reminded_step"], row["reminded_at"])
        for row in store.late_orders(connection, at)
    }


def reminded_row(waits: Reminded) -> dict[str, Any]:
    """Return how far the telling of a late order has come, as the store keeps it."""
    return {
        "order_id": waits.order.order_id, "due_at": waits.order.due_at, "reminders": waits.times,
        "reminded_step": waits.step, "reminded_at": waits.at,
    }  # fmt: skip


def event_of(row: Mapping[str, Any]) -> AlarmEventIn:
    """Return a row of the alarm log as duty reads it, with the words of its worst reason."""
    reason: dict[str, Any] = max(row["reasons"], key=lambda entry: entry.get("severity", 0), default={})
    return AlarmEventIn(
        row["subject"], row["occurrence"], row["event_no"], row["kind"], row["severity"], row["tick_at"],
        reason.get("text_zh", ""), reason.get("text_en", ""), reason.get("severity", 0),
    )  # fmt: skip


def incident_row(incident: Incident, closed_at: datetime | None) -> dict[str, Any]:
    """Return an incident as the store keeps it."""
    return {
        "incident_id": incident.incident_id, "basin_id": incident.basin, "opened_at": incident.opened_at,
        "closed_at": closed_at, "worst": incident.worst, "state": to_json(incident),
    }  # fmt: skip


def load_roster(connection: Connection, starts_at: datetime, ends_at: datetime) -> Roster:
    """Return the roster around a stretch of time, with the shifts of the week before, which show what steps it has."""
    return roster_of(
        store.shifts(connection, starts_at - STEPS_KNOWN_FOR, ends_at), store.absences(connection, starts_at, ends_at)
    )


def load_names(connection: Connection) -> dict[str, Named]:
    """Return what subjects and basins are called."""
    return names_of(store.names(connection))


def names_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, Named]:
    """Return what subjects and basins are called, of the rows of ``duty_names``."""
    return {
        row["subject"]: Named(
            row["name_zh"], row["name_en"], SpaceKind(row["kind"]) if row["kind"] else None, row["street"]
        )
        for row in rows
    }
