"""What an ensemble is told: a site that does not change from minute to minute, and what is known now."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk.hydraulics.arrays import BoolArray, FloatArray

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """What does not change from minute to minute. S spaces, P pumps each, E entrances, K thresholds.

    Attributes
    ----------
    target_m3 : ndarray, shape (K, S)
        Volume at which each threshold is reached inside; infinite where there is none. [m³]
    pump_m3_s, pump_on_m3, pump_off_m3 : ndarray, shape (S, P)
        Capacity (0: no pump) [m³/s] and volumes at which it switches [m³].
    ramp_m2 : ndarray, shape (S,)
        Open area whose rain runs in. [m²]
    space : ndarray, shape (E,)
        Space of each entrance, rising.
    width_m, crest_m, barrier_height_m, leakage_m3_h_m2 : ndarray, shape (E,)
        As in `risk.hydraulics.weir`; barrier height 0 where there is no barrier.
    deploy_min : ndarray, shape (E,)
        Minutes from the order to the closed barrier; NaN where there is none. [min]
    barrier_raises_m : ndarray, shape (E,)
        How much higher the outside levels of the thresholds are behind the deployed barrier. [m]
    target_level_m : ndarray, shape (K, E)
        Outside level at which each threshold is reached; infinite where there is none. [m over datum]
    """

    target_m3: FloatArray
    pump_m3_s: FloatArray
    pump_on_m3: FloatArray
    pump_off_m3: FloatArray
    ramp_m2: FloatArray
    space: IntArray
    width_m: FloatArray
    crest_m: FloatArray
    barrier_height_m: FloatArray
    leakage_m3_h_m2: FloatArray
    deploy_min: FloatArray
    barrier_raises_m: FloatArray
    target_level_m: FloatArray

    def __post_init__(self) -> None:
        if np.any(np.diff(self.space) < 0):
            raise ValueError("entrances must be sorted by space")
        if np.any((self.pump_on_m3 <= self.pump_off_m3) & (self.pump_m3_s > 0.0)):
            raise ValueError("pump_on_m3 must be above pump_off_m3")


@dataclass(frozen=True, slots=True, eq=False)
class Now:
    """What is known at this minute.

    Attributes
    ----------
    volume_m3, rain_mm_h : ndarray, shape (S,)
        Water inside [m³] and rain [mm/h]. NaN: unknown, and so is the nowcast of that space.
    pump_running, pump_powered : ndarray of bool, shape (S, P)
        State of the pumps.
    outside_m, rise_m_min : ndarray, shape (E,)
        Outside level [m over datum] and its recent rate [m/min]; NaN: unknown.
    closed : ndarray of bool, shape (E,)
        True only where the barrier is known to be deployed.
    unseen_m3_min : ndarray, shape (S,)
        What comes in, by the rise inside, where nothing measures outside; 0 elsewhere. It goes on as the street would.
        [m³/min]
    """

    volume_m3: FloatArray
    rain_mm_h: FloatArray
    pump_running: BoolArray
    pump_powered: BoolArray
    outside_m: FloatArray
    rise_m_min: FloatArray
    closed: BoolArray
    unseen_m3_min: FloatArray
