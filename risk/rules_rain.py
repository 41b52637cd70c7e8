"""The rain family: basin rain against its thresholds, and whether a space is in rain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk.arrays import NEVER_US, BoolArray, FloatArray, IntArray, SiteArrays
from risk.evidence import second_largest
from risk.levels import settled, severity_of
from risk.state import RAIN, EngineState
from risk.statics import SiteStatics
from risk.thresholds import IN_RAIN_S, OFF_DELAY_S


@dataclass(frozen=True, slots=True)
class RainView:
    """Rain as each space's basin sees it.

    Attributes
    ----------
    basin_mm : ndarray, shape (basins, 3)
        Most in 5, 10 and 60 minutes at any gauge. A silent gauge keeps its last word. [mm]
    in_rain : ndarray, shape (N,)
        2 mm in 5 min at a gauge of the basin within the last hour, a warning in force, or no fresh gauge.
    steady : ndarray, shape (N,)
        False while a gauge that showed alarming rain is silent: then rain cannot be said to be over.
    heard : ndarray, shape (basins,)
        Some gauge of the basin has spoken: else its rain is not known.
    heard_us : ndarray, shape (N,)
        Last tick with a good reading of a gauge of the basin. [µs since 1970]
    """

    basin_mm: FloatArray
    in_rain: BoolArray
    steady: BoolArray
    heard_us: IntArray
    heard: BoolArray


def rain_view(
    state: EngineState,
    arrays: SiteArrays,
    statics: SiteStatics,
    fresh: BoolArray,
    warned: bool,
    tick_us: int,
    views: tuple[NDArray[np.int8], ...],
) -> RainView:
    """Fill the rain family of every view and return what the basins show."""
    del warned
    now, candidate, below, lasting = views
    mm = np.stack((state.acc_mm, second_largest(state.last_acc_mm), state.last_acc_mm.max(axis=2)))
    mm = settled(np.where(np.isinf(mm), 0.0, mm))
    basin_mm = np.zeros((3, len(arrays.basins), 3))
    for row in range(3):
        np.maximum.at(basin_mm[row], arrays.g_basin, mm[row])
    most_mm = basin_mm.max(axis=0)
    reached = (most_mm >= statics.least_rain_mm).any(axis=1)
    if reached.any():  # where no basin reaches the least threshold of any space, none is reached
        rows = np.flatnonzero(reached[arrays.basin_of_space])
        at_space = basin_mm[:, arrays.basin_of_space[rows]]
        by_window = [severity_of(at_space[:, :, w], table[:, rows]) for w, table in enumerate(statics.rain_mm)]
        severity = np.maximum.reduce(by_window)
        now[RAIN, rows], candidate[RAIN, rows] = severity[0], severity[1]
        below[RAIN, rows], lasting[RAIN, rows] = severity[0], severity[2]
    gauge_fresh = fresh[arrays.g_sensor]
    hot = (mm[0] >= statics.gauge_yellow_mm).any(axis=1)
    off_delay_us = int(OFF_DELAY_S.value * 1e6)
    busy = hot | ((tick_us - state.busy_us < off_delay_us) & ~gauge_fresh)
    state.busy_us[busy] = tick_us
    size = len(arrays.basins)
    silent = np.bincount(arrays.g_basin[busy & ~gauge_fresh], minlength=size) > 0
    known = np.bincount(arrays.g_basin[gauge_fresh], minlength=size) > 0
    wet = np.bincount(arrays.g_basin[tick_us - state.wet_us <= IN_RAIN_S.value * 1e6], minlength=size) > 0
    in_rain = wet | ~known
    heard = np.full(size, NEVER_US, np.int64)
    np.maximum.at(heard, arrays.g_basin, state.good_tick_us[arrays.g_sensor])
    of_space = arrays.basin_of_space
    spoke = np.bincount(arrays.g_basin[state.evidence_us[arrays.g_sensor] != NEVER_US], minlength=size) > 0
    return RainView(basin_mm[0], in_rain[of_space], ~silent[of_space], heard[of_space], spoke)
