"""Instants that people type."""

from __future__ import annotations

from datetime import UTC, datetime

from undercroft.errors import BadInput

EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
"""Between which every instant lies that somebody may mean. Far beyond them a time zone or a database cannot follow."""

_NOT_ONE = "is not RFC 3339, e.g. 2026-07-01T08:00:00+08:00"
_SEPARATORS = frozenset({"", "T", "t", " "})

MEANT = f"expected a time from {EARLIEST.year} to {LATEST.year - 1}"


def is_meant(at: datetime) -> bool:
    """Tell whether an instant with an offset can be meant: from 2000 to 2099.

    Examples
    --------
    >>> is_meant(datetime.fromisoformat("0001-01-01T00:00:00+08:00"))
    False
    """
    return EARLIEST <= at < LATEST


def instant_of(text: str, option: str) -> datetime:
    """Return an instant that was typed in.

    Raises
    ------
    BadInput
        If it is not RFC 3339 with an offset, or cannot be meant.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"{option} {text!r} {_NOT_ONE}") from error
    if text[10:11] not in _SEPARATORS:  # Python takes any character for the T, the sign of an offset too
        raise BadInput(f"{option} {text!r} {_NOT_ONE}")
    if found.tzinfo is None:
        raise BadInput(f"{option} {text!r} has no offset, e.g. {found.isoformat()}+08:00")
    if not is_meant(found):
        raise BadInput(f"{option} {text!r}: {MEANT}")
    return found
