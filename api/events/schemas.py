"""What the live stream says. ``docs/api.md`` tells a client how to follow it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from api.alarms.schemas import AlarmEventOut, AlarmOut
from api.spaces.schemas import SpaceSummary
from undercroft.model import Mode


class Times(BaseModel):
    """Which instant this is, by which clock."""

    now: datetime = Field(description="the instant ages are counted from: run clock in an exercise, else wall clock")
    wall: datetime = Field(description="wall clock of the service")
    tick_seq: int
    tick_at: datetime | None


class Snapshot(Times):
    """Event `snapshot`: everything there is to show. It replaces whatever the client knew."""

    deployment_id: str
    mode: Mode
    spaces_total: int
    spaces: list[SpaceSummary] = Field(description="the worst 1000, worst first")
    alarms: list[AlarmOut] = Field(description="open alarms, worst first, 1000 at most")
    observed: dict[str, datetime] = Field(description="space id -> time of its newest reading")


class Tick(Times):
    """Event `tick`, one for each tick: what changed. Its id is the tick's number."""

    assessments: list[SpaceSummary]
    alarm_events: list[AlarmEventOut]
    alarms: list[AlarmOut] = Field(description="the alarms that this tick touched, as they stand now")
    observed: dict[str, datetime] = Field(description="space id -> time of its newest reading, where one came")


class Pulse(Times):
    """Event `pulse`, every 3 s and whenever `stale` changes. It has no id."""

    stale: bool = Field(description="the database cannot be reached: nothing shown is current")
    tick_age_s: float | None = Field(description="since the newest tick was committed [s]")


EventName = Literal["snapshot", "tick", "pulse", "stale"]
