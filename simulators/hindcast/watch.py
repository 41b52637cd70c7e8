"""When a severity was truly reached in each space, and since when its alarm had stood by then."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulators.world import FloatArray

BoolArray = NDArray[np.bool_]
Bits = NDArray[np.int64]


class SeverityWatch:
    """Follows one severity through a storm, minute by minute.

    An alarm that was over before the water came warned of nothing: what counts at a crossing is the alarm that stands
    then, from its beginning, or else the first one after. Without a crossing any alarm is a false one.
    """

    def __init__(self, spaces: int) -> None:
        self.crossing_s: FloatArray = np.full(spaces, np.nan)
        self._alarm_s: FloatArray = np.full(spaces, np.nan)
        self._alarm_by: Bits = np.zeros(spaces, np.int64)
        self._first_s: FloatArray = np.full(spaces, np.nan)
        self._first_by: Bits = np.zeros(spaces, np.int64)
        self._begun_s: FloatArray = np.full(spaces, np.nan)
        self._begun_by: Bits = np.zeros(spaces, np.int64)

    def take(self, now_s: float, standing: BoolArray, families: Bits, happened: BoolArray) -> None:
        """Take in a minute: where the alarm stands, the families of rules that would raise it now, where it is true."""
        fresh = standing & np.isnan(self._begun_s)
        self._begun_by[fresh] = families[fresh]
        self._begun_s = np.where(standing, np.where(fresh, now_s, self._begun_s), np.nan)
        new = fresh & np.isnan(self._first_s)
        self._first_s[new], self._first_by[new] = now_s, families[new]
        self.crossing_s[happened & np.isnan(self.crossing_s)] = now_s
        answered = standing & np.isfinite(self.crossing_s) & np.isnan(self._alarm_s)
        self._alarm_s[answered], self._alarm_by[answered] = self._begun_s[answered], self._begun_by[answered]

    @property
    def alarm_s(self) -> FloatArray:
        """Beginning of the alarm that counts, NaN for none. [s]"""
        return np.where(np.isnan(self.crossing_s), self._first_s, self._alarm_s)

    @property
    def raised_by(self) -> Bits:
        """Families that spoke for that alarm as it began, as bits of `risk.state.FAMILIES`."""
        return np.where(np.isnan(self.crossing_s), self._first_by, self._alarm_by)
