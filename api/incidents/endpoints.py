"""``/incidents``."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from api.errors import RequestInvalid, documented
from api.incidents.schemas import IncidentOut, IncidentPage, IncidentRank
from api.pagination import CursorText, Limit
from api.services import Database

router = APIRouter(tags=["alarms"])


@router.get("/incidents", responses=documented(RequestInvalid))
async def list_incidents(
    reader: Database,
    is_open: Annotated[bool | None, Query(alias="open", description="true: open only; absent: all")] = None,
    limit: Limit = 100,
    cursor: CursorText = None,
) -> IncidentPage:
    """List incidents, newest first, each with the alarm that came first."""
    before = IncidentRank.decode(cursor)
    rows = await reader.rows(
        "read_incidents",
        open=is_open,
        limit=limit,
        before_opened_at=before and before.opened_at,
        before_incident_id=before and before.incident_id,
    )
    items = [_incident(row) for row in rows]
    last = items[-1] if len(items) == limit else None
    rank = last and IncidentRank(opened_at=last.opened_at, incident_id=last.incident_id)
    return IncidentPage(items=items, next_cursor=rank.encode() if rank else None)


def _incident(row: dict[str, Any]) -> IncidentOut:
    state = row["state"]
    told = {"reached": state.get("reached", -1), "told_at": state.get("told_at"), "alarms": state.get("alarms", [])}
    told["pressed"] = [entry for entry in state.get("pressed", []) if entry.get("left")]
    return IncidentOut.model_validate(row | told | {"first_out": row["first_out"] or ""})
