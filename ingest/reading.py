"""What a decoder makes of a payload: readings, and the parts it could not read."""

from __future__ import annotations

from typing import NamedTuple

from ingest.reasons import Reason
from undercroft.model import Reading


class Fault(NamedTuple):
    """A part of a message that goes to the dead letter."""

    reason: Reason
    detail: str


class Decoded(NamedTuple):
    """What a payload holds."""

    readings: list[Reading]
    faults: list[Fault]
