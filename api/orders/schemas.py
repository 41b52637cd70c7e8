"""What is said about orders."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from api.pagination import Cursor, Page
from duty.orders.orders import OrderState, Proof


class OrderOut(BaseModel):
    """What was asked of somebody: its clock, its owner, its proof, and what the sensors say against it."""

    order_id: str
    incident_id: str
    subject: str
    name_zh: str | None
    name_en: str | None
    entrance: str
    proof: Proof
    state: OrderState
    owner: str = Field(description="who has to do it")
    author: str = Field(description="who took the newest step")
    changed_at: datetime = Field(description="when the newest step was taken")
    due_at: datetime | None
    left_s: float | None = Field(description="until due, negative when late; null: no clock runs")
    is_late: bool
    confirmed_until: datetime | None = Field(description="until when the confirmation counts")
    holds: bool | None = Field(description="whether the confirmation still counts; null: there is none")
    expired: bool = Field(description="it no longer counts and the incident goes on: to be confirmed again")
    disagreement: str | None = Field(description="how sensors, and field reports since, contradict the confirmation")
    text_zh: str
    text_en: str
    note: str
    severity: int = Field(description="of its place when it was given")
    leader: str = Field(description="who leads (四个一); from the site file's `[[command]]`, else a template")
    team: str
    plan: str
    single_voice: str = Field(description="who alone reports and releases")
    reminders: int = Field(description="how often the roster was told that it is late")
    reminded_step: int = Field(description="highest step of the roster told so; -1: nobody")
    reminded_at: datetime | None


class OrderTally(BaseModel):
    """How orders go: those that wait now, and what became of those of the last 24 hours."""

    now: datetime
    since: datetime
    waiting: int
    late: int = Field(description="their time is over and nobody has confirmed")
    expired: int = Field(description="confirmed, but the confirmation no longer counts while the incident goes on")
    confirmed_in_time: int
    confirmed_late: int
    refused: int
    reminders: int = Field(description="how often the roster was told that one of them is late")


class ProposedOrder(BaseModel):
    """What a template would have ordered at a space as it stands now."""

    subject: str
    severity: int
    proof: Proof
    entrances: list[str] = Field(description="of a barrier: the entrances that have one; else none")
    within_s: float
    text_zh: str
    text_en: str
    leader: str
    team: str
    plan: str
    single_voice: str


class OrderStep(BaseModel):
    """A step that an order took, from the duty log."""

    entry_no: int
    at: datetime
    author: str
    step: str
    note: str | None
    disagreement: str | None = Field(description="how the sensors contradicted it then")


class OrderWithSteps(OrderOut):
    """An order and how it came to be as it is."""

    steps: list[OrderStep]


class OrderRank(Cursor):
    """Sort key of orders."""

    ended: bool
    changed_at: datetime
    order_id: str


class OrderPage(Page):
    """Orders: those that wait for somebody first, then by their newest step."""

    items: list[OrderOut]
