"""The state that virtual sensors measure, between two whole minutes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.acts import EntranceKey
from undercroft.quantities import BarrierState

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Water:
    """Water at one instant.

    Attributes
    ----------
    street_level_m, inside_level_m : ndarray, shape (n_spaces,)
        Water surface in front of each space and inside it; roadway and floor where dry. [m over datum]
    gauge_depth_m : ndarray, shape (n_gauges,)
        Street depth at gauge sites: mean of the streets of their basin. [m]
    rain_total_mm : float
        Rain since the start of the run. [mm]
    """

    street_level_m: FloatArray
    inside_level_m: FloatArray
    gauge_depth_m: FloatArray
    rain_total_mm: float

    def towards(self, later: Water, share: float) -> Water:
        """Return the state at a share of the way to a later one."""
        return Water(
            self.street_level_m + share * (later.street_level_m - self.street_level_m),
            self.inside_level_m + share * (later.inside_level_m - self.inside_level_m),
            self.gauge_depth_m + share * (later.gauge_depth_m - self.gauge_depth_m),
            self.rain_total_mm + share * (later.rain_total_mm - self.rain_total_mm),
        )


@dataclass(slots=True)
class Switches:
    """Barriers, pumps and power: what changes at whole minutes only."""

    barriers: dict[EntranceKey, BarrierState]
    pumps: dict[tuple[int, int], bool]
    mains: NDArray[np.bool_]
    pumps_work: NDArray[np.bool_]
    signal: bool = False
    rain_mm_h: float = 0.0
