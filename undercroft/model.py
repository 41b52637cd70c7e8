"""The nouns that every part agrees on. See ``docs/glossary.md`` for their meaning in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import NamedTuple

from undercroft.quality import Quality


class Mode(StrEnum):
    """What a database is for; live and exercise never mix."""

    LIVE = "live"
    EXERCISE = "exercise"

    @property
    def topic_root(self) -> str:
        """First level of the MQTT topic tree of this mode."""
        return "flood" if self is Mode.LIVE else "exercise"


EXERCISE_MARK = ("【演练】", "[EXERCISE] ")
"""What marks a drill wherever it is shown, Chinese and English."""


class SpaceKind(StrEnum):
    """The five kinds of underground space."""

    CAR_PARK = "car_park"
    METRO_ENTRANCE = "metro_entrance"
    UNDERPASS = "underpass"
    MALL = "mall"
    CIVIL_DEFENCE = "civil_defence"


class Severity(IntEnum):
    """Safety level of a space, and severity of its alarm."""

    NORMAL = 0
    BLUE = 1
    YELLOW = 2
    ORANGE = 3
    RED = 4

    @property
    def word(self) -> str:
        """The word used in payloads and logs."""
        return self.name.lower()


class Reading(NamedTuple):
    """One value decoded from a message, before it is matched to a sensor.

    A tuple, not a dataclass: one is made for every value that arrives, at full speed.

    Attributes
    ----------
    observed_us : int
        The device's time as it said, possible or not. [µs since 1970, UTC]
    at : str
        Entrance or probe, where a device serves several; else empty.
    quantity : str
        A name in `undercroft.quantities`.
    value : float
        In the unit that the quantity's name carries.
    seq : int or None
        The device's serial number, where it sends one.
    """

    observed_us: int
    at: str
    quantity: str
    value: float
    seq: int | None


@dataclass(frozen=True, slots=True)
class Observation:
    """One stored reading. ``(sensor_id, observed_at)`` is its identity."""

    sensor_id: int
    observed_at: datetime
    value: float
    quality: Quality
    received_at: datetime
