"""Quality flags that a reading gets as it arrives. A flag never changes the value, and never stops it."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from undercroft.quality import MOST_AHEAD, Quality, QualityTest

MAX_BEHIND_US = 31_536_000_000_000
"""365 days: no device buffers longer. One that says an older time has lost its clock, at whatever date that begins
anew: 1970, 1980, 2000, 2010. Readings are kept for longer than this (`retention_class`), so that none is acknowledged
and then dropped for its age. [µs]"""
MAX_AHEAD_US = MOST_AHEAD // timedelta(microseconds=1)
"""`MOST_AHEAD`. [µs]"""


def clock_lost(observed_us: NDArray[np.int64], received_us: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which times are impossible: further behind than `MAX_BEHIND_US`, or further ahead than `MAX_AHEAD_US`."""
    return (observed_us < received_us - MAX_BEHIND_US) | (observed_us > received_us + MAX_AHEAD_US)


def outside_range(
    values: NDArray[np.float64], least: NDArray[np.float64], most: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Tell which values are outside what their quantity can be (QARTOD gross range test). A limit itself is inside."""
    return (values < least) | (values > most)


def flags(
    is_outside: NDArray[np.bool_], is_clock_lost: NDArray[np.bool_]
) -> tuple[NDArray[np.int16], NDArray[np.int32]]:
    """Return quality and the bits of the tests that gave it; the worst flag counts."""
    quality = np.full(is_outside.size, Quality.GOOD, dtype=np.int16)
    quality[is_clock_lost] = Quality.SUSPECT
    quality[is_outside] = Quality.FAIL
    tests = np.where(is_outside, QualityTest.GROSS_RANGE, 0) | np.where(is_clock_lost, QualityTest.CLOCK_LOST, 0)
    return quality, tests.astype(np.int32)
