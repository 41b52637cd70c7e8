"""QARTOD quality flags, as IOOS defines them (QARTOD manuals; ``ioos_qc``)."""

from __future__ import annotations

from datetime import timedelta
from enum import IntEnum, IntFlag

MOST_AHEAD = timedelta(minutes=10)
"""A reading may lie ahead of its receipt by so much; beyond it the device has lost its clock."""


class Quality(IntEnum):
    """How far a value may be trusted. A flag never changes the value."""

    GOOD = 1
    UNKNOWN = 2
    SUSPECT = 3
    FAIL = 4
    MISSING = 9


class QualityTest(IntFlag):
    """Which tests gave an observation its flag; bits of ``observation.quality_tests``."""

    CLOCK_LOST = 1
    """The device's time was impossible and is replaced by the time of receipt: may raise, may not clear."""
    GROSS_RANGE = 2
    """Outside what the quantity can be."""
    SPIKE = 4
    """One sample away from both its neighbours, which agree: known when the next one is there, flagged afterwards."""
    RATE_OF_CHANGE = 8
    """A change faster than water is taken to rise: suspect, never more."""
    FLAT_LINE = 16
    """The very same value for long, while wet."""
    GAP = 32
    """The first reading after missed intervals; says nothing about the value."""
    FROZEN_CLOCK = 64
    """Another value under the time of the newest reading: the device's clock stands still."""
    REPEATED_SERIAL = 128
    """The serial number of the reading before, at another time."""
    CLOCK_SKEW = 256
    """Device and receive time differ by more than a minute; says nothing about the value."""
    CROSS_CHECK = 512
    """A sensor of the same quantity at the same spot says something else."""
    LATE = 1024
    """Older than the newest stored reading of its sensor: history."""
    BUFFERED = 2048
    """Taken long before it arrived; counts only as the newest of its sensor."""
    OPERATOR = 4096
    """A person said so, with a reason."""
    INSIDE_OUTSIDE = 8192
    """Water rises inside while every entrance is dry: a leak, a pump that fails, or a faulty sensor."""
    FLOAT_GAUGE = 16384
    """A float switch and a gauge of the same spot contradict each other."""
    COUNTER_JUMP = 32768
    """A rain counter shows what cannot have fallen since: a changed gauge, a restored counter, or a wrong word."""


def names_of_tests(bits: int) -> list[str]:
    """Return the names of the tests in ``quality_tests``, as the glossary has them in both languages.

    Examples
    --------
    >>> names_of_tests(8192 | 1024)
    ['late', 'inside_outside']
    """
    return [str(test.name).lower() for test in QualityTest if bits & test]
