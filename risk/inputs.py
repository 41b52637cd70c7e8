"""Rows of the store as the engine takes them: readings as columns, and acts. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from risk.arrays import to_us
from risk.evidence import Samples
from risk.warnings import Act


@dataclass(frozen=True, slots=True)
class Columns:
    """Readings of a stretch of the commit order, in that order."""

    commit_seq: NDArray[np.int64]
    sensor_id: NDArray[np.int64]
    observed_us: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.int8]
    buffered: NDArray[np.bool_]

    def of_sensors(self, after: int, up_to: int, sensor_ids: list[int]) -> Iterator[tuple[int, int, float]]:
        """Yield sensor number, time [microseconds since 1970] and value of the readings of some sensors."""
        first, last = np.searchsorted(self.commit_seq, [after, up_to], side="right")
        rows = int(first) + np.flatnonzero(np.isin(self.sensor_id[int(first) : int(last)], sensor_ids))
        return zip(
            self.sensor_id[rows].tolist(), self.observed_us[rows].tolist(), self.value[rows].tolist(), strict=True
        )

    def between(self, after: int, up_to: int, index_of_id: NDArray[np.int64]) -> Samples:
        """Return the readings after a commit and up to one, by the indices of a site."""
        first, last = np.searchsorted(self.commit_seq, [after, up_to], side="right")
        part = slice(int(first), int(last))
        ids = self.sensor_id[part]
        known = ids < index_of_id.size
        index = np.where(known, index_of_id[np.where(known, ids, 0)] if index_of_id.size else -1, -1)
        return Samples(index, self.observed_us[part], self.value[part], self.quality[part], self.buffered[part])


def columns_of(rows: Sequence[tuple[int, int, int, float, int, bool]]) -> Columns:
    """Return stored readings as columns."""
    if not rows:
        none = np.zeros(0, np.int64)
        return Columns(none, none, none, np.zeros(0), np.zeros(0, np.int8), np.zeros(0, np.bool_))
    seq, sensor, observed, value, quality, buffered = zip(*rows, strict=True)
    order = np.argsort(np.array(seq, np.int64), kind="stable")
    return Columns(
        np.array(seq, np.int64)[order],
        np.array(sensor, np.int64)[order],
        np.array(observed, np.int64)[order],
        np.array(value, np.float64)[order],
        np.array(quality, np.int8)[order],
        np.array(buffered, np.bool_)[order],
    )


def act_of(row: Mapping[str, Any]) -> Act:
    """Return a stored act."""
    return Act(row["commit_seq"], row["kind"], row["subject"], row["author"], to_us(row["acted_at"]), row["body"])
