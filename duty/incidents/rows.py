"""Events of the alarm log as duty reads them, and an incident as a row of the store."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from duty.incidents.codec import to_json
from duty.incidents.incidents import Incident
from duty.model import AlarmEventIn


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
