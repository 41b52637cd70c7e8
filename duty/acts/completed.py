"""What an act leaves out and the system knows: when a report was made and ends, what a warning that ends had said."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from duty.door.door import Actor
from duty.door.refusals import NotPossibleNow
from undercroft.store import duty_acts as store
from undercroft.store.connection import Connection

REPORT_COUNTS_FOR_MIN = 60.0
"""How long a field report counts unless its reporter says otherwise: default (proposal)."""


def completed(
    connection: Connection, actor: Actor, kind: str, subject: str, body: Mapping[str, Any], at: datetime
) -> dict[str, Any]:
    """Return the body of an act as the log and the engine keep it.

    Raises
    ------
    NotPossibleNow
        If a warning is to end that is not in force.
    """
    if kind == "field_report":
        return _report(actor, body, at)
    if kind == "rain_warning" and body["state"] == "ended":
        row = store.warning_in_force(connection, subject)
        if row is None:
            raise NotPossibleNow(f"{kind}: {subject.removeprefix('warning/')} is not in force")
        return {**row["body"], **{name: value for name, value in body.items() if value is not None}}
    if kind == "rain_warning":
        return {"basins": [], "streets": [], **{name: value for name, value in body.items() if value is not None}}
    return dict(body)


def _report(actor: Actor, body: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    said = body.get("observed_at")
    seen_at = at if said is None else min(datetime.fromisoformat(said), at)
    minutes = body.get("minutes") or REPORT_COUNTS_FOR_MIN
    others = {name: body[name] for name in ("pump", "closed", "evacuated", "phone") if body.get(name) is not None}
    return others | {
        "entrance": body.get("entrance"), "depth_m": body.get("depth_m"), "barrier": body.get("barrier"),
        "by": body.get("by") or actor.name, "note": body.get("note") or "", "observed_at": seen_at.isoformat(),
        "expires_at": (seen_at + timedelta(minutes=minutes)).isoformat(),
    }  # fmt: skip
