"""QARTOD quality flags, as IOOS defines them (QARTOD manuals; ``ioos_qc``)."""

from __future__ import annotations

from enum import IntEnum, IntFlag


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
