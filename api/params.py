"""Parameters and small models that several resources share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from undercroft.errors import BadInput
from undercroft.local_time import zone_of

IDENT = r"[a-z0-9][a-z0-9-]{0,39}"

SpaceId = Annotated[
    str, Path(pattern=f"^{IDENT}$", description="id of the space in the site file", examples=["futian-01"])
]
Subject = Annotated[
    str,
    Query(
        pattern=r"^(space|device|system)/[a-z0-9][a-z0-9_.-]{0,79}$",
        description="`space/<space_id>`, `device/<device_id>` or `system/<name>`",
    ),
]
SensorKey = Annotated[
    str,
    Query(
        pattern=rf"^{IDENT}(/{IDENT})?:[a-z][a-z0-9_-]{{0,59}}$",
        description="`device:quantity`, or `device/at:quantity` where the device serves several probes",
    ),
]


FIRST, LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""Times that may be asked for: none before there was rain measured here, none that overflows a reckoning with it."""


def as_utc(at: datetime) -> datetime:
    """Return the same instant in UTC; a ValueError if no clock of ours can show it."""
    try:
        at = at.astimezone(UTC)
    except OverflowError:
        at = datetime.max.replace(tzinfo=UTC)
    if not FIRST <= at < LAST:
        raise ValueError(f"expected a time from {FIRST:%Y-%m-%d} to {LAST:%Y-%m-%d}")
    return at


Instant = Annotated[AwareDatetime, AfterValidator(as_utc)]
"""A date and time with offset, kept in UTC."""


def _known_zone(name: str) -> str:
    try:
        zone_of(name)
    except BadInput as error:
        raise ValueError(str(error)) from None
    return name


Zone = Annotated[str, Field(min_length=1, max_length=40), AfterValidator(_known_zone)]
"""A time zone of the IANA list."""

Level = Annotated[int, Field(ge=0, le=4, description="0 normal, 1 blue, 2 yellow, 3 orange, 4 red")]


class Reason(BaseModel):
    """Why a level is what it is: what was measured, against what, from where, when."""

    model_config = ConfigDict(extra="allow")

    rule: str
    severity: int
    value: float | None = None
    unit: str | None = None
    threshold: float | None = None
    source: str | None = Field(None, description="where the threshold comes from")
    sensor: str | None = Field(None, description="`device:quantity` of the reading")
    observed_at: datetime | None = None
    text_en: str = ""
    text_zh: str = ""


def split_sensor_key(key: str) -> dict[str, Any]:
    """Return ``device_id``, ``at`` and ``quantity`` of a sensor key.

    Examples
    --------
    >>> split_sensor_key("d1/north:water_depth_m")
    {'device_id': 'd1', 'at': 'north', 'quantity': 'water_depth_m'}
    """
    device, _, quantity = key.partition(":")
    device_id, _, at = device.partition("/")
    return {"device_id": device_id, "at": at, "quantity": quantity}


def sensor_key(device_id: str, at: str, quantity: str) -> str:
    """Return the key that reasons and logs show."""
    return f"{device_id}/{at}:{quantity}" if at else f"{device_id}:{quantity}"
