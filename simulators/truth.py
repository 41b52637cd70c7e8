"""What really happened in measured floods: when each one passed a depth, to judge alarms by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from simulators.floodnet.events import FloodEvent
from simulators.floodnet.site import device_id


@dataclass(frozen=True, slots=True)
class Crossing:
    """An event that passes a depth.

    Attributes
    ----------
    space_id : str
        Its space in `floodnet_site`; the alarm's subject is ``space/<space_id>``.
    first_at : datetime
        First sample at or above the depth.
    second_at : datetime or None
        Second of the first two consecutive samples at or above it; None when it never holds for two.
    last_at : datetime
        Last sample of the event.
    """

    sensor_id: str
    space_id: str
    flood_start_time: str
    first_at: datetime
    second_at: datetime | None
    last_at: datetime


def crossings(events: Iterable[FloodEvent], threshold_m: float) -> list[Crossing]:
    """Return one crossing for each event that reaches a depth, in the order of the events. [m]"""
    found = []
    for event in events:
        above = [sample for sample in event.samples if sample.depth_m >= threshold_m]
        if not above:
            continue
        pairs = pairwise(event.samples)
        second = next((b.observed_at for a, b in pairs if min(a.depth_m, b.depth_m) >= threshold_m), None)
        found.append(
            Crossing(
                sensor_id=event.sensor_id,
                space_id=device_id(event.sensor_id),
                flood_start_time=event.start_time,
                first_at=above[0].observed_at,
                second_at=second,
                last_at=event.samples[-1].observed_at,
            )
        )
    return found
