"""Rain counters: what a reading adds, whether the counter went on, began anew, was read again, or cannot be believed.

A counter only grows. What else one shows is one of three:

- it **began anew** (power, service): it fell, and shows no more than can have fallen since it was last heard;
- it was **read again**: it fell by at most `REREAD_MM` and shows more than it fell by, as when it restores what it had
  saved. Nothing fell;
- it **cannot be**: it grew by more than can fall, or fell to more than can fall. That is no evidence of rain and none
  of dry weather. The next reading goes on from where the counter stood before, or, where only that fits, from there:
  a gauge that was changed is believed from its second reading on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from risk.arrays import BoolArray, FloatArray, IntArray

MOST_1MIN_MM = 31.2
"""WMO: the greatest rain of one minute (Unionville, Maryland, 1956; wmo.asu.edu)."""

MOST_60MIN_MM = 305.0
"""WMO: the greatest rain of sixty minutes (Holt, Missouri, 1947: in 42 of them; wmo.asu.edu)."""

REREAD_MM = 5.0
"""A counter that fell by no more was read again: what is saved every few minutes in a cloudburst. Proposal."""

UNLIKELY_MM = 100.0
"""A doubtful counter may not add more at once; 39.7 mm in 10 min is the record in hand (Shenzhen, 2019-04-11)."""


def most_mm(elapsed_us: IntArray) -> FloatArray:
    """Return the most rain that can fall: the records of one minute and of sixty, each for as long as it lasts.

    Below a minute it is that of a minute, since what is read late fell before. By hand: 5 min: 5 x 31.2 = 156 mm;
    30 min: 305 mm, which fell in 42; 2 h: 610 mm.
    """
    minutes = np.maximum(elapsed_us / 60e6, 1.0)
    return np.asarray(np.minimum(MOST_1MIN_MM * minutes, MOST_60MIN_MM * np.maximum(minutes / 60.0, 1.0)))


@dataclass(frozen=True, slots=True)
class Counted:
    """What readings of counters say.

    Attributes
    ----------
    mm : ndarray
        What each adds. [mm]
    stands : ndarray
        Where the counter is taken to stand. [mm]
    apart : ndarray
        What it showed beside that, NaN for nothing. [mm]
    failed : ndarray
        Readings that cannot be.
    """

    mm: FloatArray
    stands: FloatArray
    apart: FloatArray
    failed: BoolArray


def counted(stood: FloatArray, apart: FloatArray, now: FloatArray, limit_mm: FloatArray) -> Counted:
    """Return what readings say, from where each counter stood (NaN: not heard yet) and what it showed beside that."""
    rise = np.where(np.isnan(stood), 0.0, now - stood)
    beside = now - apart
    goes_on_beside = (beside >= 0.0) & (beside <= limit_mm) & ((rise > UNLIKELY_MM) | (rise < 0.0))
    goes_on = (rise >= 0.0) & (rise <= limit_mm) & ~goes_on_beside
    fell = (rise < 0.0) & ~goes_on_beside
    again = fell & (-rise <= REREAD_MM) & (now > -rise)
    anew = fell & ~again & (now <= limit_mm)
    failed = ~(goes_on | goes_on_beside | again | anew)
    mm = np.select([goes_on, goes_on_beside, anew], [rise, beside, now], 0.0)
    stands = np.where(failed, stood, now)
    return Counted(mm, stands, np.where(failed, now, np.where(anew, stood, np.nan)), failed)
