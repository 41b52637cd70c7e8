"""What is said about alarms."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field, computed_field

from api.pagination import Cursor, Page
from api.params import Reason
from duty.incidents.load import STALE_AFTER


class AlarmOut(BaseModel):
    """One alarm of one subject, as it stands now."""

    subject: str = Field(description="`space/<id>`, `device/<id>` or `system/<name>`")
    occurrence: int = Field(description="1 for the first alarm of this subject")
    subject_kind: Literal["space", "device", "system"]
    place_id: str | None
    name_zh: str | None
    name_en: str | None
    street: str | None
    severity: int
    peak_severity: int
    active: bool
    acknowledged: bool
    acknowledged_by: str | None = Field(description='who said "mine"; null while nobody has')
    acknowledged_at: datetime | None
    latched: bool
    shelved_until: datetime | None = Field(description="not told of until then, at a person's wish; never a red one")
    suppressed_by: str | None = Field(description="the alarm that this one follows from: it is not told of by itself")
    raised_at: datetime
    cleared_at: datetime | None
    reasons: list[Reason] = Field(description="of its newest change; a milder one may have come since")
    severity_since: datetime | None = Field(description="when it was raised to, or stepped down to, its severity")
    severity_reasons: list[Reason] = Field(description="what gave it that severity, which it holds until it is left")
    last_tick_seq: int

    @computed_field(description="from when it counts as stale: it has stood for a day (ISA-18.2)")  # type: ignore[prop-decorator]
    @property
    def stale_from(self) -> datetime:
        """From when it counts as stale."""
        return self.raised_at + STALE_AFTER


class AlarmRank(Cursor):
    """Sort key of alarms."""

    severity: int
    raised_at: datetime
    subject: str
    occurrence: int


class AlarmPage(Page):
    """Alarms, worst first, then newest."""

    items: list[AlarmOut]


class AlarmEventOut(BaseModel):
    """One thing that happened to an alarm. Events are never changed."""

    subject: str
    event_no: int = Field(description="1, 2, ... of this subject")
    occurrence: int
    tick_seq: int
    tick_at: datetime
    kind: str = Field(description="raised, severity_up, severity_down, reason_added, cleared; more kinds may come")
    severity: int
    reasons: list[Reason]
    detail: dict[str, Any]


class AlarmEventRank(Cursor):
    """Sort key of alarm events."""

    tick_seq: int
    subject: str
    event_no: int


class AlarmEventPage(Page):
    """Alarm events, newest first."""

    items: list[AlarmEventOut]
