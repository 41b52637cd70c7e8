"""The roster as whoever looks is told: the chain now, the shifts, the gaps ahead. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from duty.roster.roster import Roster


def view_of(roster: Roster, now: datetime, until: datetime) -> dict[str, Any]:
    """Return who is told first, second ... now, all shifts up to a time, who is absent, and the gaps. No addresses."""
    return {
        "now": now,
        "chain": [
            {"step": step, "person_id": person.person_id, "name": person.name, "phone": person.phone}
            for step, person in enumerate(roster.chain(now))
        ],
        "shifts": [
            {
                "starts_at": shift.starts_at, "ends_at": shift.ends_at, "step": shift.step, "standing": shift.standing,
                "person_id": shift.person.person_id, "name": shift.person.name,
            }
            for shift in roster.shifts
            if shift.ends_at > now
        ],
        "absences": [
            {"person_id": entry.person_id, "starts_at": entry.starts_at, "ends_at": entry.ends_at}
            for entry in roster.absences
        ],
        "gaps": [
            {"step": gap.step, "starts_at": gap.starts_at, "ends_at": gap.ends_at} for gap in roster.gaps(now, until)
        ],
    }  # fmt: skip
