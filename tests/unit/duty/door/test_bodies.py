"""What an act must say: bad bodies are named by field, good ones pass."""

from __future__ import annotations

from typing import Any

import pytest

from duty.door.bodies import problem_of

GOOD: list[tuple[str, str, dict[str, Any]]] = [
    ("acknowledge", "space/a", {"comment": "seen"}),
    ("acknowledge", "system/ingest-lag", {}),
    ("shelve", "space/a", {"reason": "pump test", "minutes": 480}),
    ("stand_down", "space/a", {"evidence": "washed away, photo 3"}),
    ("out_of_service", "device/d", {"reason": "renewal", "minutes": 10_080}),
    ("rain_warning", "warning/w", {"colour": "red", "state": "ended", "basins": ["b"], "streets": []}),
    ("rain_warning", "warning/2026-0701-a", {"state": "ended"}),
    ("field_report", "space/a", {"depth_m": 0.3, "minutes": 1440}),
    (
        "field_report",
        "space/a",
        {"barrier": "deployed", "entrance": "north", "observed_at": "2026-07-01T08:00:00+08:00"},
    ),
    ("note", "incident/b1-20260701T080500Z", {"text": "called", "corrects": 3}),
    ("submit_report", "incident/b1-20260701T080500Z", {"serial": 1}),
    ("stock_movement", "depot/d", {"item": "sandbag", "quantity": -30, "reason": "sent to gar"}),
    ("stock_movement", "space/a", {"item": "sandbag", "counted": 0, "reason": "stock taking"}),
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
    ("rain_warning", "warning/w", {"state": "in_force"}, "colour must be said"),
    ("rain_warning", "warning/w", {"state": "ended", "basins": ["b"] * 501}, "at most 500"),
    ("rain_warning", "warning/" + "w" * 81, {"state": "ended"}, "subject: found"),
    ("rain_warning", "warning/w", {"state": "ended", "until": "2026-07-01"}, "expected RFC 3339 with an offset"),
    ("acknowledge", "space/a", {"coment": "x"}, "coment: there is no such field; acknowledge takes comment"),
    ("acknowledge", "space/a b", {}, "subject: found 'space/a b'"),
    ("acknowledge", "-", {}, "subject: found '-'"),
    ("note", "x", {"text": "y"}, "subject: found 'x'"),
    ("note", "-", {"text": "nul \0 byte"}, "text: expected text without control characters"),
    ("note", "-", {"text": "a\udcffb"}, "text: expected text"),
    ("handover", "-", {"text": "all\nquiet", "to": "wu\n## forged"}, "to: expected one line of text"),
    ("field_report", "space/a", {"depth_m": 10**400}, "depth_m: found 1000"),
    (
        "field_report",
        "space/a",
        {"depth_m": 0.2, "observed_at": "0001-01-01T00:00:00+08:00"},
        "observed_at: found '0001-01-01T00:00:00+08:00', expected a time from 2000 to 2099",
    ),
    ("note", "-", {"text": "y", "corrects": 0}, "corrects: found 0, expected a whole number from 1"),
    ("field_report", "space/a", {}, "one of depth_m, barrier, pump, closed, evacuated must be said"),
    ("field_report", "space/a", {"depth_m": 50.1}, "depth_m: found 50.1, expected 0 to 50"),
    ("field_report", "space/a", {"depth_m": float("nan")}, "depth_m: found nan"),
    ("field_report", "space/a", {"barrier": "shut"}, "barrier: found 'shut', expected one of"),
    ("field_report", "space/a", {"depth_m": 1, "minutes": 1441}, "minutes: found 1441"),
    ("submit_report", "incident/i", {"serial": True}, "serial: found True"),
    ("submit_report", "incident/i", {"serial": -1}, "expected a whole number from 0"),
    (
        "stock_movement",
        "gauge/g",
        {"item": "sandbag", "quantity": 1, "reason": "x"},
        "expected depot/<id> or space/<id>",
    ),
    ("stock_movement", "depot/d", {"item": "sandbag", "quantity": 1}, "reason must be said"),
    ("stock_movement", "depot/d", {"item": "sandbag", "reason": "x"}, "quantity or counted must be said, and not both"),
    ("stock_movement", "depot/d", {"item": "sandbag", "reason": "x", "quantity": 0}, "quantity: found 0"),
    ("stock_movement", "depot/d", {"item": "sandbag", "reason": "x", "counted": -1}, "counted: found -1"),
    ("stock_movement", "depot/d", {"item": "Sand bag", "reason": "x", "counted": 1}, "item: found 'Sand bag'"),
    ("dance", "space/a", {}, "kind: expected one of acknowledge"),
]


@pytest.mark.parametrize(("kind", "subject", "body"), GOOD)
def test_good_bodies_pass(kind: str, subject: str, body: dict[str, Any]) -> None:
    assert problem_of(kind, subject, body) is None


@pytest.mark.parametrize(("kind", "subject", "body", "words"), BAD)
def test_bad_bodies_are_named(kind: str, subject: str, body: dict[str, Any], words: str) -> None:
    problem = problem_of(kind, subject, body)
    assert problem is not None
    assert words in problem
