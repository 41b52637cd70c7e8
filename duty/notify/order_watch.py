"""The orders of open incidents, read every few seconds, so that what stays undone is told (`duty.late.unfinished`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from duty.incidents.incidents import Incident
from duty.late.unfinished import Told, asked_of
from duty.model import Policy
from undercroft.store import duty_acts as store
from undercroft.store.connection import Connection

LOOK_EVERY = timedelta(seconds=5)


@dataclass(slots=True)
class OrderWatch:
    """What was ordered in the incidents that go on; its times are the notifier's, in a run those of the ticks."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    looked_at: datetime | None = None

    def look(self, connection: Connection, incidents: Iterable[Incident], at: datetime) -> bool:
        """Read the orders, unless they were read just now; tell whether they were."""
        if self.looked_at is not None and timedelta(0) <= at - self.looked_at < LOOK_EVERY:
            return False
        self.looked_at = at
        self.rows = {
            incident.incident_id: store.orders(connection, incident_id=incident.incident_id) for incident in incidents
        }
        return True

    def asked(
        self, incident: Incident, at: datetime, steps: int, policy: Policy, zone: ZoneInfo
    ) -> tuple[Incident, list[Told]]:
        """Return what is told now of an incident that was looked at, and the incident after that."""
        return asked_of(incident, self.rows.get(incident.incident_id, ()), at, steps, policy, zone)
