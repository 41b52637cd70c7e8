"""What is said about messages. Addresses are not: they are people's own."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, Field

from api.pagination import Cursor, Page


class State(StrEnum):
    """What became of a message; ``open`` asks for all that are still to be taken."""

    OPEN = "open"
    QUEUED = "queued"
    SENDING = "sending"
    ACCEPTED = "accepted"
    HANDED_OVER = "handed_over"
    MERGED = "merged"
    HELD = "held"
    FAILED = "failed"


class NotificationOut(BaseModel):
    """A message to one person by one channel."""

    notification_id: int
    key: str = Field(description="sent with every attempt, so that who receives it twice can tell")
    cause: str = Field(description="the decision that it comes of; the same for all who are told of it")
    incident_id: str
    reason: str = Field(
        description="`first`, `worse`, `repeat`, `escalated`, `refused`, `all_clear`, `ended`, `order_late`,"
        " `report_late`, `no_order`, `order_undone` or `probe`"
    )
    step: int = Field(description="step of the roster")
    severity: int
    person_id: str
    also_for: list[str] = Field(
        description="people of lower steps who are told by it too, since they share its address"
    )
    channel: str
    title: str
    subjects: list[str] = Field(description="the alarms that it tells of")
    state: str
    merged_into: int | None = Field(description="the message that carries this one")
    attempts: int
    failures: int = Field(description="attempts that failed; it is tried again at `next_try_at` while it is queued")
    decided_at: datetime
    queued_at: datetime
    first_attempt_at: datetime | None
    next_try_at: datetime | None
    settled_at: datetime | None
    receipt: str | None
    error: str | None = Field(description="the service's own words")


class NotificationWithText(NotificationOut):
    """A message with its text."""

    body: str
    carries: list[int] = Field(description="messages that were merged into this one")


class NotificationRank(Cursor):
    """Sort key of messages."""

    notification_id: int = Field(ge=0, lt=2**63)


class NotificationPage(Page):
    """Messages, newest first."""

    items: list[NotificationOut]
