"""The floods of one local day, with the time around them that a run needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from simulators.floodnet.events import NEW_YORK, FloodEvent, FloodSensor
from undercroft.errors import ScenarioInvalid

BEFORE = timedelta(minutes=30)
AFTER = timedelta(minutes=60)
"""A run begins before the first flood and goes on after the last, so that alarms can clear."""


@dataclass(frozen=True, slots=True)
class FloodDay:
    """What is played.

    Attributes
    ----------
    of_day : tuple of FloodEvent
        Events that overlap the day: those that the run is judged by.
    events : tuple of FloodEvent
        These and every other event of the same sensors that the window touches.
    sensors : tuple of FloodSensor
        Sensors with an event that overlaps the day, by id.
    start, end : datetime
        The window: whole minutes, UTC; the day and all of its events, with time before and after.
    """

    day: date
    of_day: tuple[FloodEvent, ...]
    events: tuple[FloodEvent, ...]
    sensors: tuple[FloodSensor, ...]
    start: datetime
    end: datetime


def flood_day(
    events: Sequence[FloodEvent], sensors: dict[str, FloodSensor], day: date, timezone: ZoneInfo = NEW_YORK
) -> FloodDay:
    """Return the floods that overlap a local day.

    Raises
    ------
    ScenarioInvalid
        If there are none, or the sensor table lacks one of their sensors.
    """
    day_start = datetime(day.year, day.month, day.day, tzinfo=timezone).astimezone(UTC)
    next_day = day + timedelta(days=1)
    day_end = datetime(next_day.year, next_day.month, next_day.day, tzinfo=timezone).astimezone(UTC)
    of_day = [event for event in events if event.start_at < day_end and last_at(event) >= day_start]
    if not of_day:
        raise ScenarioInvalid(f"--day {day}: no event overlaps this day")
    missing = sorted({event.sensor_id for event in of_day} - set(sensors))
    if missing:
        raise ScenarioInvalid(f"sensor {missing[0]} has events on {day} but no row in the sensor table")
    start = _whole_minute(min([day_start, *(event.start_at for event in of_day)]) - BEFORE)
    end = _whole_minute(max([day_end, *(last_at(event) for event in of_day)]) + AFTER)
    ids = {event.sensor_id for event in of_day}
    played = [e for e in events if e.sensor_id in ids and e.start_at < end and last_at(e) > start]
    return FloodDay(
        day=day,
        of_day=tuple(sorted(of_day, key=_order)),
        events=tuple(sorted(played, key=_order)),
        sensors=tuple(sensors[sensor_id] for sensor_id in sorted(ids)),
        start=start,
        end=end,
    )


def last_at(event: FloodEvent) -> datetime:
    """Return the time of the last sample."""
    return event.samples[-1].observed_at


def _order(event: FloodEvent) -> tuple[datetime, str]:
    return event.start_at, event.sensor_id


def _whole_minute(instant: datetime) -> datetime:
    return instant.replace(second=0, microsecond=0)
