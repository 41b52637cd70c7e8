"""The canonical alarm log: what was alarmed, when and why, in a form that two runs can be compared by.

JSON Lines sorted by (tick_at, subject, event number), keys sorted, values at their declared resolution, no database
ids, no receive or commit times. Its SHA-256 is ``alarm_log_sha256``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from risk.facts.fact import DECIMALS


def canonical_line(event: Mapping[str, Any]) -> bytes:
    """Return one event as a line without its end; ``tick_at`` may be an instant or text."""
    return orjson.dumps(
        {
            "tick_at": _instant(event["tick_at"]),
            "subject": event["subject"],
            "event_no": event["event_no"],
            "occurrence": event["occurrence"],
            "kind": event["kind"],
            "severity": event["severity"],
            "reasons": [_rounded(reason) for reason in event["reasons"]],
            "detail": event["detail"],
        },
        option=orjson.OPT_SORT_KEYS,
    )


def _instant(value: datetime | str) -> str:
    if isinstance(value, str):
        return value
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _rounded(reason: Mapping[str, Any]) -> dict[str, Any]:
    decimals = DECIMALS.get(str(reason["unit"]), 3)
    numbers = {
        name: round(float(reason[name]), decimals) for name in ("value", "threshold") if reason.get(name) is not None
    }
    return {**reason, **numbers}


def canonical_log(events: Iterable[Mapping[str, Any]]) -> bytes:
    """Return the whole log: a line per event in canonical order, each ended by a newline."""
    ordered = sorted(events, key=lambda event: (_instant(event["tick_at"]), event["subject"], event["event_no"]))
    return b"".join(canonical_line(event) + b"\n" for event in ordered)


def log_sha256(log: bytes) -> str:
    """Return the hash by which two runs are compared."""
    return hashlib.sha256(log).hexdigest()
