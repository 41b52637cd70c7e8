"""What is said about reports."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from api.acts.schemas import ActOut
from api.params import Zone
from duty.reports import ReportKind


class ReportIn(BaseModel):
    """How a draft is written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zone: Zone = "Asia/Shanghai"


class ReportTally(BaseModel):
    """How reporting goes, against the limits of the duty file."""

    on_time: int
    late: int
    missing: int = Field(description="due by now and not handed in")


class DueOut(BaseModel):
    """A report that has to be there by a time."""

    kind: ReportKind
    serial: int
    due_at: datetime
    left_s: float = Field(description="until then, negative when it is over")


class ReportOut(BaseModel):
    """A report that was drafted, and perhaps handed in."""

    serial: int
    kind: ReportKind
    drafted_at: datetime
    due_at: datetime | None
    covers_from: datetime
    submitted_at: datetime | None
    submitted_by: str | None


class ReportWithText(ReportOut):
    """A report and its words."""

    text: str = Field(description="Markdown, or plain text where that was asked for")


class ReportList(BaseModel):
    """The reports of an incident: drafted, still to come, and how many were on time, late and are missing."""

    incident_id: str
    now: datetime
    tally: ReportTally
    to_come: list[DueOut]
    items: list[ReportOut]


class DraftOut(ActOut):
    """The draft: it is kept and shown, and never sent."""

    report: ReportWithText
    tally: ReportTally


SerialNumber = Annotated[int, Field(ge=1, lt=2**31)]
