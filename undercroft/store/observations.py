"""Write one batch of readings in one transaction: each row is stored, a duplicate, or a conflict.

The row that is already there stays. The same value again is a duplicate and changes nothing; another value is a
conflict and is kept beside it. Rows go in in key order, so that two writers cannot deadlock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from undercroft.store.arrays import Float8Column, Int2Column, Int4Column, Int8Column, TimestamptzColumn
from undercroft.store.commit import COMMIT_CHANNEL, held_at_most_ms
from undercroft.store.connection import Connection
from undercroft.store.sql import sql

NO_SERIAL = -1
LATE_US = 86_400 * 1_000_000
"""Readings so much older than their receipt may be of a day that is being compressed (after two days). [µs]"""
_DAY_US = 86_400 * 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Fate(IntEnum):
    """What became of a row."""

    STORED = 0
    DUPLICATE = 1
    CONFLICT = 2


@dataclass(frozen=True, slots=True)
class Rows:
    """Columns of readings in order of arrival; times are microseconds since 1970, UTC."""

    sensor_ids: NDArray[np.int32]
    observed_us: NDArray[np.int64]
    values: NDArray[np.float64]
    qualities: NDArray[np.int16]
    quality_tests: NDArray[np.int32]
    received_us: NDArray[np.int64]
    serials: NDArray[np.int64] | None = None
    """Serial number of the message, `NO_SERIAL` where it has none; None: none has."""

    def __len__(self) -> int:
        return int(self.sensor_ids.size)

    def take(self, positions: NDArray[np.intp]) -> Rows:
        """Return the rows at these positions, in their order."""
        return Rows(
            self.sensor_ids[positions],
            self.observed_us[positions],
            self.values[positions],
            self.qualities[positions],
            self.quality_tests[positions],
            self.received_us[positions],
            None if self.serials is None else self.serials[positions],
        )

    def late_days(self) -> NDArray[np.int64]:
        """Return the starts of the UTC days of readings that came late, microseconds since 1970."""
        late = self.observed_us[self.observed_us < self.received_us - LATE_US]
        return np.unique(late // _DAY_US) * _DAY_US

    def parameters(self, batch_id: int | None) -> dict[str, Any]:
        """Return them as query parameters."""
        return {
            "sensor_ids": Int4Column(self.sensor_ids),
            "observed_at": TimestamptzColumn(self.observed_us),
            "values": Float8Column(self.values),
            "qualities": Int2Column(self.qualities),
            "quality_tests": Int4Column(self.quality_tests),
            "received_at": TimestamptzColumn(self.received_us),
            "received_ms": Int8Column(self.received_us // 1000),
            "serials": Int8Column(np.full(len(self), NO_SERIAL) if self.serials is None else self.serials),
            "batch_id": batch_id,
        }


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """The row of ``batch``: what the batch held and what became of it."""

    lane: str
    messages: int
    redelivered: int
    readings: int
    stored: int
    duplicates: int
    conflicts: int
    dead_letters: int
    observed_us: tuple[int, int] | None = None
    run_clock: tuple[int, int] | None = field(default=None)
    """``(now [µs since 1970], seq)`` of the run clock that closed the batch."""


def instant(us: int) -> datetime:
    """Return the instant so many microseconds after 1970, UTC."""
    return _EPOCH + timedelta(microseconds=us)


def microseconds(moment: datetime) -> int:
    """Return the microseconds from 1970 to an aware instant."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def whole_ms(moment: datetime) -> int:
    """Return the microseconds from 1970 to the last whole millisecond: receipt is stored in milliseconds."""
    return microseconds(moment) // 1000 * 1000


def take_batch_ids(connection: Connection, count: int = 1) -> list[int]:
    """Take batch ids; they are unique, not in commit order."""
    return [int(row["batch_id"]) for row in connection.execute(sql("take_batch_ids"), {"count": count})]


def store_rows(connection: Connection, rows: Rows, batch_id: int) -> NDArray[np.int8]:
    """Insert rows inside the caller's transaction and return the `Fate` of each, in the order given."""
    fates = np.full(len(rows), Fate.STORED, dtype=np.int8)
    if not len(rows):
        return fates
    order, first = _in_key_order(rows)
    unique = rows.take(order[first])
    _make_way(connection, rows)
    inserted = connection.execute(sql("insert_observations"), unique.parameters(batch_id)).rowcount
    if inserted == len(rows):
        return fates
    _compare_with_stored(connection, rows, order, first, batch_id if inserted else None, fates)
    conflicting = np.flatnonzero(fates == Fate.CONFLICT)
    if conflicting.size:
        _store_conflicts(connection, rows, conflicting, batch_id, fates)
    return fates


def commit_new_batch(
    connection: Connection,
    rows: Rows,
    batch_id: int,
    record: BatchRecord,
    after: int | None,
    on_inserted: Callable[[], None],
) -> int | None:
    """Commit a batch of rows that ought to be new, in three round trips: to write it all, to say so, to commit.

    Parameters
    ----------
    connection : Connection
        In autocommit, outside any transaction.
    rows : Rows
        At least one.
    batch_id : int
        Of the batch.
    record : BatchRecord
        What the batch holds if all rows are new.
    after : int or None
        Newest commit number that the rows were judged by; None: there is no other writer.
    on_inserted : callable
        Called before the last of them.

    Returns
    -------
    int or None
        The commit number. None if a row is not new, or another has committed since ``after``; nothing is written then.
    """
    commit_seq = None
    order, first = _in_key_order(rows)
    if not first.all():
        return None
    with connection.pipeline() as pipeline, connection.transaction() as transaction:
        _make_way(connection, rows)
        inserted = connection.execute(sql("insert_observations"), rows.take(order).parameters(batch_id))
        answer = connection.execute(sql("finish_batch"), _batch_parameters(batch_id, record, after))
        finished = answer.fetchone()  # sends all of it first, however much: a sync alone stops when the socket is full
        pipeline.sync()  # to the server a transaction stands still from here on, and its limit runs
        if finished is not None and inserted.rowcount == len(rows):
            commit_seq = int(finished["commit_seq"])
            on_inserted()
        else:
            raise psycopg.Rollback(transaction)
    return commit_seq


def _make_way(connection: Connection, rows: Rows) -> None:
    """Let late rows wait for no compression, and whatever is committed with them, readings of now among it."""
    days = rows.late_days()
    if days.size:
        connection.execute(sql("make_way"), {"days": TimestamptzColumn(days)})


def _in_key_order(rows: Rows) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return the order by key and arrival, and which rows, in that order, are the first of their key."""
    order = np.lexsort((np.arange(len(rows)), rows.observed_us, rows.sensor_ids))
    ids, times = rows.sensor_ids[order], rows.observed_us[order]
    first = np.ones(len(rows), dtype=np.bool_)
    first[1:] = (ids[1:] != ids[:-1]) | (times[1:] != times[:-1])
    return order, first


def _compare_with_stored(
    connection: Connection,
    rows: Rows,
    order: NDArray[np.intp],
    first: NDArray[np.bool_],
    batch_id: int | None,
    fates: NDArray[np.int8],
) -> None:
    """Fill in duplicates and conflicts from what the table holds now; ``batch_id`` None: no row of it is new."""
    unique = rows.take(order[first])
    found = connection.execute(sql("fetch_stored_beside"), unique.parameters(batch_id)).fetchall()
    key = np.cumsum(first) - 1
    stored = np.empty(len(unique))
    is_new = np.zeros(len(unique), dtype=np.bool_)
    for row in found:
        stored[row["position"]] = row["value"]
        is_new[row["position"]] = row["is_new"]
    same = rows.values[order] == stored[key]
    fates[order] = np.where(first & is_new[key], Fate.STORED, np.where(same, Fate.DUPLICATE, Fate.CONFLICT))


def _store_conflicts(
    connection: Connection,
    rows: Rows,
    conflicting: NDArray[np.intp],
    batch_id: int,
    fates: NDArray[np.int8],
) -> None:
    """Keep the other values; one that is kept already is a duplicate."""
    order = np.lexsort(
        (rows.values[conflicting], rows.observed_us[conflicting], rows.sensor_ids[conflicting]),
    )
    conflicting = conflicting[order]
    kept = connection.execute(sql("insert_conflicts"), rows.take(conflicting).parameters(batch_id)).fetchall()
    new = {(row["sensor_id"], row["observed_us"], row["value"]) for row in kept}
    for position in np.sort(conflicting).tolist():
        identity = (
            int(rows.sensor_ids[position]),
            int(rows.observed_us[position]),
            float(rows.values[position]),
        )
        if identity in new:
            new.discard(identity)
        else:
            fates[position] = Fate.DUPLICATE


def finish_batch(connection: Connection, batch_id: int, record: BatchRecord) -> int:
    """Take the next commit number, write the batch row and wake the engine, as the last statement before the commit.

    `undercroft.store.commit.take_commit_seq` in one round trip, since whoever holds the number holds up every writer.
    """
    row = connection.execute(sql("finish_batch"), _batch_parameters(batch_id, record, None)).fetchone()
    assert row is not None  # noqa: S101 - the migration wrote the counter
    return int(row["commit_seq"])


def _batch_parameters(batch_id: int, record: BatchRecord, after: int | None) -> dict[str, Any]:
    span = record.observed_us
    clock = record.run_clock
    return {
        "batch_id": batch_id,
        "after": after,
        "channel": COMMIT_CHANNEL,
        "idle_ms": held_at_most_ms(),
        "lane": record.lane,
        "run_now": None if clock is None else instant(clock[0]),
        "run_seq": None if clock is None else clock[1],
        "observed_from": None if span is None else instant(span[0]),
        "observed_to": None if span is None else instant(span[1]),
        "messages": record.messages,
        "redelivered": record.redelivered,
        "readings": record.readings,
        "stored": record.stored,
        "duplicates": record.duplicates,
        "conflicts": record.conflicts,
        "dead_letters": record.dead_letters,
    }
