"""What each device sent of what it promised: serial numbers expected and received, restarts, repeats, silence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from undercroft.store.connection import Connection, translated_errors
from undercroft.store.sql import sql

SPANS = ("1h", "24h")


@dataclass(frozen=True, slots=True)
class Sequence:
    """Messages of one device over one span."""

    expected: int
    received: int
    restarts: int
    repeats: int

    @property
    def missing(self) -> int:
        """Messages that the numbers promised and that never came."""
        return self.expected - self.received


@dataclass(frozen=True, slots=True)
class DeviceReport:
    """What is known of one device's sending."""

    device_id: str
    place_id: str
    last_received_at: datetime | None
    """None: nothing in the last day."""
    silent_s: float | None
    delay_s: float | None
    """Median of receive time less device time over the last day: the way, and what the clock is slow. [s]"""
    spans: dict[str, Sequence]
    """By span, `SPANS`; a device without serial numbers has none."""


def fetch_run_time(connection: Connection) -> datetime | None:
    """Return the time of the newest run clock; None in a live database."""
    with translated_errors():
        row = connection.execute(sql("newest_receipt")).fetchone()
    return None if row is None else row["run_now"]


def fetch_device_reports(connection: Connection, now: datetime, device_id: str | None = None) -> list[DeviceReport]:
    """Return a report of every device in use, or of one."""
    with translated_errors():
        rows = connection.execute(sql("device_sequences"), {"now": now, "device_id": device_id}).fetchall()
    reports: dict[str, DeviceReport] = {}
    for row in rows:
        report = reports.setdefault(
            row["device_id"],
            DeviceReport(
                row["device_id"], row["place_id"], row["last_received_at"], row["silent_s"], row["delay_s"], {}
            ),
        )
        if row["span"] is not None:
            counts = (row["expected"], row["received"], row["restarts"], row["repeats"])
            report.spans[row["span"]] = Sequence(*counts)
    return list(reports.values())
