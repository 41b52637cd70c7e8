"""A test that compares two alarm logs says where they part."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.same_log import assert_same_log


def log(*events: dict[str, Any]) -> bytes:
    return b"".join(orjson.dumps(event) + b"\n" for event in events)


FIRST = {"tick_at": "08:00", "subject": "space/up", "kind": "raised", "severity": 3, "reasons": [{"value": 0.16}]}
SECOND = FIRST | {"tick_at": "08:10", "kind": "cleared", "severity": 0}


def test_the_same_log_is_the_same() -> None:
    assert_same_log(log(FIRST, SECOND), log(FIRST, SECOND))


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ((FIRST, SECOND | {"severity": 2}), r"event 2: tick of 08:10, space/up: severity: 2, expected 0$"),
        ((FIRST | {"reasons": [{"value": 0.17}]}, SECOND), r"event 1: .* reasons\[0\].value: 0.17, expected 0.16$"),
        ((FIRST,), r"event 2: only what was expected has cleared of space/up at 08:10"),
        ((FIRST, SECOND, SECOND), r"event 3: only what was found has cleared of space/up at 08:10"),
    ],
)
def test_logs_that_part_are_told_by_tick_and_field(found: tuple[dict[str, Any], ...], words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        assert_same_log(log(*found), log(FIRST, SECOND))
