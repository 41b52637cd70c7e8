"""Quality control in the store: what sensors said last, flags given afterwards, corrections by people."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np
import orjson
from psycopg.rows import DictRow, tuple_row

from undercroft.errors import BadInput
from undercroft.quality import Quality, QualityTest
from undercroft.store.arrays import Float8Column, Int4Column, Int8Column, TimestamptzColumn
from undercroft.store.commit import take_commit_seq
from undercroft.store.connection import Connection, translated_errors
from undercroft.store.observations import NO_SERIAL, Rows
from undercroft.store.sql import sql

FLAGGED, UNDONE = "quality_flag", "quality_undo"
"""Kinds of acts."""


def fetch_traits(connection: Connection) -> list[DictRow]:
    """Return what the site data says of every sensor, as far as its readings are tested against it."""
    return connection.execute(sql("fetch_quality_traits")).fetchall()


@dataclass(frozen=True, slots=True)
class RecentRows:
    """The last readings of some sensors: in order, those from the past by receipt, the last without a clock."""

    samples: list[DictRow]
    strays: list[DictRow]
    lost: list[DictRow]


def fetch_recent(
    connection: Connection, sensor_ids: Int4Column, most: int, behind_us: int, ahead_us: int
) -> RecentRows:
    """Return what these sensors said last, at most so many readings each.

    Further behind its receipt than ``behind_us``, or ahead than ``ahead_us``, a time is impossible.
    """
    wanted = {"sensor_ids": sensor_ids}
    return RecentRows(
        connection.execute(sql("fetch_recent"), wanted | {"most": most}).fetchall(),
        connection.execute(
            sql("fetch_recent_strays"), wanted | {"most": most, "behind_us": behind_us, "ahead_us": ahead_us}
        ).fetchall(),
        connection.execute(sql("fetch_recent_lost"), wanted).fetchall(),
    )


def fetch_same_before(
    connection: Connection,
    sensor_ids: Int4Column,
    observed_at: TimestamptzColumn,
    values: Float8Column,
    quantities: Sequence[str],
) -> list[tuple[int, int]]:
    """Return since when sensors of these quantities said a value without a break before a time, where they did. [µs]"""
    wanted = {"sensor_ids": sensor_ids, "observed_at": observed_at, "values": values, "quantities": list(quantities)}
    rows = connection.execute(sql("fetch_same_before"), wanted)
    return [(row["sensor_id"], row["since_us"]) for row in rows]


class SaidBefore(NamedTuple):
    """What stands under the time of a reading."""

    values: frozenset[float]
    """Of the stored reading and of those in conflict with it."""
    received_us: int
    """When the stored one came. [µs since 1970]"""
    serial: int


def fetch_known(connection: Connection, rows: Rows) -> tuple[dict[int, SaidBefore], list[tuple[int, int, float]]]:
    """Return what is stored under the times of rows, by position, and which are known as readings without a clock."""
    wanted_beside = {"sensor_ids": Int4Column(rows.sensor_ids), "observed_at": TimestamptzColumn(rows.observed_us)}
    beside = connection.execute(sql("fetch_said_before"), wanted_beside)
    wanted = {
        "sensor_ids": Int4Column(rows.sensor_ids),
        "device_us": Int8Column(rows.observed_us),
        "values": Float8Column(rows.values),
    }
    lost = connection.execute(sql("fetch_clock_lost"), wanted)
    return (
        {
            row["position"]: SaidBefore(
                frozenset((row["value"], *row["others"])),
                row["received_us"],
                NO_SERIAL if row["seq"] is None else row["seq"],
            )
            for row in beside
        },
        [(row["sensor_id"], row["device_us"], row["value"]) for row in lost],
    )


class WrittenReading(NamedTuple):
    """A reading that another writer stored."""

    sensor_id: int
    observed_us: int
    received_us: int
    value: float
    quality: int
    seq: int | None
    quality_tests: int


def fetch_written_by_others(
    connection: Connection, after: int, own_batch_id: int, most: int
) -> tuple[int, list[WrittenReading] | None]:
    """Return the newest commit number, and what others stored since ``after``; None if over ``most`` readings."""
    wanted = {"after": after, "own": own_batch_id, "most": most}
    with connection.cursor(row_factory=tuple_row) as cursor:
        head, *rows = cursor.execute(sql("fetch_written_by_others"), wanted).fetchall()
    return head[0], None if head[1] > most else [WrittenReading(*row[2:]) for row in rows]


class PastRepeat(NamedTuple):
    """A reading from the past under a time that is stored."""

    sensor_id: int
    received_us: int
    device_us: int
    is_same: bool
    """It says the value of before, too."""


def insert_past_repeats(connection: Connection, repeats: Sequence[PastRepeat], batch_id: int) -> None:
    """Keep when they came, inside the caller's transaction."""
    connection.execute(
        sql("insert_past_repeats"),
        {
            "sensor_ids": [entry.sensor_id for entry in repeats],
            "received_at": TimestamptzColumn(np.array([entry.received_us for entry in repeats], dtype=np.int64)),
            "device_us": Int8Column(np.array([entry.device_us for entry in repeats], dtype=np.int64)),
            "same": [entry.is_same for entry in repeats],
            "batch_id": batch_id,
        },
    )


def insert_later_flags(
    connection: Connection,
    sensor_ids: Int4Column,
    observed_at: TimestamptzColumn,
    test: QualityTest,
    reason: str,
    batch_id: int,
) -> None:
    """Flag readings as suspect that are stored already, inside the caller's transaction."""
    connection.execute(
        sql("insert_later_flags"),
        {
            "sensor_ids": sensor_ids,
            "observed_at": observed_at,
            "quality": int(Quality.SUSPECT),
            "quality_tests": int(test),
            "reason": reason,
            "batch_id": batch_id,
        },
    )


@dataclass(frozen=True, slots=True)
class Correction:
    """A person's word on the readings of a sensor from one time to another, both included."""

    device_id: str
    at: str
    quantity: str
    observed_from: datetime
    observed_to: datetime
    quality: Quality
    author: str
    reason: str

    @property
    def subject(self) -> str:
        """The sensor's key."""
        return f"{self.device_id}/{self.at}:{self.quantity}" if self.at else f"{self.device_id}:{self.quantity}"


def flag_readings(connection: Connection, correction: Correction, acted_at: datetime, now: datetime) -> tuple[int, int]:
    """Record a correction, an act in commit order; return its number and how many readings it covers.

    Raises
    ------
    BadInput
        If there is no such sensor, no reading in that time, or its end is still to come; then nothing is kept.
    """
    with translated_errors(), connection.transaction():
        named = {"device_id": correction.device_id, "at": correction.at, "quantity": correction.quantity}
        sensor = connection.execute(sql("find_sensor"), named).fetchone()
        if sensor is None:
            raise BadInput(f"there is no sensor {correction.subject}")
        act_id = uuid.uuid4()
        span = {
            "sensor_id": sensor["sensor_id"],
            "observed_from": correction.observed_from,
            "observed_to": correction.observed_to,
        }
        covered = _covered(connection, correction, span, now)
        answer = connection.execute(
            sql("insert_operator_flag"),
            {
                **span,
                "quality": int(correction.quality),
                "quality_tests": int(QualityTest.OPERATOR),
                "author": correction.author,
                "reason": correction.reason,
                "act_id": act_id,
            },
        ).fetchone()
        assert answer is not None  # noqa: S101 - an insert answers
        number = int(answer["quality_flag_id"])
        body = {
            "quality_flag_id": number,
            "observed_from": correction.observed_from,
            "observed_to": correction.observed_to,
            "quality": int(correction.quality),
            "reason": correction.reason,
        }
        _record(connection, act_id, FLAGGED, (correction.subject, correction.author, acted_at, body))
        return number, covered


def _covered(connection: Connection, correction: Correction, span: dict[str, object], now: datetime) -> int:
    """Return how many readings a correction covers; what is still to come nobody can have looked at."""
    if correction.observed_to > now:  # but a device's clock may be ahead
        newest = connection.execute(sql("newest_observed"), span).fetchone()
        if newest is None or newest["observed_at"] is None or correction.observed_to > newest["observed_at"]:
            told = f"{correction.observed_to:%Y-%m-%dT%H:%M:%SZ}"
            raise BadInput(f"the last reading to correct, {told}, is still to come: it is {now:%Y-%m-%dT%H:%M:%SZ}")
    found = connection.execute(sql("count_flagged"), span).fetchone()
    if found is None or not found["readings"]:
        first, last = (f"{at:%Y-%m-%dT%H:%M:%S.%fZ}" for at in (correction.observed_from, correction.observed_to))
        raise BadInput(f"{correction.subject} has no reading from {first} to {last}: nothing to correct")
    return int(found["readings"])


def undo_flag(connection: Connection, quality_flag_id: int, author: str, reason: str, acted_at: datetime) -> None:
    """Take a correction back, an act too.

    Raises
    ------
    BadInput
        If there is no such correction by a person, or it was undone before.
    """
    with translated_errors(), connection.transaction():
        flag = connection.execute(sql("lock_operator_flag"), {"quality_flag_id": quality_flag_id}).fetchone()
        if flag is None or flag["act_id"] is None:
            raise BadInput(f"there is no correction {quality_flag_id}")
        if flag["undone_by"] is not None:
            raise BadInput(f"correction {quality_flag_id} was undone before")
        act_id = uuid.uuid4()
        connection.execute(sql("undo_operator_flag"), {"act_id": act_id, "quality_flag_id": quality_flag_id})
        place = f"{flag['device_id']}/{flag['at']}" if flag["at"] else flag["device_id"]
        body = {"quality_flag_id": quality_flag_id, "reason": reason}
        _record(connection, act_id, UNDONE, (f"{place}:{flag['quantity']}", author, acted_at, body))


def list_flags(
    connection: Connection, *, device_id: str | None, by_person: bool | None, most: int
) -> Sequence[DictRow]:
    """Return flags given after arrival, the newest first."""
    wanted = {"device_id": device_id, "by_person": by_person, "most": most}
    with translated_errors():
        return connection.execute(sql("list_quality_flags"), wanted).fetchall()


def _record(
    connection: Connection, act_id: uuid.UUID, kind: str, what: tuple[str, str, datetime, dict[str, object]]
) -> None:
    subject, author, acted_at, body = what
    parameters = {
        "act_id": act_id,
        "commit_seq": take_commit_seq(connection),
        "kind": kind,
        "subject": subject,
        "author": author,
        "acted_at": acted_at,
        "body": orjson.dumps(body).decode(),
    }
    connection.execute(sql("insert_quality_act"), parameters)
