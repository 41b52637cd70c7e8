"""What the body of an act must say, and within which limits. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from risk.asked import MOST_SHELVED_MIN
from risk.lifecycle import MOST_OUT_OF_SERVICE_MIN
from risk.warnings import COLOUR_RANK

FIELDS: Mapping[str, tuple[str, ...]] = {
    "shelve": ("reason", "minutes"), "stand_down": ("evidence",), "out_of_service": ("reason", "minutes"),
    "note": ("text",), "phone": ("text", "caller", "unit", "phone"), "rain_warning": ("colour", "state"),
}  # fmt: skip
"""What must be said; what is named here and not in `LISTS` or as minutes is text."""

TEXTS = frozenset({"reason", "evidence", "text", "caller", "unit", "phone", "comment", "colour", "state"})
LISTS = frozenset({"basins", "streets"})
MOST_CHARACTERS = 4000
MOST_MINUTES: Mapping[str, float] = {"shelve": MOST_SHELVED_MIN, "out_of_service": MOST_OUT_OF_SERVICE_MIN}
SUBJECT_KINDS: Mapping[str, tuple[str, ...]] = {
    "stand_down": ("space",), "out_of_service": ("device",), "in_service": ("device",),
}  # fmt: skip


def problem_of(kind: str, subject: str, body: Mapping[str, Any]) -> str | None:
    """Return what is wrong with an act, naming the field and what was expected; None where nothing is.

    Examples
    --------
    >>> problem_of("out_of_service", "device/d1", {"reason": "mended", "minutes": -5})
    'minutes: found -5, expected more than 0 and at most 10080'
    >>> problem_of("rain_warning", "warning/a", {"colour": "mauve", "state": "in_force"})
    "colour: found 'mauve', expected yellow, orange or red"
    """
    kinds = SUBJECT_KINDS.get(kind)
    if kinds is not None and subject.partition("/")[0] not in kinds:
        return f"subject: found {subject!r}, expected {' or '.join(kinds)}/<id>"
    for name, value in body.items():
        if name in TEXTS and value is not None and not isinstance(value, str):
            return f"{name}: expected text"
        if isinstance(value, str) and len(value) > MOST_CHARACTERS:
            return f"{name}: found {len(value)} characters, expected at most {MOST_CHARACTERS}"
        if name in LISTS and not (isinstance(value, list | tuple) and all(isinstance(entry, str) for entry in value)):
            return f"{name}: expected a list of names"
    missing = [name for name in FIELDS.get(kind, ()) if _is_empty(body.get(name))]
    if missing:
        return f"{', '.join(missing)} must be said"
    return _minutes(kind, body.get("minutes")) or _warning(kind, body)


def _is_empty(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _minutes(kind: str, minutes: object) -> str | None:
    most = MOST_MINUTES.get(kind)
    if most is None:
        return None
    if isinstance(minutes, int | float) and not isinstance(minutes, bool) and 0 < minutes <= most:
        return None
    return f"minutes: found {minutes!r}, expected more than 0 and at most {most:g}"


def _warning(kind: str, body: Mapping[str, Any]) -> str | None:
    if kind != "rain_warning":
        return None
    if body["colour"] not in COLOUR_RANK:
        return f"colour: found {body['colour']!r}, expected yellow, orange or red"
    if body["state"] not in {"in_force", "ended"}:
        return f"state: found {body['state']!r}, expected in_force or ended"
    return None
