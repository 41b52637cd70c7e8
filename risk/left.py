"""Sensors that a site import took out while their last word still stands, and the entrances that went with them.

The engine goes on with a *left* sensor as with one that fell silent, at the place where it was: see `risk.replaced`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from risk.sensors import SensorSpec
from undercroft.site.model import Entrance


@dataclass(frozen=True, slots=True)
class LeftSensor:
    """A sensor that the site no longer has there.

    ``since_us`` is the last tick before it was taken out, ``beside`` names those that stood at its spot then, and those
    that are missed there since before.
    """

    spec: SensorSpec
    since_us: int
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Left:
    """What an import left behind.

    ``entrances``: space and entrance as it was, of those that are gone too. ``missed``: sensors that were taken out of
    their spot and in whose place nobody came yet, left or not: whoever comes may have come for them.
    """

    sensors: tuple[LeftSensor, ...] = ()
    entrances: tuple[tuple[str, Entrance], ...] = ()
    missed: tuple[SensorSpec, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.sensors or self.entrances)

    def as_json(self) -> dict[str, Any]:
        """Return it as a snapshot keeps it."""
        return {
            "sensors": [
                {"spec": asdict(one.spec), "since_us": one.since_us, "beside": one.beside} for one in self.sensors
            ],
            "entrances": [[space, entrance.model_dump(mode="json")] for space, entrance in self.entrances],
            "missed": [asdict(spec) for spec in self.missed],
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Left:
        """Return what `as_json` kept."""
        return cls(
            tuple(
                LeftSensor(SensorSpec(**one["spec"]), one["since_us"], tuple(one["beside"])) for one in kept["sensors"]
            ),
            tuple((space, Entrance.model_validate(entrance)) for space, entrance in kept["entrances"]),
            tuple(SensorSpec(**spec) for spec in kept.get("missed", ())),  # version 17 began without
        )


NOTHING = Left()
