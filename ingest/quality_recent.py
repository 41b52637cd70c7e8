"""What quality control remembers of a sensor: its last readings, as the database holds them too. Pure.

The memory is a function of the stored rows, in order of arrival, and of nothing else. So it is the same after a
restart, and the same however the messages are cut into batches.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

MOST_RECENT = 40
"""Readings kept per sensor: half an hour at one a minute, for the flat line test."""
NEVER_US = -(2**62)


class Sample(NamedTuple):
    """A reading that was the newest of its sensor when it came."""

    observed_us: int
    received_us: int
    value: float
    is_failed: bool
    serial: int


@dataclass(frozen=True, slots=True)
class Traits:
    """What the site data says of a sensor, as far as its readings are tested against it."""

    is_level: bool
    interval_s: float
    ceiling_m: float
    """Above it a depth inside is suspect; infinite where there is none. [m]"""
    peers: tuple[int, ...] = ()
    """Sensors of the same quantity, spot and zero."""


@dataclass(slots=True)
class Recent:
    """The last readings of one sensor."""

    samples: deque[Sample] = field(default_factory=lambda: deque(maxlen=MOST_RECENT))
    lost_us: int = NEVER_US
    """Whole second of receipt of the newest reading whose clock was lost. [µs since 1970]"""
    stray_us: int = NEVER_US
    """Time that the last late or lost reading gave... [µs since 1970]"""
    stray_received_us: int = NEVER_US
    """...and its time of receipt. [µs since 1970]"""

    def copy(self) -> Recent:
        """Return one that can be changed without changing this."""
        return Recent(self.samples.copy(), self.lost_us, self.stray_us, self.stray_received_us)

    def note_stray(self, observed_us: int, received_us: int) -> None:
        """Remember a reading that was not the newest; of those received together, the last in the device's time."""
        if (received_us, observed_us) > (self.stray_received_us, self.stray_us):
            self.stray_us, self.stray_received_us = observed_us, received_us

    def note_lost(self, device_us: int, received_us: int) -> None:
        """Remember a reading that is stored at its time of receipt."""
        self.note_stray(device_us, received_us)
        self.lost_us = max(self.lost_us, received_us // 1_000_000 * 1_000_000)

    def last_sound(self) -> tuple[Sample | None, Sample | None]:
        """Return the newest two readings that did not fail, the newest first."""
        newest = None
        for sample in reversed(self.samples):
            if not sample.is_failed:
                if newest is not None:
                    return newest, sample
                newest = sample
        return newest, None

    def unchanged_since_us(self, value: float) -> tuple[int, int]:
        """Return since when, and how often, the sensor has said this very value. [µs since 1970]"""
        since_us, times = NEVER_US, 0
        for sample in reversed(self.samples):
            if sample.is_failed or sample.value != value:
                break
            since_us, times = sample.observed_us, times + 1
        return since_us, times
