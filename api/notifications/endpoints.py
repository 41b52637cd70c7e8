"""``/notifications`` and ``/notifications/{notification_id}``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from api.errors import RequestInvalid, documented
from api.notifications.schemas import (
    NotificationOut,
    NotificationPage,
    NotificationRank,
    NotificationWithText,
    State,
)
from api.pagination import CursorText, Limit
from api.params import Subject
from api.services import Database
from duty.door.refusals import SubjectUnknown
from undercroft.store.notifications import states_of

router = APIRouter(tags=["alarms"])

IncidentId = Annotated[str, Query(pattern=r"^[\w.:-]+$", max_length=80, description="of this incident only")]
Person = Annotated[str, Query(pattern=r"^[^\x00-\x1f/]+$", max_length=40, description="to this person only")]
Channel = Annotated[str, Query(pattern=r"^[^\x00-\x1f/]+$", max_length=40, description="by this channel only")]


@router.get("/notifications", responses=documented(RequestInvalid))
async def list_notifications(  # noqa: PLR0913, PLR0917 - one argument per filter
    reader: Database,
    incident_id: IncidentId | None = None,
    alarm: Subject | None = None,
    person_id: Person | None = None,
    channel: Channel | None = None,
    state: State | None = None,
    limit: Limit = 100,
    cursor: CursorText = None,
) -> NotificationPage:
    """List messages, newest first, each with what became of it. No addresses."""
    before = NotificationRank.decode(cursor)
    rows = await reader.rows(
        "notifications_list",
        incident_id=incident_id,
        alarm=alarm,
        person_id=person_id,
        channel=channel,
        states=states_of(state),
        limit=limit,
        before=before and before.notification_id,
    )
    items = [NotificationOut.model_validate(row) for row in rows]
    last = items[-1] if len(items) == limit else None
    rank = last and NotificationRank(notification_id=last.notification_id)
    return NotificationPage(items=items, next_cursor=rank.encode() if rank else None)


@router.get("/notifications/{notification_id}", responses=documented(RequestInvalid, SubjectUnknown))
async def get_notification(
    notification_id: Annotated[int, Path(ge=1, lt=2**63)], reader: Database
) -> NotificationWithText:
    """Show one message with its text, and those that it carries."""
    row = await reader.row("notifications_one", notification_id=notification_id)
    if row is None:
        raise SubjectUnknown(f"there is no message {notification_id}")
    return NotificationWithText.model_validate(row)
