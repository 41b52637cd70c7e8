"""What the body of an act must say, and within which limits. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any

from risk.asked import MOST_SHELVED_MIN
from risk.lifecycle import MOST_OUT_OF_SERVICE_MIN
from risk.reports import MOST_DEPTH_M, PUMP_WORDS
from risk.warnings import COLOUR_RANK
from undercroft.instants import MEANT, is_meant
from undercroft.plain_text import problem_of_text
from undercroft.quantities import BARRIER_STATE_BY_WORD
from undercroft.site.limits import MOST_ITEMS

ALARMS = ("space", "device", "system")
ANYTHING = ("space", "device", "system", "basin", "incident", "warning", "order")


@dataclass(frozen=True, slots=True)
class Form:
    """What may be the subject of an act, what must be said, and what may be."""

    subjects: tuple[str, ...]
    must: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    or_none: bool = False
    """Whether ``-`` may be the subject: the whole district."""


FORMS: Mapping[str, Form] = {
    "acknowledge": Form((*ALARMS, "incident"), (), ("comment",)),
    "shelve": Form(ALARMS, ("reason", "minutes"), ("comment",)),
    "unshelve": Form(ALARMS, (), ("comment",)),
    "stand_down": Form(("space",), ("evidence",), ("comment",)),
    "out_of_service": Form(("device",), ("reason", "minutes"), ("comment",)),
    "in_service": Form(("device",), (), ("comment",)),
    "rain_warning": Form(("warning",), ("state",), ("colour", "basins", "streets", "until", "issued_at")),
    "field_report": Form(
        ("space",), (),
        ("entrance", "depth_m", "barrier", "pump", "closed", "evacuated", "by", "phone", "note", "minutes",
         "observed_at"),
    ),
    "note": Form(ANYTHING, ("text",), ("corrects",), or_none=True),
    "phone": Form(ANYTHING, ("text", "caller", "unit", "phone"), ("corrects",), or_none=True),
    "handover": Form((), ("text", "to"), (), or_none=True),
    "submit_report": Form(("incident",), ("serial",), ("comment",)),
    "stock_movement": Form(("depot", "space"), ("item", "reason"), ("quantity", "counted")),
}  # fmt: skip

TEXTS = frozenset({
    "reason", "evidence", "text", "caller", "unit", "phone", "comment", "colour", "state", "by", "note", "barrier",
    "entrance", "item", "to", "pump", *(INSTANTS := ("until", "issued_at", "observed_at")),
})  # fmt: skip
OF_SEVERAL_LINES = frozenset({"reason", "evidence", "text", "comment", "note"})
LISTS = frozenset({"basins", "streets"})
FLAGS = frozenset({"closed", "evacuated"})
COUNTS = frozenset({"serial", "corrects"})
NUMBERS = frozenset({"minutes", "depth_m", "quantity", "counted"})
SEEN = ("depth_m", "barrier", "pump", "closed", "evacuated")
"""What a field report may speak of."""
MOST_CHARACTERS = 4000
MOST_NAMES = 500
MOST_REPORT_MIN = 1440.0
MOST_MINUTES: Mapping[str, float] = {
    "shelve": MOST_SHELVED_MIN, "out_of_service": MOST_OUT_OF_SERVICE_MIN, "field_report": MOST_REPORT_MIN,
}  # fmt: skip
ITEM = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
MOST_ID_CHARACTERS = 80
SUBJECT = re.compile(rf"[a-z]+/[\w.:-]{{1,{MOST_ID_CHARACTERS}}}")


def problem_of(kind: str, subject: str, body: Mapping[str, Any]) -> str | None:
    """Return what is wrong with an act, naming the field and what was expected; None where nothing is.

    Examples
    --------
    >>> problem_of("out_of_service", "device/d1", {"reason": "mended", "minutes": -5})
    'minutes: found -5, expected more than 0 and at most 10080'
    >>> problem_of("rain_warning", "warning/a", {"colour": "mauve", "state": "in_force"})
    "colour: found 'mauve', expected yellow, orange or red"
    >>> problem_of("acknowledge", "space/a", {"coment": "mine"})
    'coment: there is no such field; acknowledge takes comment'
    """
    form = FORMS.get(kind)
    if form is None:
        return f"kind: expected one of {', '.join(FORMS)}"
    for found in (_subject(form, subject), _fields(kind, form, body), _minutes(kind, form, body)):
        if found is not None:
            return found
    if kind == "rain_warning":
        return _warning(body)
    if kind == "stock_movement":
        return _movement(body)
    return _report(body) if kind == "field_report" else None


def _subject(form: Form, subject: str) -> str | None:
    if form.or_none and subject == "-":
        return None
    if subject.partition("/")[0] not in form.subjects or SUBJECT.fullmatch(subject) is None:
        wanted = [f"{name}/<id>" for name in form.subjects] or ["-"]
        return f"subject: found {subject[:100]!r}, expected {' or '.join(wanted)}"
    return None


def _fields(kind: str, form: Form, body: Mapping[str, Any]) -> str | None:
    taken = (*form.must, *form.may)
    for name, value in body.items():
        if name not in taken:
            return f"{name[:40]}: there is no such field; {kind} takes {', '.join(taken)}"
        problem = None if value is None else _value(name, value)
        if problem is not None:
            return f"{name}: {problem}"
    missing = [name for name in form.must if _is_empty(body.get(name))]
    return f"{', '.join(missing)} must be said" if missing else None


def _value(name: str, value: object) -> str | None:  # noqa: PLR0911 - one return for each kind of value
    if name in TEXTS:
        if not isinstance(value, str):
            return "expected text"
        if len(value) > MOST_CHARACTERS:
            return f"found {len(value)} characters, expected at most {MOST_CHARACTERS}"
        unfit = problem_of_text(value, lines=name in OF_SEVERAL_LINES)
        return _instant(value) if unfit is None and name in INSTANTS else unfit
    if name in LISTS:
        names = value if isinstance(value, list | tuple) and len(value) <= MOST_NAMES else [None]
        good = all(isinstance(entry, str) and len(entry) <= 100 and not problem_of_text(entry) for entry in names)
        return None if good else f"expected a list of names, at most {MOST_NAMES}"
    if name in FLAGS and not isinstance(value, bool):
        return f"found {value!r}, expected true or false"
    least = 0 if name == "serial" else 1  # report 0 is the one by phone
    if name in COUNTS and not (isinstance(value, int) and not isinstance(value, bool) and least <= value < 2**31):
        return f"found {value!r}, expected a whole number from {least}"
    return None


def _is_empty(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _is_number(value: object) -> bool:
    if isinstance(value, bool):
        return False
    return (isinstance(value, float) and isfinite(value)) or (isinstance(value, int) and abs(value) < 2**63)


def _instant(text: str) -> str | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        return f"found {text[:40]!r}, expected RFC 3339 with an offset, e.g. 2026-07-01T08:00:00+08:00"
    return None if is_meant(at) else f"found {text[:40]!r}, {MEANT}"


def _minutes(kind: str, form: Form, body: Mapping[str, Any]) -> str | None:
    most, minutes = MOST_MINUTES.get(kind), body.get("minutes")
    if most is None or (minutes is None and "minutes" in form.may):
        return None
    if _is_number(minutes) and 0 < float(minutes or 0) <= most:
        return None
    return f"minutes: found {minutes!r}, expected more than 0 and at most {most:g}"


def _warning(body: Mapping[str, Any]) -> str | None:
    if body["state"] not in {"in_force", "ended"}:
        return f"state: found {body['state']!r}, expected in_force or ended"
    if body["state"] == "in_force" and body.get("colour") is None:
        return "colour must be said"
    if body.get("colour") is not None and body["colour"] not in COLOUR_RANK:
        return f"colour: found {body['colour']!r}, expected yellow, orange or red"
    return None


def _movement(body: Mapping[str, Any]) -> str | None:
    if ITEM.fullmatch(body["item"]) is None:
        return f"item: found {body['item'][:40]!r}, expected an item such as sandbag: a-z, 0-9, -"
    quantity, counted = body.get("quantity"), body.get("counted")
    if (quantity is None) == (counted is None):
        return "quantity or counted must be said, and not both"
    if quantity is not None and not (_is_number(quantity) and 0 < abs(quantity) <= MOST_ITEMS):
        return f"quantity: found {quantity!r}, expected more or less than 0, at most {MOST_ITEMS:g}"
    if counted is not None and not (_is_number(counted) and 0 <= counted <= MOST_ITEMS):
        return f"counted: found {counted!r}, expected 0 to {MOST_ITEMS:g}"
    return None


def _report(body: Mapping[str, Any]) -> str | None:
    depth_m, barrier, pump = body.get("depth_m"), body.get("barrier"), body.get("pump")
    if all(body.get(name) is None for name in SEEN):
        return f"one of {', '.join(SEEN)} must be said"
    if pump is not None and pump not in PUMP_WORDS:
        return f"pump: found {pump!r}, expected {' or '.join(PUMP_WORDS)}"
    if depth_m is not None and not (_is_number(depth_m) and 0 <= depth_m <= MOST_DEPTH_M):
        return f"depth_m: found {depth_m!r}, expected 0 to {MOST_DEPTH_M:g}"
    if barrier is not None and barrier not in BARRIER_STATE_BY_WORD:
        return f"barrier: found {barrier!r}, expected one of {', '.join(BARRIER_STATE_BY_WORD)}"
    return None
