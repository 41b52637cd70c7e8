"""QARTOD quality flags, as IOOS defines them (QARTOD manuals; ``ioos_qc``)."""

from __future__ import annotations

from enum import IntEnum


class Quality(IntEnum):
    """How far a value may be trusted. A flag never changes the value."""

    GOOD = 1
    UNKNOWN = 2
    SUSPECT = 3
    FAIL = 4
    MISSING = 9
