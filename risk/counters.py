"""Rain counters: what a reading adds, whether the counter went on, began anew, was read again, or cannot be believed.

A counter only grows. What else one shows is one of three:

- it **began anew** (power, service): it fell, and shows no more than can have fallen since it was last heard;
- it was **read again**: it fell by at most `REREAD_MM` (`undercroft.rain_counter`) and shows more than it fell by, as
  when it restores what it had saved. Nothing fell;
- it **cannot be**: it grew by more than can fall, or fell to more than can fall, since it stood soundly, not since the
  last such word: what fell beside nonsense is not lost. That is no evidence of rain and none
  of dry weather. The next reading goes on from where the counter stood before, or, where only that fits, from there:
  a gauge that was changed is believed from its second good reading on.

Where a counter stood before it began anew, or before it was taken to be changed, is a **stand** that is kept: a unit
that boots may show 0 twice and then restore, and other nonsense may come between. Of all stands from which a reading
can go on, the one that says most rain counts. Few are kept: one on which more was said outlives one on which less was.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from risk.arrays import NEVER_US, BoolArray, FloatArray, IntArray
from undercroft.rain_counter import REREAD_MM, cannot_be, most_mm

UNLIKELY_MM = 100.0
"""A doubtful counter may not add more at once; 39.7 mm in 10 min is the record in hand (Shenzhen, 2019-04-11)."""

MOST_WORDS = 100
"""Words on one stand are counted no further."""


@dataclass(frozen=True, slots=True)
class Counters:
    """Where counters are taken to stand, one a row.

    Attributes
    ----------
    stood, stood_us, words : ndarray, shape (n,)
        Last sound reading [mm], NaN for none, its time, and how many were said on that stand.
    apart, apart_us : ndarray, shape (n,)
        What was shown since that cannot be, NaN for nothing, and when.
    stands, stands_us, stands_words : ndarray, shape (n, k)
        Earlier stands, in no order.
    """

    stood: FloatArray
    stood_us: IntArray
    words: NDArray[np.int8]
    apart: FloatArray
    apart_us: IntArray
    stands: FloatArray
    stands_us: IntArray
    stands_words: NDArray[np.int8]

    def moved_to(self, other: Counters, rows: BoolArray) -> Counters:
        """Return these with some rows as others have them."""
        pairs = [(getattr(self, entry.name), getattr(other, entry.name)) for entry in fields(self)]
        return Counters(*(np.where(rows if old.ndim == 1 else rows[:, None], new, old) for old, new in pairs))


@dataclass(frozen=True, slots=True)
class Counted:
    """What readings of counters say: what each adds [mm], which cannot be, and where the counters stand after them."""

    mm: FloatArray
    failed: BoolArray
    after: Counters


def counted(before: Counters, now: FloatArray, at_us: IntArray) -> Counted:
    """Return what readings say. [mm], [µs since 1970]"""
    limit_mm = most_mm(since_us(before.stood_us, at_us))
    rise = np.where(np.isnan(before.stood), 0.0, now - before.stood)
    beside, most_stand = now[:, None] - before.stands, most_mm(at_us[:, None] - before.stands_us)
    fits = (beside >= 0.0) & (beside <= most_stand)
    likely = fits & (beside <= UNLIKELY_MM)
    fits = np.where(likely.any(axis=1, keepdims=True), likely, fits)
    from_apart = now - before.apart
    by_apart = (from_apart >= 0.0) & (from_apart <= most_mm(at_us - before.apart_us)) & ~likely.any(axis=1)
    most_beside = np.where(by_apart, from_apart, np.where(fits, beside, -1.0).max(axis=1))
    goes_on = (rise >= 0.0) & (rise <= limit_mm) & ((rise <= UNLIKELY_MM) | (most_beside < 0.0))
    by_beside = ~goes_on & (most_beside >= 0.0)
    fell = (rise < 0.0) & ~by_beside
    again = fell & (-rise <= REREAD_MM) & (now > -rise)
    anew = fell & ~again & (now <= limit_mm)
    failed = cannot_be(before.stood, now, limit_mm) & ~by_beside
    by_main = np.maximum(rise, np.where(likely, beside, 0.0).max(axis=1))
    mm = np.select([goes_on, by_beside, anew], [by_main, most_beside, now], 0.0)
    from_stand = fits & (likely | by_beside[:, None]) & ~failed[:, None]
    borne = np.where(from_stand, before.stands_words, np.where(by_beside & by_apart, 1, 0)[:, None]).max(axis=1)
    words = np.select([anew, by_beside], [0, borne], np.maximum(before.words, borne))
    after = Counters(
        now, at_us, np.minimum(words + 1, MOST_WORDS).astype(np.int8),
        np.full(now.size, np.nan), np.full(now.size, NEVER_US),
        np.where(from_stand, np.nan, before.stands), np.where(from_stand, NEVER_US, before.stands_us),
        np.where(from_stand, 0, before.stands_words).astype(np.int8),
    )  # fmt: skip
    _keep(after, before, np.flatnonzero(anew | by_beside))
    odd = Counters(
        before.stood, before.stood_us, before.words, now, at_us, before.stands, before.stands_us, before.stands_words
    )
    return Counted(mm, failed, after.moved_to(odd, failed))


def _keep(after: Counters, before: Counters, rows: IntArray) -> None:
    """Keep where counters stood before: in an empty place, else in that of the newest on which least was said."""
    words = after.stands_words[rows]
    least = words == words.min(axis=1, keepdims=True)
    place = np.where(least, after.stands_us[rows], NEVER_US - 1).argmax(axis=1)
    after.stands[rows, place], after.stands_us[rows, place] = before.stood[rows], before.stood_us[rows]
    after.stands_words[rows, place] = before.words[rows]


def since_us(before_us: IntArray, at_us: IntArray) -> IntArray:
    """Return how long ago a gauge stood soundly; an hour where it never did. [µs]"""
    return np.where(before_us == NEVER_US, 3_600_000_000, at_us - np.maximum(before_us, 0))
