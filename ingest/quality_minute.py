"""What each of many readings is held against: the oldest of its sensor within the minute before it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ingest.quality_limits import MINUTE_US
from ingest.quality_recent import Sample


def first_of_minute(
    place: NDArray[np.intp],
    times: NDArray[np.int64],
    values: NDArray[np.float64],
    before: Sequence[Sequence[Sample]],
    most: int,
) -> NDArray[np.float64]:
    """Return, for each reading, the value of the oldest one of its sensor within a minute; at the most its own.

    Parameters
    ----------
    place : ndarray of int
        Which sensor each reading is of, in order.
    times, values : ndarray
        Of the readings, in order of sensor and time. [µs], [m]
    before : sequence of sequence of Sample
        What is remembered of each sensor, in order of time, none failed within the minute.
    most : int
        So many readings are remembered; what stands further back is not looked at.
    """
    starts = np.flatnonzero(np.concatenate(([True], place[1:] != place[:-1])))
    kept = [
        [sample for sample in before[at] if sample.observed_us >= first_us - MINUTE_US]
        for at, first_us in zip(place[starts].tolist(), times[starts].tolist(), strict=True)
    ]
    counts = [len(samples) for samples in kept]
    at = np.repeat(starts, counts)
    own = np.arange(times.size) + np.repeat(np.cumsum(counts), np.diff(np.append(starts, times.size)))
    all_place = np.insert(place, at, place[at])
    all_times = np.insert(times, at, [sample.observed_us for samples in kept for sample in samples])
    all_values = np.insert(values, at, [sample.value for samples in kept for sample in samples])
    span_us = int(all_times.max() - all_times.min()) + MINUTE_US + 1
    key = all_place * span_us + (all_times - all_times.min())
    oldest = np.searchsorted(key, key[own] - MINUTE_US)
    return np.asarray(all_values[np.maximum(oldest, own - most)])
