"""The library of floods that an engine uses: which sensors it knows, and, once asked, what came of their floods."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cached_property

import numpy as np

from risk.arrays import IntArray, SiteArrays
from risk.past.known import Known
from risk.past.library import FloodLibrary
from risk.past.traces import Traces

LEAST_FLOODS = 20
"""Floods of its kind (tidal or not) without which a library says nothing of a sensor."""


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
        floods = Counter(tidal[flood.sensor] for flood in library.floods)
        self.row: Mapping[str, int] = {
            sensor.key: k for k, sensor in enumerate(library.sensors) if floods[sensor.tidal] >= LEAST_FLOODS
        }

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
