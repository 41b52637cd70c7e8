"""The bench of the engine's chain: readings as ingest commits them, and the alarms they came to."""

from __future__ import annotations

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from undercroft.store.connection import Connection, translated_errors
from undercroft.store.observations import BatchRecord, Rows, finish_batch, store_rows, take_batch_ids
from undercroft.store.sql import sql


def commit_readings(
    connection: Connection, sensor_ids: NDArray[np.int32], values: NDArray[np.float64], at_us: int
) -> None:
    """Commit good readings of one instant. [µs since 1970]"""
    size = sensor_ids.size
    times = np.full(size, at_us // 1000 * 1000, np.int64)
    rows = Rows(sensor_ids, times, values, np.ones(size, np.int16), np.zeros(size, np.int32), times)
    with translated_errors(), connection.transaction():
        (batch_id,) = take_batch_ids(connection)
        store_rows(connection, rows, batch_id)
        finish_batch(connection, batch_id, BatchRecord("bench", 1, 0, size, size, 0, 0, 0))


def raised_of(connection: Connection, subjects: list[str]) -> list[str]:
    """Return those of some subjects whose red alarm is in the log."""
    with translated_errors():
        rows = connection.execute(sql("engine_bench_raised").encode(), {"subjects": subjects})
        return [row["subject"] for row in rows]


def red_committed_at(connection: Connection, subjects: list[str]) -> dict[str, datetime]:
    """Return when the first red alarm of each of some subjects was committed; without those that have none."""
    with translated_errors():
        rows = connection.execute(sql("engine_bench_committed").encode(), {"subjects": subjects})
        return {row["subject"]: row["committed_at"] for row in rows}


def nowcasts_used(connection: Connection) -> int:
    """Return how many different nowcasts ticks have used."""
    with translated_errors():
        row = connection.execute(sql("engine_bench_nowcasts").encode()).fetchone()
    return 0 if row is None else int(row["nowcasts"])
