"""What is said about the alarm load."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from pydantic import BaseModel, Field

from duty.incidents.load import FLOOD_BEGINS, FLOOD_SHARE_TARGET, MANAGEABLE_PER_WINDOW, Load


class Target(BaseModel):
    """What EEMUA 191 and ISA-18.2 ask for."""

    manageable_per_window: float = Field(MANAGEABLE_PER_WINDOW, description="alarms per 10 min and operator, at most")
    flood_begins: int = Field(FLOOD_BEGINS, description="alarms in 10 min that are a flood")
    flood_share: float = Field(FLOOD_SHARE_TARGET, description="share of the time in flood, below")


class LoadOut(BaseModel):
    """The alarms of a stretch of time; whatever asks somebody to look counts as one."""

    starts_at: datetime
    ends_at: datetime
    alarms: int
    messages: int = Field(
        description="told to the roster: one for each cause of an incident, however many alarms it names"
    )
    per_window_per_operator: float = Field(description="per 10 min; the officer on duty is the one operator")
    manageable: bool
    peak_window: int = Field(description="most in any 10 min")
    flood_now: bool
    flood_share: float
    chattering: list[str] = Field(description="subjects that were raised three times within a minute")
    stale: list[str] = Field(description="subjects whose alarm has stood for a day")
    top: list[tuple[str, int]]
    by_severity: dict[int, int]
    ack_median_s: float | None
    ack_slowest_s: float | None
    never_acknowledged: int

    @classmethod
    def of(cls, load: Load, starts_at: datetime, ends_at: datetime, told: Sequence[datetime]) -> LoadOut:
        """Return the figures of a stretch; ``told`` are the times of all messages."""
        messages = sum(starts_at <= at <= ends_at for at in told)
        figures = {**asdict(load), "manageable": load.manageable, "starts_at": starts_at, "ends_at": ends_at}
        return cls.model_validate(figures | {"messages": messages})


class ShiftLoad(LoadOut):
    """The alarms of one shift at step 0 of the roster; of the present one, up to now."""

    person_id: str
    name: str
    is_present: bool


class AlarmLoad(BaseModel):
    """The alarm load now, and of the shifts of the last two days."""

    now: datetime
    target: Target
    live: LoadOut = Field(description="the last hour")
    shifts: list[ShiftLoad] = Field(description="newest first")
