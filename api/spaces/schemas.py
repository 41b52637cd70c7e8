"""What is said about a space."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field

from api.pagination import Cursor, Page
from api.params import Level, Reason, sensor_key
from api.spaces.numbers import KeyNumbers, key_numbers, stale_after_s
from undercroft.model import SpaceKind
from undercroft.quality import names_of_tests

Row = Mapping[str, Any]


class StandInOut(BaseModel):
    """A sensor elsewhere that stands in for a blind space. It may raise the level, never lower it."""

    kind: Literal["water", "rain"]
    sensor: str
    place: str
    name_en: str
    name_zh: str
    depth_m: float | None = Field(None, description="water over the road there [m]")
    rain_10min_mm: float | None = Field(None, description="rain in 10 minutes there [mm]")
    distance_m: float
    observed_at: datetime


class SpaceSummary(BaseModel):
    """One row of the ranking: the space, its level and why, the numbers to show."""

    space_id: str
    kind: SpaceKind
    name_zh: str
    name_en: str
    street: str = Field(description="street office (街道) responsible")
    basin_id: str | None
    lat: float
    lon: float
    level: Level
    score: float = Field(description="priority 0-100; it ranks within a level and raises nothing")
    blind: bool = Field(description="no fresh data where data is needed, or none ever")
    heard: bool | None = Field(description="false: some place of it was never heard, so level 0 says nothing")
    stand_ins: list[StandInOut] = Field(description="who stands in while it is blind")
    tick_seq: int | None = Field(description="tick of this assessment; null: not assessed yet")
    tick_at: datetime | None
    reasons: list[Reason]
    numbers: KeyNumbers
    stale_after_s: float = Field(description="readings older than this are stale [s]")


class SpaceRank(Cursor):
    """Sort key of the ranking, at one tick."""

    as_of: int
    level: int
    score: float
    space_id: str


class SpacePage(Page):
    """Spaces, worst first: level, then score, then id."""

    as_of_tick_seq: int = Field(description="the ranking is that of this tick, on every page")
    items: list[SpaceSummary]


class Assessment(BaseModel):
    """What the engine found, with everything it went by."""

    tick_seq: int
    tick_at: datetime
    level: Level
    score: float
    blind: bool
    reasons: list[Reason]
    contributions: Any = Field(description="what made the score")
    evidence: dict[str, Any] = Field(description="the numbers the engine went by")


class EntranceOut(BaseModel):
    """A way in for people, vehicles and water."""

    entrance_id: str
    name_zh: str
    name_en: str
    width_m: float
    crest_level_m: float
    roadway_level_m: float
    barrier_needed: bool
    barrier_height_m: float | None
    barrier_leakage_grade: str | None
    barrier_deploy_min: float | None


TestNames = Annotated[
    list[str],
    BeforeValidator(names_of_tests),
    Field(description="the tests that gave the flag, by name; see the glossary"),
]


FlaggedBy = Annotated[str | None, Field(description="who corrected the flag; null: nobody, or it was taken back")]
FlagReason = Annotated[str | None, Field(description="why it was corrected, in their words")]
AT_ARRIVAL = "the flag that it came with, which the engine goes by"


class SensorOut(BaseModel):
    """A sensor and its newest reading, with the flag that stands now."""

    sensor: str = Field(description="key to ask observations by")
    quantity: str
    unit: str
    entrance_id: str | None
    zero_level_m: float | None
    observed_at: datetime | None
    value: float | None
    quality: int | None = Field(description="QARTOD: 1 good, 2 unknown, 3 suspect, 4 fail, 9 missing; as it stands now")
    quality_tests: TestNames
    quality_at_arrival: int | None = Field(description=AT_ARRIVAL)
    flagged_by: FlaggedBy
    flag_reason: FlagReason


class CorrectedOut(BaseModel):
    """A reading behind a reason of the level whose flag a person corrected; the engine still counts it as it came."""

    sensor: str
    observed_at: datetime
    quality: int = Field(description="the flag that stands now")
    flagged_by: str
    flag_reason: str
    text_zh: str
    text_en: str


class ThresholdOut(BaseModel):
    """One threshold in force for this space."""

    rule: str
    severity: int
    value: float
    unit: str
    source: str


class StockOut(BaseModel):
    """Supplies on site."""

    item: str
    quantity: float


class RequirementOut(BaseModel):
    """Supplies that the space needs."""

    entrance_id: str
    item: str
    quantity: float


class OutOfServiceOut(BaseModel):
    """A device whose readings count as missing, at somebody's wish; it ends by itself."""

    device_id: str
    reason: str
    until: datetime


class SpaceDetail(BaseModel):
    """A space with all that is known of it now."""

    space_id: str
    kind: SpaceKind
    name_zh: str
    name_en: str
    street: str
    basin_id: str | None
    lat: float
    lon: float
    floor_level_m: float
    ceiling_height_m: float
    retired_at: datetime | None
    detail: dict[str, Any] = Field(description="the rest of its site data: storage, exposure, pumps")
    assessment: Assessment | None
    corrected: list[CorrectedOut] = Field(
        description="readings behind the reasons that people corrected since: the level still counts them, in words"
    )
    numbers: KeyNumbers
    entrances: list[EntranceOut]
    sensors: list[SensorOut]
    out_of_service: list[OutOfServiceOut] = Field(description="devices of it that are out of service now")
    thresholds: list[ThresholdOut]
    stock: list[StockOut]
    requirements: list[RequirementOut]


class ObservationOut(BaseModel):
    """One stored reading, with the flag that stands now."""

    observed_at: datetime
    value: float | None
    quality: int
    quality_tests: TestNames
    received_at: datetime
    quality_at_arrival: int = Field(description=AT_ARRIVAL)
    flagged_by: FlaggedBy
    flag_reason: FlagReason


class ObservationRank(Cursor):
    """Sort key of observations."""

    observed_at: datetime


class ObservationPage(Page):
    """Readings of one sensor, newest first."""

    sensor: str
    quantity: str
    unit: str
    zero_level_m: float | None
    since: datetime
    until: datetime
    items: list[ObservationOut]


def summary_of(row: Row) -> SpaceSummary:
    """Return the summary of a row of the ranking."""
    numbers, evidence = key_numbers(row["evidence"]), row["evidence"] or {}
    return SpaceSummary.model_validate(
        {
            **row,
            "blind": bool(row["blind"]),
            "heard": evidence.get("heard") if row["tick_seq"] is not None else False,
            "stand_ins": evidence.get("stand_ins") or [],
            "reasons": row["reasons"] or [],
            "numbers": numbers,
            "stale_after_s": stale_after_s(numbers, row["level"], row["interval_dry_s"], row["interval_wet_s"]),
        }
    )


def sensor_of(row: Row) -> SensorOut:
    """Return a sensor under its key."""
    return SensorOut.model_validate({**row, "sensor": sensor_key(row["device_id"], row["at"], row["quantity"])})
