"""The report of a demonstration run: what was published, what was stored, which alarms came and why."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from risk.canonical import canonical_log, log_sha256
from undercroft.store.connection import Connection
from undercroft.store.demo import Row, fetch_all, fetch_one
from undercroft.store.engine import alarm_events

REASON_KEYS = ("rule", "value", "unit", "threshold", "source", "sensor", "observed_at")


@dataclass(frozen=True, slots=True)
class Measured:
    """What only the demonstration itself can measure.

    Attributes
    ----------
    wall_seconds : float
        From the first process started to the last tick committed. [s]
    first_assessment_seconds : float or None
        From the first process started to the first tick committed. [s]
    memory_mb : float
        Largest sum of PSS over all processes seen during the run. [MB]
    """

    scenario: str
    wall_seconds: float
    first_assessment_seconds: float | None
    memory_mb: float


def build_report(connection: Connection, stats: dict[str, Any], measured: Measured) -> dict[str, Any]:
    """Put the simulator's count beside the database's, so that the two can disagree."""
    counts = fetch_one(connection, "report_counts") or {}
    return {
        "scenario": measured.scenario,
        "wall_seconds": round(measured.wall_seconds, 2),
        "first_assessment_seconds": measured.first_assessment_seconds,
        "simulated_seconds": stats["simulated_seconds"],
        "messages": {
            "published": stats["messages_published"],
            "received": counts["received"],
            "redelivered": counts["redelivered"],
        },
        "observations": {
            "expected": stats["readings_expected"],
            "stored": counts["stored"],
            "duplicates": counts["duplicates"],
            "conflicts": counts["conflicts"],
            "dead_lettered": counts["dead_lettered"],
        },
        "alarms": _alarms(connection),
        "latency_ms": None,
        "memory_mb": round(measured.memory_mb, 1),
        "alarm_log_sha256": log_sha256(canonical_log(alarm_events(connection))),
    }


def _alarms(connection: Connection) -> list[dict[str, Any]]:
    events: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for row in fetch_all(connection, "report_alarm_events"):
        events[row["subject"], row["occurrence"]].append(row)
    return [_alarm(row, events[row["subject"], row["occurrence"]]) for row in fetch_all(connection, "report_alarms")]


def _alarm(alarm: Row, events: list[Row]) -> dict[str, Any]:
    return {
        "subject": alarm["subject"],
        "severity": alarm["peak_severity"],
        "raised_at": alarm["raised_at"].isoformat(),
        "cleared_at": alarm["cleared_at"].isoformat() if alarm["cleared_at"] else None,
        "events": [
            {"at": event["tick_at"].isoformat(), "kind": event["kind"], "severity": event["severity"]}
            for event in events
        ],
        "reasons": _reasons_at_peak(alarm, events),
    }


def _reasons_at_peak(alarm: Row, events: list[Row]) -> list[dict[str, Any]]:
    at_peak: list[Row] = next((event["reasons"] for event in events if event["severity"] == alarm["peak_severity"]), [])
    return [{key: reason.get(key) for key in REASON_KEYS} for reason in at_peak or alarm["reasons"]]


def write_report(report: dict[str, Any], path: Path) -> None:
    """Write the report as JSON for people and machines."""
    path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
