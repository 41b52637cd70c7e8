"""``/alarms`` and ``/alarm-events``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.alarms.schemas import AlarmEventOut, AlarmEventPage, AlarmEventRank, AlarmOut, AlarmPage, AlarmRank
from api.errors import RequestInvalid, documented
from api.pagination import CursorText, Limit
from api.params import Subject
from api.services import Database

router = APIRouter(tags=["alarms"])


@router.get("/alarms", responses=documented(RequestInvalid))
async def list_alarms(
    reader: Database,
    is_open: Annotated[bool | None, Query(alias="open", description="true: active only; absent: all")] = None,
    subject: Subject | None = None,
    severity_min: Annotated[int | None, Query(ge=1, le=4)] = None,
    limit: Limit = 100,
    cursor: CursorText = None,
) -> AlarmPage:
    """List alarms, worst first, then newest."""
    after = AlarmRank.decode(cursor)
    rows = await reader.rows(
        "read_alarms",
        open=is_open,
        subject=subject,
        severity_min=severity_min,
        limit=limit,
        after_severity=after and after.severity,
        after_raised_at=after and after.raised_at,
        after_subject=after and after.subject,
        after_occurrence=after and after.occurrence,
    )
    items = [AlarmOut.model_validate(row) for row in rows]
    rank = (
        AlarmRank.model_validate(items[-1].model_dump(include=set(AlarmRank.model_fields)))
        if len(items) == limit
        else None
    )
    return AlarmPage(items=items, next_cursor=rank.encode() if rank else None)


@router.get("/alarm-events", responses=documented(RequestInvalid))
async def list_alarm_events(
    reader: Database,
    subject: Subject | None = None,
    occurrence: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    limit: Limit = 100,
    cursor: CursorText = None,
) -> AlarmEventPage:
    """List what happened to alarms, newest first."""
    before = AlarmEventRank.decode(cursor)
    rows = await reader.rows(
        "read_alarm_events",
        subject=subject,
        occurrence=occurrence,
        limit=limit,
        before_tick_seq=before and before.tick_seq,
        before_subject=before and before.subject,
        before_event_no=before and before.event_no,
    )
    items = [AlarmEventOut.model_validate(row) for row in rows]
    last = items[-1] if len(items) == limit else None
    rank = last and AlarmEventRank(tick_seq=last.tick_seq, subject=last.subject, event_no=last.event_no)
    return AlarmEventPage(items=items, next_cursor=rank.encode() if rank else None)
