"""What a rain counter can show after what it showed before: no more than ever fell on earth in the time between.

One place for what ingest flags (`ingest.quality_checks`) and what the engine passes over (`risk.counters`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RAIN_COUNTER = "rain_total_mm"

MOST_1MIN_MM = 31.2
"""WMO: the greatest rain of one minute (Unionville, Maryland, 1956; wmo.asu.edu)."""

MOST_60MIN_MM = 305.0
"""WMO: the greatest rain of sixty minutes (Holt, Missouri, 1947: in 42 of them; wmo.asu.edu)."""

REREAD_MM = 5.0
"""A counter that fell by no more was read again: what is saved every few minutes in a cloudburst. Proposal."""


def most_mm(elapsed_us: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the most rain that can fall: the records of one minute and of sixty, each for as long as it lasts.

    Below a minute it is that of a minute, since what is read late fell before. By hand: 5 min: 5 x 31.2 = 156 mm;
    30 min: 305 mm, which fell in 42; 2 h: 610 mm.
    """
    minutes = np.maximum(elapsed_us / 60e6, 1.0)
    return np.asarray(np.minimum(MOST_1MIN_MM * minutes, MOST_60MIN_MM * np.maximum(minutes / 60.0, 1.0)))


def cannot_be(
    stood_mm: NDArray[np.float64], now_mm: NDArray[np.float64], limit_mm: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Tell which counters grew by more than a limit, or fell to more: neither rain, nor begun anew, nor read again.

    Examples
    --------
    From 300 mm, with at most 31.2 mm in the time: a counter that goes on, one that was changed, one that began anew,
    one that restored what it had saved, and one that shows what is none of these.

    >>> cannot_be(np.full(5, 300.0), np.array([331.0, 5000.0, 2.0, 296.0, 250.0]), np.full(5, 31.2)).tolist()
    [False, True, False, False, True]
    """
    rise = now_mm - stood_mm
    return np.asarray((rise > limit_mm) | ((rise < -REREAD_MM) & (now_mm > limit_mm)))
