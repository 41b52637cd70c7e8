"""Checks of the duty file: can anybody be told of an alarm at all? The names in it, `duty.file` reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from undercroft.doctor.finding import Finding, bad, good
from undercroft.errors import BadInput
from undercroft.toml_text import read_toml

FILL_IN = "fill in the duty file (docs/operations/duty.md, Set up)"
SET_THEM = (
    "put them into deploy/secrets/duty.env, then `docker compose up --detach --force-recreate duty watch`:"
    " a restart alone reads no environment anew"
)


def check_duty_file(path: Path, environment: Mapping[str, str]) -> list[Finding]:
    """Return whether a duty file names a way to tell somebody, and a fallback, and whether their variables are set."""
    try:
        _, document = read_toml(path)
    except BadInput as error:
        return [bad("duty", f"NOBODY CAN BE TOLD: {error}", FILL_IN)]
    return [judge_duty(document, str(path), environment)]


def judge_duty(document: dict[str, Any], name: str, environment: Mapping[str, str]) -> Finding:
    """Return the finding of a duty file's document.

    Examples
    --------
    >>> judge_duty({}, "duty.toml", {}).seen
    'NOBODY CAN BE TOLD of an alarm: duty.toml names no channel'
    >>> filled = {"channel": [{"id": "office", "url_env": "OFFICE_URL"}], "fallback": ["office:room"]}
    >>> judge_duty(filled, "duty.toml", {"OFFICE_URL": "https://example.org"}).seen
    'duty.toml names 1 channel and 1 fallback'
    >>> judge_duty(filled, "duty.toml", {"OFFICE_URL": ""}).seen
    'NOBODY CAN BE TOLD: duty and watch do not start without OFFICE_URL, which duty.toml names'
    """
    channels, fallback = document.get("channel") or [], document.get("fallback") or []
    if not channels:
        return bad("duty", f"NOBODY CAN BE TOLD of an alarm: {name} names no channel", FILL_IN)
    if not fallback:
        seen = f"{name} names no fallback: the dead-man can tell nobody, nor anybody while the roster is empty"
        return bad("duty", seen, FILL_IN)
    if unset := sorted(set(_variables(channels)) - {key for key, value in environment.items() if value}):
        seen = f"NOBODY CAN BE TOLD: duty and watch do not start without {', '.join(unset)}, which {name} names"
        return bad("duty", seen, SET_THEM)
    return good("duty", f"{name} names {len(channels)} channel{'s' * (len(channels) > 1)} and {len(fallback)} fallback")


def _variables(channels: Iterable[Any]) -> list[str]:
    """Return the environment variables that channels name; what is no channel, `duty.file` refuses."""
    tables = [channel for channel in channels if isinstance(channel, dict)]
    return [str(value) for table in tables for key, value in table.items() if key.endswith("_env") and value]
