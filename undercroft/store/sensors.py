"""What ingest must know before the first message: deployment, sensors, the last run clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import TypeAdapter

from undercroft.model import Mode
from undercroft.site.model import Decoder
from undercroft.store.connection import Connection, translated_errors
from undercroft.store.observations import microseconds
from undercroft.store.sql import sql

_DECODERS = TypeAdapter(tuple[Decoder, ...])


@dataclass(frozen=True, slots=True)
class Deployment:
    """Which database this is, and what it is for."""

    deployment_id: str
    mode: Mode
    decoder_topics: tuple[str, ...] = ()
    """Topic filters of the site's decoders; none in an exercise, which has a tree of its own."""


@dataclass(frozen=True, slots=True)
class SensorRow:
    """One sensor, or a device without sensors (``sensor_id`` None)."""

    device_id: str
    place_id: str
    sensor_id: int | None
    at: str
    quantity: str
    ground_m: float | None = None
    """Floor or roadway where it stands; None where the site knows none. [m over datum]"""


@dataclass(frozen=True, slots=True)
class SensorTable:
    """The sensors of one site version."""

    site_seq: int
    """Commit number of the site version; 0 before the first import."""
    district: str | None
    rows: tuple[SensorRow, ...]
    decoders: tuple[Decoder, ...] = ()
    """How foreign topics are read."""
    rain_periods_s: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """Period of each rain depth, by device and probe, where the site file states one. [s]"""


def fetch_deployment(connection: Connection) -> Deployment | None:
    """Return what the database is; None before ``undercroft db migrate`` gave it a mode."""
    with translated_errors():
        row = connection.execute(sql("fetch_deployment")).fetchone()
    return None if row is None else Deployment(str(row["deployment_id"]), Mode(row["mode"]))


def fetch_site_seq(connection: Connection) -> int:
    """Return the commit number of the newest site version, 0 if there is none."""
    row = connection.execute(sql("fetch_site_seq")).fetchone()
    assert row is not None  # noqa: S101 - an aggregate always answers
    return int(row["commit_seq"])


def fetch_sensor_table(connection: Connection) -> SensorTable:
    """Return the sensors in use. The number is read first: a later version is noticed at the next look."""
    site_seq = fetch_site_seq(connection)
    district = connection.execute(sql("fetch_site_district")).fetchone()
    rows = connection.execute(sql("fetch_device_sensors")).fetchall()
    return SensorTable(
        site_seq,
        None if district is None else district["district"],
        tuple(
            SensorRow(
                row["device_id"],
                row["place_id"],
                row["sensor_id"],
                row["at"] or "",
                row["quantity"] or "",
                row["ground_m"],
            )
            for row in rows
        ),
        fetch_decoders(connection),
        {
            (row["device_id"], row["at"]): float(row["period_s"])
            for row in connection.execute(sql("fetch_rain_periods")).fetchall()
        },
    )


def fetch_decoders(connection: Connection) -> tuple[Decoder, ...]:
    """Return the decoders of the newest site version."""
    row = connection.execute(sql("fetch_site_decoders")).fetchone()
    return () if row is None else _DECODERS.validate_json(row["decoders"], strict=True)


def fetch_last_run_clock(connection: Connection) -> tuple[int, int] | None:
    """Return ``(now [µs since 1970], seq)`` of the newest run clock that closed a batch."""
    row = connection.execute(sql("fetch_last_run_clock")).fetchone()
    return None if row is None else (microseconds(row["run_now"]), int(row["run_seq"]))


def fetch_run_clock(connection: Connection, run_seq: int) -> int | None:
    """Return what the run clock of this number said. [µs since 1970]"""
    row = connection.execute(sql("fetch_run_clock"), {"run_seq": run_seq}).fetchone()
    return None if row is None else microseconds(row["run_now"])
