"""What the tests of the ingest service publish, and how much of it is committed."""

from __future__ import annotations

import json

from tests.integration.ingest_kit import one

DEVICE = "gauge-beiling/gauge-beiling-rain"
OTHER = "gauge-rongxi/gauge-rongxi-rain"
NOON_MS = 1_782_907_200_000
WAITING = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"


def rain(number: int, value: float = 1.5, device: str = DEVICE, root: str = "flood") -> tuple[str, bytes]:
    """Return a reading so many seconds after noon."""
    payload = {"observed_at": NOON_MS + number * 1000, "seq": number, "rain_total_mm": value}
    return f"{root}/v1/futian/{device}/observation", json.dumps(payload).encode()


def run_clock(seq: int) -> tuple[str, bytes]:
    """Return the run clock of so many minutes after noon."""
    return "exercise/v1/futian/run/clock", json.dumps({"now": f"2026-07-01T12:{seq:02}:00Z", "seq": seq}).encode()


def messages_of(database: str) -> int:
    """Messages committed, those delivered again included."""
    found: int = one(database, "select coalesce(sum(messages), 0)::bigint from batch")
    return found
