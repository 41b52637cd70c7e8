"""Rain counters: what a reading adds, whether the counter went on, began anew, was read again, or cannot be believed.

A counter only grows. What else one shows is one of three:

- it **began anew** (power, service): it fell, and shows no more than can have fallen since it was last heard;
- it was **read again**: it fell by at most `REREAD_MM` (`undercroft.rain_counter`) and shows more than it fell by, as
  when it restores what it had saved. Nothing fell;
- it **cannot be**: it grew by more than can fall, or fell to more than can fall, since it stood soundly, not since the
  last such word: what fell beside nonsense is not lost. That is no evidence of rain and none
  of dry weather. The next reading goes on from where the counter stood before, or, where only that fits, from there:
  a gauge that was changed is believed from its second good reading on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from risk.arrays import BoolArray, FloatArray
from undercroft.rain_counter import REREAD_MM, cannot_be

UNLIKELY_MM = 100.0
"""A doubtful counter may not add more at once; 39.7 mm in 10 min is the record in hand (Shenzhen, 2019-04-11)."""


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


def counted(
    stood: FloatArray, apart: FloatArray, now: FloatArray, limit_mm: FloatArray, limit_apart_mm: FloatArray
) -> Counted:
    """Return what readings say, from where each counter stood (NaN: not heard yet) and what it showed beside that.

    ``limit_mm``: the most that can have fallen since it stood there; ``limit_apart_mm``: since it showed the other.
    """
    rise = np.where(np.isnan(stood), 0.0, now - stood)
    beside = now - apart
    goes_on_beside = (beside >= 0.0) & (beside <= limit_apart_mm) & ((rise > UNLIKELY_MM) | (rise < 0.0))
    goes_on = (rise >= 0.0) & (rise <= limit_mm) & ~goes_on_beside
    fell = (rise < 0.0) & ~goes_on_beside
    again = fell & (-rise <= REREAD_MM) & (now > -rise)
    anew = fell & ~again & (now <= limit_mm)
    failed = cannot_be(stood, now, limit_mm) & ~goes_on_beside
    mm = np.select([goes_on, goes_on_beside, anew], [rise, beside, now], 0.0)
    stands = np.where(failed, stood, now)
    return Counted(mm, stands, np.where(failed, now, np.where(anew, stood, np.nan)), failed)
