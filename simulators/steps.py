"""What every run is to its driver: messages up to an instant, then that instant of the run clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

TICK_S = 60
"""The run clock advances by this much. [s]"""


@dataclass(frozen=True, slots=True)
class Message:
    """One MQTT message, as published."""

    topic: str
    payload: bytes
    retain: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the run clock.

    Attributes
    ----------
    seq : int
        Number of this clock message, from 1. The first step has no messages: a run begins with its clock.
    now : datetime
        What the clock says after the messages.
    messages : tuple of Message
        To be published before the clock, in this order.
    readings : int
        Readings in them that must be stored: distinct pairs of sensor and `observed_at`, counting one `online`
        reading for each device's status; without what is lost, sent twice or unreadable on purpose.
    dead_letters : int
        Messages in them that must become dead letters.
    rain_mm_h, rain_total_mm : float
        Rain now, and since the start of the storm. [mm/h], [mm]
    clock : bytes or None
        The clock message as it was recorded; None to write it anew.
    """

    seq: int
    now: datetime
    messages: tuple[Message, ...]
    readings: int
    dead_letters: int
    rain_mm_h: float
    rain_total_mm: float
    clock: bytes | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A run that a driver can play.

    Attributes
    ----------
    name, label : str
        The scenario, and what to call it in front of people.
    district : str
        Second level of the topics that follows the root.
    start, end : datetime
        First and last instant of the run clock.
    peak_at : datetime or None
        When rain or water is worst; None when nothing happens.
    seed : int
        What chance was drawn from.
    steps : iterator of Step
        Consumed once, in order.
    """

    name: str
    label: str
    district: str
    start: datetime
    end: datetime
    peak_at: datetime | None
    seed: int
    steps: Iterator[Step]


def clock_topic(district: str) -> str:
    """Return the topic of the run clock."""
    return f"exercise/v1/{district}/run/clock"


def rfc3339(instant: datetime) -> str:
    """Return an instant in UTC as sensors write it, whole seconds."""
    return f"{instant:%Y-%m-%dT%H:%M:%S}Z"
