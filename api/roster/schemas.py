"""What is asked and said about the roster."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from api.params import Zone
from duty.roster.roster import COLUMNS

PersonId = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f/]+$")]


class OnDuty(BaseModel):
    """Who is told at a step, now."""

    step: int
    person_id: str
    name: str
    phone: str


class ShiftOut(BaseModel):
    """One person at one step of the chain for a time."""

    starts_at: datetime
    ends_at: datetime
    step: int
    standing: str = Field(description="`holder` or `deputy`")
    person_id: str
    name: str


class AbsenceOut(BaseModel):
    """Who cannot be reached for a time."""

    person_id: str
    starts_at: datetime
    ends_at: datetime


class GapOut(BaseModel):
    """A time in which a step that the chain needs has nobody of its own."""

    step: int
    starts_at: datetime
    ends_at: datetime


class HandoverOut(BaseModel):
    """The newest handover of the duty log."""

    at: datetime
    author: str
    to: str
    text: str


class RosterOut(BaseModel):
    """The chain now, and the shifts, absences and gaps of the time asked for."""

    now: datetime
    chain: list[OnDuty]
    shifts: list[ShiftOut]
    absences: list[AbsenceOut]
    gaps: list[GapOut]
    handover: HandoverOut | None


class RosterIn(BaseModel):
    """A roster as a CSV file holds it; it replaces the shifts in the time that it covers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    csv: Annotated[str, Field(min_length=1, max_length=60_000, description=f"with the header `{','.join(COLUMNS)}`")]
    zone: Zone = Field("Asia/Shanghai", description="of times without offset")


class AbsenceIn(BaseModel):
    """Somebody who cannot be reached for a time; or an absence that is taken back, which needs no end."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    person_id: PersonId
    starts_at: AwareDatetime | None = Field(
        None, description="absent: now; of one that is taken back, its beginning, absent: the only one not over"
    )
    ends_at: AwareDatetime | None = None
    taken_back: bool = Field(False, description="it was entered by mistake, or is over early: it counts for nothing")

    @model_validator(mode="after")
    def _ends_or_is_taken_back(self) -> Self:
        if (self.ends_at is None) != self.taken_back:
            raise ValueError("say either ends_at, or that it is taken_back")
        return self
