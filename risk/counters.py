"""Rain counters: what a reading adds, whether the counter went on, began anew, was read again, or cannot be believed.

A counter only grows. What else one shows is one of three:

- it **began anew** (power, service): it fell, and shows no more than can have fallen since it was last heard;
- it was **read again**: it fell by at most `REREAD_MM` (`undercroft.rain_counter`) and shows more than it fell by, as
  when it restores what it had saved. Nothing fell;
- it **cannot be**: it grew by more than can fall, or fell to more than can fall, since it stood soundly, not since the
  last such word: what fell beside nonsense is not lost. That is no evidence of rain and none
  of dry weather. The next reading goes on from where the counter stood before, or, where only that fits, from there:
  a gauge that was changed is believed from its second good reading on. Where a counter stood before it began anew, or
  before it was taken to be changed, is kept while it goes on: a unit that boots may show 0 twice and then restore.
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
    swapped : ndarray
        Readings that began anew or went on beside: what is apart now is where the counter stood.
    """

    mm: FloatArray
    stands: FloatArray
    apart: FloatArray
    failed: BoolArray
    swapped: BoolArray


def counted(
    stood: FloatArray, apart: FloatArray, now: FloatArray, limits_mm: tuple[FloatArray, FloatArray], earlier: BoolArray
) -> Counted:
    """Return what readings say, from where each counter stood (NaN: not heard yet) and what it showed beside that.

    ``limits_mm``: the most that can have fallen since it stood there, and since it showed the other. ``earlier``: it
    stood at the other before, soundly; that is kept while it goes on, since a unit may show 0 more than once at a boot.
    """
    limit_mm, limit_apart_mm = limits_mm
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
    swapped = anew | goes_on_beside
    kept = np.where(earlier, apart, np.nan)
    return Counted(mm, stands, np.where(failed, now, np.where(swapped, stood, kept)), failed, swapped)
