"""What an act must say: bad bodies are named by field, good ones pass."""

from __future__ import annotations

from typing import Any

import pytest

from duty.act_bodies import problem_of

GOOD: list[tuple[str, str, dict[str, Any]]] = [
    ("acknowledge", "space/a", {"comment": "seen"}),
    ("acknowledge", "system/ingest-lag", {}),
    ("shelve", "space/a", {"reason": "pump test", "minutes": 480}),
    ("stand_down", "space/a", {"evidence": "washed away, photo 3"}),
    ("out_of_service", "device/d", {"reason": "renewal", "minutes": 10_080}),
    ("rain_warning", "warning/w", {"colour": "red", "state": "ended", "basins": ["b"], "streets": []}),
]

BAD: list[tuple[str, str, dict[str, Any], str]] = [
    ("shelve", "space/a", {"reason": ["x"], "minutes": 5}, "reason: expected text"),
    ("shelve", "space/a", {"reason": "x", "minutes": 481}, "minutes: found 481"),
    ("shelve", "space/a", {"reason": "  ", "minutes": 5}, "reason must be said"),
    ("out_of_service", "device/d", {"reason": "x", "minutes": 0}, "minutes: found 0"),
    ("out_of_service", "device/d", {"reason": "x", "minutes": "abc"}, "minutes: found 'abc'"),
    ("out_of_service", "device/d", {"reason": "x", "minutes": True}, "minutes: found True"),
    ("out_of_service", "device/d", {"reason": "x", "minutes": float("nan")}, "minutes: found nan"),
    ("out_of_service", "space/a", {"reason": "x", "minutes": 5}, "expected device/<id>"),
    ("stand_down", "device/d", {"evidence": "x"}, "expected space/<id>"),
    ("note", "-", {"text": "x" * 4001}, "found 4001 characters, expected at most 4000"),
    ("rain_warning", "warning/w", {"colour": "red", "state": "over"}, "expected in_force or ended"),
    ("rain_warning", "warning/w", {"colour": "red", "state": "ended", "basins": "b"}, "basins: expected a list"),
]


@pytest.mark.parametrize(("kind", "subject", "body"), GOOD)
def test_good_bodies_pass(kind: str, subject: str, body: dict[str, Any]) -> None:
    assert problem_of(kind, subject, body) is None


@pytest.mark.parametrize(("kind", "subject", "body", "words"), BAD)
def test_bad_bodies_are_named(kind: str, subject: str, body: dict[str, Any], words: str) -> None:
    problem = problem_of(kind, subject, body)
    assert problem is not None
    assert words in problem
