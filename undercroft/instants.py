"""Instants that people type."""

from __future__ import annotations

from datetime import datetime

from undercroft.errors import BadInput


def instant_of(text: str, option: str) -> datetime:
    """Return an instant that was typed in.

    Raises
    ------
    BadInput
        If it is not RFC 3339 with an offset.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"{option} {text!r} is not RFC 3339, e.g. 2026-07-01T08:00:00+08:00") from error
    if found.tzinfo is None:
        raise BadInput(f"{option} {text!r} has no offset, e.g. {text}+08:00")
    return found
