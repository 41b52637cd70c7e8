"""The library of floods that an engine uses: which sensors it knows, and, once asked, what came of their floods."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cached_property

import numpy as np

from risk.arrays import IntArray, SiteArrays
from risk.nowcast.analogues import RAIN_TUNING, TIDE_TUNING
from risk.past.known import Known
from risk.past.library import FloodLibrary, PastFlood
from risk.past.traces import Traces

LEAST_FLOODS = 20
"""Floods of its kind (tidal or not) that have a moment, without which a library says nothing of a sensor."""


class Past:
    """A library in force. What is dear is made at the first question, so that no tick waits for it.

    Attributes
    ----------
    version : int
        Its number.
    row : mapping
        Row of each sensor that it knows enough floods of the kind of.

    ``traces``: tracks of floods that were made for other libraries.
    """

    def __init__(self, version: int, library: FloodLibrary, traces: Traces | None = None) -> None:
        self.version, self.library, self._traces = version, library, traces
        tidal = {sensor.key: sensor.tidal for sensor in library.sensors}
        kinds = ((flood, tidal[flood.sensor]) for flood in library.floods)
        floods = Counter(kind for flood, kind in kinds if has_moment(flood, tidal=kind))
        self.row: Mapping[str, int] = {
            sensor.key: k for k, sensor in enumerate(library.sensors) if floods[sensor.tidal] >= LEAST_FLOODS
        }

    def speaks_of(self, arrays: SiteArrays) -> int:
        """Return of how many level sensors of a site it says anything."""
        return int((self.rows_of(arrays) >= 0).sum())

    @cached_property
    def known(self) -> Known:
        """The library made ready; seconds for thousands of floods."""
        return Known.of(self.library, self._traces)

    def __reduce__(self) -> tuple[type[Past], tuple[int, FloodLibrary]]:
        """Send what it is, not what was made of it."""
        return Past, (self.version, self.library)

    def rows_of(self, arrays: SiteArrays) -> IntArray:
        """Return the row of every level sensor of a site in the library, -1 where it says nothing of it."""
        return np.array([self.row.get(arrays.sensors[s].key, -1) for s in arrays.l_sensor], np.int64)


def has_moment(flood: PastFlood, *, tidal: bool) -> bool:
    """Tell whether any moment of a flood is kept (`risk.nowcast.analogues.kept_samples`); cheap, for a tick waits.

    Examples
    --------
    Of two samples within two minutes the first counts, and of a tidal flood only what is deeper than 1.5 cm.

    >>> has_moment(PastFlood("s", 0, (0, 60, 130), (0, 40, 10)), tidal=True)
    False
    >>> has_moment(PastFlood("s", 0, (0, 60, 130), (0, 40, 16)), tidal=True)
    True
    """
    tuning = TIDE_TUNING if tidal else RAIN_TUNING
    least_mm, before = 1000.0 * tuning.least_depth_m, -1
    for at_s, depth_mm in zip(flood.time_s, flood.depth_mm, strict=True):
        stretch = int(at_s // tuning.every_s) if tuning.every_s else before + 1
        if stretch != before and depth_mm > least_mm:
            return True
        before = stretch
    return False
