"""What is said about reports."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.acts.schemas import ActOut
from api.params import Zone
from duty.reports import cap
from duty.reports.reports import ReportKind


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
    is_drafted: bool = Field(description="it is among the drafts too, and not handed in")


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


class DueTally(BaseModel):
    """How reporting goes in the whole district."""

    missing: int = Field(description="due by now, and neither it nor a later one was handed in")
    to_come: int
    on_time: int = Field(description="handed in since `since`")
    late: int = Field(description="handed in since `since`, after its time")
    reminders: int = Field(description="how often the roster was told of those that are open")


class ReportDue(BaseModel):
    """A report that has to be handed in, of any incident."""

    incident_id: str
    basin_id: str
    name_zh: str
    name_en: str
    kind: ReportKind
    serial: int
    due_at: datetime
    left_s: float = Field(description="until then, negative when it is missing")
    is_missing: bool
    drafted_at: datetime | None
    author: str | None = Field(description="who drafted it")
    reminders: int = Field(description="how often the roster was told that it is late")
    reminded_step: int = Field(description="highest step of the roster told so; -1: nobody")
    reminded_at: datetime | None


class ReportsDue(BaseModel):
    """What has to be handed in, what is missing first."""

    now: datetime
    since: datetime
    tally: DueTally
    items: list[ReportDue]


class DraftOut(ActOut):
    """The draft: it is kept and shown, and never sent."""

    report: ReportWithText
    tally: ReportTally


Sender = Annotated[str, Field(pattern=f"^{cap.SENDER}$", max_length=cap.MOST_SENDER_CHARACTERS)]
SenderName = Annotated[str, Field(pattern=f"^{cap.SENDER_NAME}$", max_length=cap.MOST_SENDER_CHARACTERS)]
Reference = Annotated[str, Field(pattern=f"^{cap.REFERENCE}$", max_length=cap.MOST_REFERENCE_CHARACTERS)]


class CapIn(BaseModel):
    """Who issues a CAP message, and which messages it takes the place of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sender: Sender = Field(description="who sends it, as CAP names it", examples=["duty@example.org"])
    sender_name: SenderName | None = None
    sender_name_zh: SenderName | None = None
    area_code: Annotated[str, Field(pattern=r"^[0-9]{6}$", description="GB/T 2260")] = "440304"
    zone: Zone = "Asia/Shanghai"
    reference: Annotated[list[Reference], Field(max_length=cap.MOST_REFERENCES)] = Field(
        [], description="earlier messages of the incident, each sender,identifier,sent, as `reference` of each says"
    )


class CapOut(BaseModel):
    """A CAP message that was made; it was sent to nobody."""

    identifier: str
    incident_id: str
    sender: str
    sent_at: datetime
    kind: Literal["Alert", "Update", "Cancel"]
    reference: str = Field(description="how a later message names it")
    author: str
    made_at: datetime


class CapWithXml(CapOut):
    """A CAP message and its XML."""

    xml: str


class CapMade(ActOut):
    """The message that was made."""

    message: CapWithXml
