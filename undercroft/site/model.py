"""What a ``site.toml`` says. These models are the one definition; the JSON Schema is made from them.

Heights: ``*_level_m`` is above the site datum, ``*_depth_m`` above the floor or roadway at that point.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from undercroft.model import SpaceKind
from undercroft.plain_text import problem_of_text
from undercroft.site.limits import (
    AreaM2,
    BarrierHeightM,
    CapacityM3S,
    CatchmentM2,
    DeployMin,
    DepthM,
    Factor,
    Floors,
    HeightM,
    IntervalS,
    ItemCount,
    LevelM,
    OpenAreaM2,
    People,
    PeriodS,
    RainPeriodS,
    SomeItems,
    SpeedKmH,
    ThresholdValue,
    TopicLevel,
    Vehicles,
    WidthM,
)

Ident = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
"""An identifier that is safe in an MQTT topic level and in a URL."""


def _shown(text: str) -> str:
    if unfit := problem_of_text(text.replace("\0", "")):  # which is refused by its name wherever it stands
        raise ValueError(unfit)
    return text


Name = Annotated[str, Field(min_length=1, max_length=120), AfterValidator(_shown)]
"""One line that is shown, printed and sent."""

FIRST_YEAR, LAST_YEAR = 1900, 2199

DEFAULT_TIMEZONE = "Asia/Shanghai"
"""Of a district that names none, and before there is one."""


def _as_utc(at: datetime) -> datetime:
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise ValueError(f"expected a time from {FIRST_YEAR} to {LAST_YEAR}")
    return at.astimezone(UTC)


Instant = Annotated[AwareDatetime, AfterValidator(_as_utc)]
"""A date and time with offset, kept in UTC."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class LeakageGrade(StrEnum):
    """Water-tightness grade of a flood barrier, JIS A 4716:2019."""

    WS1 = "Ws-1"
    WS2 = "Ws-2"
    WS3 = "Ws-3"
    WS4 = "Ws-4"
    WS5 = "Ws-5"
    WS6 = "Ws-6"


class Barrier(_Part):
    """A flood barrier at an entrance."""

    height_m: BarrierHeightM
    leakage_grade: LeakageGrade = LeakageGrade.WS1
    deploy_min: DeployMin
    """Minutes from the order to a closed barrier. [min]"""


class Entrance(_Part):
    """A way in for people, vehicles and water."""

    id: Ident
    name_zh: Name
    name_en: Name
    width_m: WidthM
    crest_level_m: LevelM
    """Top of the last step, hump or platform: water above it flows in. [m over datum]"""
    roadway_level_m: LevelM
    """Roadway or forecourt in front of the entrance. [m over datum]"""
    barrier_needed: bool = True
    barrier: Barrier | None = None


class Pump(_Part):
    """A sump pump."""

    id: Ident
    capacity_m3_s: CapacityM3S
    on_depth_m: DepthM
    off_depth_m: DepthM


class StorageRow(_Part):
    """One row of the hypsometric table: plan area at a depth over the floor."""

    depth_m: DepthM
    area_m2: AreaM2


class Exposure(_Part):
    """Who and what is there."""

    people_day: People = 0
    people_night: People = 0
    vehicles: Vehicles = 0
    floors_below: Floors = 1
    power_room: bool = False
    single_exit: bool = False
    vulnerable_people: bool = False
    """Hospital, school or home for the elderly above or inside."""


class SensorDef(_Part):
    """One quantity of a device. Depth sensors state the level of their zero."""

    quantity: str
    at: Ident | None = None
    """Probe name in the payload, where a device serves several."""
    entrance: Ident | None = None
    """The entrance it watches; absent: inside the space, or the gauge site itself."""
    zero_level_m: LevelM | None = None
    """Level of depth 0; default: roadway of its entrance, else floor of its space. Of a float switch: where it trips.
    [m over datum]"""
    period_s: RainPeriodS | None = None
    """Period that each rain_depth_mm is the sum of; absent: the time since the word before. [s]"""


class Device(_Part):
    """What speaks MQTT: topic ``flood/v1/{district}/{place}/{device}/...``."""

    id: Ident
    interval_dry_s: IntervalS = 600.0
    interval_wet_s: IntervalS = 60.0
    sensors: tuple[SensorDef, ...] = Field(min_length=1)


class Stock(_Part):
    """Supplies at a depot or on site."""

    item: Ident
    quantity: ItemCount


class Requirement(_Part):
    """Supplies that a space needs, beyond what its entrances imply."""

    item: Ident
    quantity: SomeItems
    entrance: Ident | None = None


class Basin(_Part):
    """Spaces that flood together."""

    id: Ident
    name_zh: Name
    name_en: Name


class _Place(_Part):
    id: Ident
    name_zh: Name
    name_en: Name
    street: Name
    """Street office (街道) responsible."""
    lat: Annotated[float, Field(ge=-90, le=90)]
    lon: Annotated[float, Field(ge=-180, le=180)]


class Space(_Place):
    """An underground space."""

    kind: SpaceKind
    basin: Ident
    floor_level_m: LevelM
    ceiling_height_m: HeightM = 3.0
    catchment_m2: CatchmentM2 = 10_000.0
    """Street area that drains towards its entrances; the simulator's subcatchment. [m²]"""
    open_ramp_m2: OpenAreaM2 = 0.0
    """Open ramps, stairs and shafts whose rain runs in, whatever stands on the street. [m²]"""
    storage: tuple[StorageRow, ...] = Field(min_length=1)
    exposure: Exposure = Exposure()
    entrances: tuple[Entrance, ...] = Field(min_length=1)
    pumps: tuple[Pump, ...] = ()
    devices: tuple[Device, ...] = ()
    stock: tuple[Stock, ...] = ()
    requirements: tuple[Requirement, ...] = ()


class Gauge(_Place):
    """A gauge site: rain, or a level outside any space."""

    basin: Ident
    devices: tuple[Device, ...] = Field(min_length=1)


class Depot(_Place):
    """A store of emergency supplies."""

    stock: tuple[Stock, ...] = ()
    speed_km_h: SpeedKmH = 20.0
    """Travel speed of a loaded vehicle in a storm. [km/h]"""


class ThresholdRow(_Part):
    """One threshold of one rule: at this value the level is reached."""

    rule: Ident
    kind: SpaceKind | None = None
    space: Ident | None = None
    severity: Literal["blue", "yellow", "orange", "red"]
    value: ThresholdValue
    unit: str
    source: Name


class ThresholdSet(_Part):
    """A versioned set of thresholds that overrides those of `undercroft.default_thresholds`."""

    id: Ident
    author: Name
    source: Name
    valid_from: Instant
    rows: tuple[ThresholdRow, ...]


class CommandRow(_Part):
    """Who leads, with which team, by which plan, and who alone speaks (四个一); what is absent keeps its template."""

    space: Ident | None = None
    kind: SpaceKind | None = None
    severity: Literal["yellow", "orange", "red"] | None = None
    """The level at which it holds; absent: at all."""
    leader: Name | None = None
    team: Name | None = None
    plan: Name | None = None
    single_voice: Name | None = None
    """Who alone reports and releases."""


class DecoderKind(StrEnum):
    """Payload formats that a foreign topic may carry; see docs/operations/decoders.md."""

    SENML = "senml"
    CHIRPSTACK = "chirpstack"
    TTN = "ttn"
    SL651 = "sl651"


class FieldMap(_Part):
    """What one field of a foreign payload means: value x scale + offset, in the unit of the quantity."""

    field: Name
    quantity: str
    at: Ident | None = None
    """Probe of the device that the field belongs to."""
    scale: Factor = 1.0
    offset: Factor = 0.0
    invert: bool = False
    """The field is true when the quantity is false."""
    unit: Name | None = None
    """SenML: the unit that the record must state."""
    period_s: PeriodS | None = None
    """Period that a rain depth is the sum of. [s]"""


class DeviceKey(_Part):
    """A name that a device has in foreign payloads."""

    key: Name
    device: Ident


class Decoder(_Part):
    """Which foreign topics are read, in what format, and how their fields map to sensors."""

    id: Ident
    kind: DecoderKind
    topic: Name
    """MQTT topic filter, its first level in full."""
    device_field: Name | None = None
    """ChirpStack, TTN: path of the field that names the device; default: DevEUI, device_id."""
    device_level: TopicLevel | None = None
    """SenML: level of the topic that names the device, from 1; default: the record's name up to its last / or :."""
    devices: tuple[DeviceKey, ...] = ()
    """Devices by foreign name; a name that is absent here is itself the device id, in lower case."""
    fields: tuple[FieldMap, ...] = Field(min_length=1)
    ignore: tuple[Name, ...] = ()
    """Fields that are known and not wanted."""


class District(_Part):
    """The district and its conventions."""

    id: Ident
    name_zh: Name
    name_en: Name
    timezone: str = DEFAULT_TIMEZONE
    datum: Name
    """What level 0 means, in words."""


class Site(_Part):
    """A whole ``site.toml``."""

    district: District
    basins: tuple[Basin, ...] = Field(alias="basin", default=())
    gauges: tuple[Gauge, ...] = Field(alias="gauge", default=())
    depots: tuple[Depot, ...] = Field(alias="depot", default=())
    spaces: tuple[Space, ...] = Field(alias="space", min_length=1)
    threshold_sets: tuple[ThresholdSet, ...] = Field(alias="threshold_set", default=())
    commands: tuple[CommandRow, ...] = Field(alias="command", default=())
    decoders: tuple[Decoder, ...] = Field(alias="decoder", default=())
