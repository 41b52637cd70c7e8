"""What is said about the service itself."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from undercroft.model import Mode


class Check(BaseModel):
    """One thing that the service needs."""

    ok: bool
    detail: str


class Health(BaseModel):
    """Whether levels and alarms shown here can be relied upon."""

    status: Literal["ok", "degraded", "down"] = Field(
        description="degraded: answers are right but old data is among them; down: do not rely on them (503)"
    )
    mode: Mode | None
    now: datetime = Field(description="the instant ages are counted from: run clock in an exercise, else wall clock")
    tick_seq: int | None
    tick_at: datetime | None
    tick_age_s: float | None = Field(description="since the engine's last tick was committed [s]")
    batch_age_s: float | None = Field(description="since the newest batch of readings was committed [s]")
    canary_latency_s: float | None = Field(
        None, description="from the sending of the canary's newest judged reading to the tick that covers it [s]"
    )
    clients: int = Field(description="that follow the live stream")
    checks: dict[str, Check]
