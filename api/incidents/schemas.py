"""What is said about incidents."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from api.pagination import Cursor, Page


class IncidentAlarm(BaseModel):
    """An alarm of an incident, as the notifier knows it."""

    subject: str
    severity: int
    active: bool
    acknowledged: bool
    quiet_by: list[str] = Field(description="why it is not told of below red: shelved, suppressed, out_of_service")


class IncidentPressed(BaseModel):
    """What stays undone in an incident after somebody took it, and how often the roster was told of it."""

    reason: str = Field(description="`no_order`: taken, and nothing was ordered; `order_undone`: ordered, and not done")
    left: list[str] = Field(description="subjects, or orders, that are undone now")
    since: datetime = Field(description="first told")
    times: int = Field(description="told so often")


class IncidentOut(BaseModel):
    """The alarms of one basin in one storm, and how far the telling has come."""

    incident_id: str
    basin_id: str = Field(description="`district` for alarms of no basin")
    name_zh: str | None
    name_en: str | None
    opened_at: datetime
    closed_at: datetime | None
    worst: int
    first_out: str = Field(description="subject of the first alarm")
    reached: int = Field(description="highest step of the roster told so far; -1: nobody yet")
    told_at: datetime | None
    alarms: list[IncidentAlarm]
    pressed: list[IncidentPressed] = Field(description="what the roster is told of again and again until it is done")


class IncidentRank(Cursor):
    """Sort key of incidents."""

    opened_at: datetime
    incident_id: str


class IncidentPage(Page):
    """Incidents, newest first."""

    items: list[IncidentOut]
