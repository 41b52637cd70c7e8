"""What a foreign decoder finds, before the site data says which sensors it belongs to."""

from __future__ import annotations

from typing import Any, NamedTuple

from ingest.decode_native import MAX_KEYS, MAX_PROBE_LENGTH
from ingest.reading import Fault
from ingest.reasons import Reason
from ingest.repeated_keys import TWICE
from undercroft.errors import PayloadInvalid

NO_VALUE = object()
"""In place of a value: the device says that it has none."""


class Part(NamedTuple):
    """One value of a foreign payload."""

    device: str
    """As the payload names it."""
    field: str
    observed_us: int
    """[µs since 1970]"""
    value: object
    unit: str | None = None
    seq: int | None = None
    of: str | None = None
    """The field that this one is a bit of; with one bit mapped, the others are not asked for."""


class Parts(NamedTuple):
    """All that a foreign payload holds."""

    parts: list[Part]
    faults: list[Fault]
    by_receipt: bool = False
    """A time of it is relative to the receipt of the message."""


def flattened(body: dict[str, Any]) -> dict[str, object]:
    """Return the leaves of nested objects by dotted path; lists are leaves.

    Raises
    ------
    PayloadInvalid
        If there are more than `MAX_KEYS`, or two of one path.

    Examples
    --------
    >>> flattened({"a": {"b": 1}, "c": [2]})
    {'a.b': 1, 'c': [2]}
    """
    leaves: dict[str, object] = {}
    waiting: list[tuple[str, object]] = [("", body)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict):
            if len(leaves) + len(waiting) + len(value) > MAX_KEYS:  # before the paths are made: they can be long
                raise PayloadInvalid(Reason.TOO_MANY_READINGS, f"more than {MAX_KEYS} fields")
            waiting += [(f"{path}.{key}" if path else key, value[key]) for key in reversed(value)]
        elif path in leaves:
            raise PayloadInvalid(Reason.WRONG_TYPE, f"{path[:MAX_PROBE_LENGTH]!r} is there twice")
        else:
            leaves[path] = value
    return leaves


def value_at(body: dict[str, Any], path: str) -> object:
    """Return the value at a dotted path; None where there is nothing, `TWICE` where a key on the way is repeated."""
    value: object = body
    for key in path.split("."):
        if value is not TWICE:
            value = value.get(key) if isinstance(value, dict) else None
    return value
