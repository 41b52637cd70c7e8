"""What the tests of the ingest service publish, and how much of it is committed."""

from __future__ import annotations

import json
from datetime import timedelta

from tests.integration.ingest_kit import one
from undercroft.clock import SystemClock

DEVICE = "gauge-beiling/gauge-beiling-rain"
OTHER = "gauge-rongxi/gauge-rongxi-rain"
NOON = SystemClock().now().replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=30)
"""Within the last year, or the clock would count as lost; long enough ago for a million seconds after it."""
NOON_MS = round(NOON.timestamp()) * 1000
WAITING = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"


def rain(number: int, value: float = 1.5, device: str = DEVICE, root: str = "flood") -> tuple[str, bytes]:
    """Return a reading so many seconds after noon."""
    payload = {"observed_at": NOON_MS + number * 1000, "seq": number, "rain_total_mm": value}
    return f"{root}/v1/futian/{device}/observation", json.dumps(payload).encode()


def run_clock(seq: int) -> tuple[str, bytes]:
    """Return the run clock of so many minutes after noon."""
    now = NOON + timedelta(minutes=seq)
    return "exercise/v1/futian/run/clock", json.dumps({"now": now.isoformat(), "seq": seq}).encode()


def messages_of(database: str) -> int:
    """Messages committed, those delivered again included."""
    found: int = one(database, "select coalesce(sum(messages), 0)::bigint from batch")
    return found
