"""What is said about the members of a nowcast."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, Field

from risk.inforce import InForce


class EntranceInput(BaseModel):
    """What the members start from at an entrance."""

    entrance: str
    level_m: float | None = Field(description="outside level [m over datum]; null: not known")
    rise_m_min: float | None
    crest_m: float
    width_m: float
    barrier: Literal["closed", "not closed", "none"]
    sensor: str | None = Field(description="whose reading it is")
    taken_from_another_entrance: bool = Field(description="nothing measures here: the deepest other entrance counts")
    orange_at_m: float | None = Field(description="outside level that is orange [m over datum]")
    red_at_m: float | None


class NowcastInput(BaseModel):
    """What the members start from."""

    entrances: list[EntranceInput]
    inside_m3: float | None = Field(description="water inside [m³]; null: not known")
    orange_at_m3: float | None = Field(description="water inside that is orange [m³]")
    red_at_m3: float | None
    rain_mm_h: float | None
    unseen_m3_min: float | None = Field(description="what comes in by the rise inside, where nothing measures outside")
    pump_m3_s: float
    pump_running: bool
    basin: str
    past_sample_age_s: float | None = Field(
        description="how old the sample is that past floods were set beside [s]; null where none spoke"
    )


class MemberOut(BaseModel):
    """One way in which it may go on; null: not within the hour."""

    share: float = Field(description="how likely it is held; all together 1")
    rain_persistence: float = Field(description="the rain goes on at this multiple of its rate")
    rise_factor: float = Field(description="the street rises at this multiple of its rate")
    barriers: Literal["hold", "fail"]
    pumps: Literal["run", "fail"]
    orange_min: float | None
    red_min: float | None


class DriverOut(BaseModel):
    """What one assumption does, over the members that make it."""

    assumption: str
    value: str
    share: float
    orange_likely_min: float | None
    red_likely_min: float | None
    orange_within_60: float | None = Field(
        description="share of these members that reach orange within the hour; null: not known"
    )
    red_within_60: float | None


class WeighedOut(BaseModel):
    """How the share of the members became a probability."""

    severity: Literal["orange", "red"]
    within_min: float
    members: float | None = Field(description="share of the members that get there; null: not known")
    probability: float | None = Field(description="null: not known, or it stands only by a barrier that is not heard")
    terms: dict[str, float] = Field(description="what each term of the formula adds to the logit; see docs/nowcast.md")
    formula: Literal["street", "inside", "past", "kept", "members"] = Field(
        description="inside: nothing measures outside; past: by past floods; kept: what they last said, the sensor "
        "being silent or doubted; members: no rain gauge is heard, and the members say more"
    )


class LikenessOut(BaseModel):
    """A moment of a past flood that looked like this one."""

    sensor: str
    started_at: datetime = Field(description="when that flood began")
    minute: float = Field(description="minutes after its begin")
    weight: float = Field(description="how much it counts, all together 1")
    foreseen_m: float = Field(description="depth in half an hour, if this flood goes on as that one did [m]")


class NowcastOut(BaseModel):
    """The nowcast in force at a time; minutes count from ``made_at``."""

    space_id: str
    tick_seq: int
    tick_at: datetime
    nowcast_id: int = Field(description="tick whose memory it was made from")
    made_at: datetime | None = Field(description="null: the space was dry, nothing lies ahead of it")
    known: bool = Field(description="false: what it would start from was never heard, so null is unknown, not never")
    likely_min: dict[str, float | None]
    as_written: bool | None = Field(description="whether working it out again gave what was written; null: nothing was")
    inputs: NowcastInput | None
    members: list[MemberOut]
    drivers: list[DriverOut]
    weighed: list[WeighedOut]
    library: int | None = Field(description="version of the library of past floods that foresaw it; null: the ensemble")
    past: list[LikenessOut] = Field(description="the moments of past floods behind times and probabilities")

    @classmethod
    def of(cls, space_id: str, found: InForce) -> Self:
        """Return a nowcast taken apart."""
        told: dict[str, Any] = {} if found.nowcast is None else asdict(found.nowcast)
        return cls.model_validate(
            {
                "space_id": space_id,
                "tick_seq": found.tick["tick_seq"],
                "tick_at": found.tick["tick_at"],
                "nowcast_id": found.tick["nowcast_id"],
                "made_at": told.get("made_at"),
                "known": told.get("known", True),
                "likely_min": told.get("likely_min", {}),
                "as_written": found.as_written,
                "inputs": told.get("inputs"),
                "members": told.get("members", []),
                "drivers": told.get("drivers", []),
                "weighed": told.get("weighed", []),
                "library": told.get("library"),
                "past": told.get("past", []),
            }
        )
