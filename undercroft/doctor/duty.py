"""Checks of the duty file: can anybody be told of an alarm at all? The names in it, `duty.file` reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from undercroft.doctor.finding import Finding, bad, good
from undercroft.errors import BadInput
from undercroft.toml_text import read_toml

FILL_IN = "fill in the duty file (docs/operations/duty.md, Set up)"


def check_duty_file(path: Path) -> list[Finding]:
    """Return whether a duty file names a way to tell somebody, and a fallback."""
    try:
        _, document = read_toml(path)
    except BadInput as error:
        return [bad("duty", f"NOBODY CAN BE TOLD: {error}", FILL_IN)]
    return [judge_duty(document, str(path))]


def judge_duty(document: dict[str, Any], name: str) -> Finding:
    """Return the finding of a duty file's document.

    Examples
    --------
    >>> judge_duty({}, "duty.toml").seen
    'NOBODY CAN BE TOLD of an alarm: duty.toml names no channel'
    >>> judge_duty({"channel": [{"id": "office"}], "fallback": ["office:room"]}, "duty.toml").seen
    'duty.toml names 1 channel and 1 fallback'
    """
    channels, fallback = document.get("channel") or [], document.get("fallback") or []
    if not channels:
        return bad("duty", f"NOBODY CAN BE TOLD of an alarm: {name} names no channel", FILL_IN)
    if not fallback:
        seen = f"{name} names no fallback: the dead-man can tell nobody, nor anybody while the roster is empty"
        return bad("duty", seen, FILL_IN)
    return good("duty", f"{name} names {len(channels)} channel{'s' * (len(channels) > 1)} and {len(fallback)} fallback")
