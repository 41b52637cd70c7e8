"""Two alarm logs that ought to be one: where they part, by tick, subject and field."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

import orjson


def assert_same_log(found: bytes, expected: bytes) -> None:
    """Fail with the first event in which two canonical alarm logs differ, and every field of it that does."""
    if found == expected:
        return
    pairs = zip_longest(found.splitlines(), expected.splitlines())
    number, (one, other) = next(entry for entry in enumerate(pairs, 1) if entry[1][0] != entry[1][1])
    raise AssertionError(f"the logs part at event {number}: {difference_of(one, other)}")


def difference_of(one: bytes | None, other: bytes | None) -> str:
    """Return in which fields two events differ; None is an event that one of the logs does not have."""
    if one is None or other is None:
        lone = orjson.loads(one or other or b"{}")
        where = "expected" if one is None else "found"
        return f"only what was {where} has {lone['kind']} of {lone['subject']} at {lone['tick_at']}"
    found, expected = orjson.loads(one), orjson.loads(other)
    told = "; ".join(f"{name}: {a!r}, expected {b!r}" for name, a, b in _differences("", found, expected))
    return f"tick of {found['tick_at']}, {found['subject']}: {told}"


def _differences(name: str, found: Any, expected: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(found, dict) and isinstance(expected, dict):
        for key in sorted({*found, *expected}):
            yield from _differences(f"{name}.{key}".lstrip("."), found.get(key), expected.get(key))
    elif isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        for place, (one, other) in enumerate(zip(found, expected, strict=True)):
            yield from _differences(f"{name}[{place}]", one, other)
    elif found != expected:
        yield name, found, expected
