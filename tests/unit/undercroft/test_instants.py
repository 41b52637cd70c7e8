"""Instants that people type: what is advised is itself accepted."""

from __future__ import annotations

import re

import pytest

from undercroft.errors import BadInput
from undercroft.instants import instant_of


@pytest.mark.parametrize(
    ("typed", "advised"),
    [
        ("2026-07-01", "2026-07-01T00:00:00+08:00"),
        ("2026-07-01T08:30", "2026-07-01T08:30:00+08:00"),
        ("2026-07-01+08:00", "2026-07-01T08:00:00+08:00"),
        ("yesterday", "2026-07-01T08:00:00+08:00"),
    ],
)
def test_what_is_advised_can_be_typed(typed: str, advised: str) -> None:
    with pytest.raises(BadInput, match=re.escape(f"e.g. {advised}") + "$"):
        instant_of(typed, "--from")
    assert instant_of(advised, "--from").isoformat() == advised
