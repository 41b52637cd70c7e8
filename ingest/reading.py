"""What a decoder makes of a payload: readings, and the parts it could not read."""

from __future__ import annotations

from typing import NamedTuple

from ingest.reasons import Reason
from undercroft.model import Reading

SHOWN_CHARACTERS = 40
"""How much of a payload's own words the detail of a dead letter repeats."""


def shown(value: object) -> str:
    """Return an odd value of a payload in words: the beginning of a scalar, the type of anything that may be nested.

    JSON is read to a depth of 1,024; ``str`` of what is nested so deeply fails.

    Examples
    --------
    >>> shown(-1), shown("a" * 99), shown([[]])
    ('-1', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'a JSON list')
    """
    if isinstance(value, str):
        return value[:SHOWN_CHARACTERS]
    return str(value)[:SHOWN_CHARACTERS] if isinstance(value, int | float | None) else f"a JSON {type(value).__name__}"


class Fault(NamedTuple):
    """A part of a message that goes to the dead letter."""

    reason: Reason
    detail: str


class Decoded(NamedTuple):
    """What a payload holds."""

    readings: list[Reading]
    faults: list[Fault]
