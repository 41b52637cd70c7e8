"""The true state of every space: the trigger table of `docs/risk.md` on the water itself and on barriers as they stand.

Worked out apart from the engine's rules, from the same numbers (`risk.thresholds`): no delays, no deadband, no
forecast, no raising for open barriers. It answers "was it red?", not "should there have been an alarm?".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from risk.thresholds import ORANGE, RED, RISING_M_MIN, WET_DEPTH_M, thresholds_at
from simulators.acts import EntranceKey
from simulators.simulated import CLOSES
from simulators.world import Water
from undercroft.model import SpaceKind
from undercroft.quantities import BarrierState
from undercroft.site.model import Site

BoolArray = NDArray[np.bool_]
RULES = ("inside-depth", "inside-depth-rising", "freeboard", "outside-head")


class TrueStates:
    """Tells which spaces truly are orange or red."""

    def __init__(self, site: Site, instant: datetime) -> None:
        table = thresholds_at(site, instant)
        pairs = [(i, entrance) for i, space in enumerate(site.spaces) for entrance in space.entrances]
        self._keys = [(i, k) for i, space in enumerate(site.spaces) for k in range(len(space.entrances))]
        self._space = np.array([i for i, _ in pairs], np.int64)
        self._roadway_m = np.array([entrance.roadway_level_m for _, entrance in pairs])
        self._crest_m = np.array([entrance.crest_level_m for _, entrance in pairs])
        self._has_barrier = np.array([entrance.barrier is not None for _, entrance in pairs], np.bool_)
        self._top_m = self._crest_m + np.array(
            [0.0 if entrance.barrier is None else entrance.barrier.height_m for _, entrance in pairs]
        )
        self._floor_m = np.array([space.floor_level_m for space in site.spaces])
        self._underpass = np.array([space.kind is SpaceKind.UNDERPASS for space in site.spaces], np.bool_)
        self._least = {
            (rule, severity): np.array([table.value(rule, space.id, space.kind, severity) for space in site.spaces])
            for rule in RULES
            for severity in (int(ORANGE), int(RED))
        }
        """NaN where a rule does not reach a severity: no comparison with it is true."""

    def reached(
        self, before: Water, water: Water, barriers: Mapping[EntranceKey, BarrierState], severity: int
    ) -> BoolArray:
        """Tell which spaces stand at a severity, orange or red.

        By hand, a metro exit, road 5.00 m, crest 5.30 m, barrier 0.60 m: open, red from 5.50 m on the street; deployed,
        from 6.10 m. A car park: red from 30 cm inside, or from 15 cm while rising over 2 mm/min.

        Parameters
        ----------
        before, water : Water
            A minute ago, and now.
        barriers : mapping
            State of the barrier at every entrance.
        """
        inside_m = water.inside_level_m - self._floor_m
        rising = water.inside_level_m - before.inside_level_m > RISING_M_MIN.value
        inside = inside_m >= self._least["inside-depth", severity]
        inside |= rising & (inside_m >= self._least["inside-depth-rising", severity])
        street_m = water.street_level_m[self._space]
        depth_m = street_m - self._roadway_m
        edge_m = np.where(self._stands(barriers), self._top_m, self._crest_m)
        by_road = depth_m >= self._least["inside-depth", severity][self._space]
        by_edge = edge_m - street_m <= self._least["freeboard", severity][self._space]
        by_edge |= street_m - edge_m >= self._least["outside-head", severity][self._space]
        by_edge &= depth_m >= WET_DEPTH_M.value
        outside = np.where(self._underpass[self._space], by_road, by_edge)
        return np.asarray(inside | self._any(outside), np.bool_)

    def open_barrier(self, water: Water, barriers: Mapping[EntranceKey, BarrierState]) -> BoolArray:
        """Tell at which spaces water stands over a crest whose barrier does not stand."""
        over = water.street_level_m[self._space] > self._crest_m
        return self._any(over & self._has_barrier & ~self._stands(barriers))

    def _stands(self, barriers: Mapping[EntranceKey, BarrierState]) -> BoolArray:
        return np.array([barriers[key] in CLOSES for key in self._keys], np.bool_) & self._has_barrier

    def _any(self, entrances: BoolArray) -> BoolArray:
        return np.bincount(self._space, entrances, minlength=self._floor_m.size) > 0
