"""The state of a wet spell at each sample, as coordinates in which like moments lie close together.

The scale of a coordinate says how much it matters; a distance of about 1 is a clearly different moment. The choice
was made on floods before July 2024 (`docs/nowcast.md`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from risk.hydraulics.arrays import BoolArray, FloatArray, floats
from risk.nowcast.surroundings import Surroundings
from risk.nowcast.tide import LUNAR_RAD_S, tidal_rise_m
from risk.nowcast.track import Seen

TIDE_COORDINATES = (
    "rise_5min",
    "rise_10min",
    "rise_30min",
    "drop",
    "hours_to_high_water",
    "tidal_rise",
    "depth",
    "site",
)
RAIN_COORDINATES = ("bend", "rise_log", "drop", "age", "depth", "nearness", "crossed", "site_peak")
LARGEST_DROP_M = 0.12
"""A spell this far below its peak so far is over: no rise is looked for. [m]"""
LEAST_TIDE_DEPTH_M = 0.01
"""A tidal site below this depth is not yet judged. [m]"""


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """States of one track, a row per sample; or of many sensors at one moment, a row each.

    Attributes
    ----------
    coordinates : ndarray
        ``TIDE_COORDINATES`` or ``RAIN_COORDINATES``, by kind of site.
    rate_m_10min : ndarray
        Rate that rises are scaled with. [m per 10 min]
    drop_m : ndarray
        Depth below the peak so far. [m]
    tidal_rise_m : ndarray
        Rise until high water by the tide clock; NaN without one. [m]
    judged : ndarray of bool
        False where nothing is to be looked for: over, or not yet begun.
    """

    coordinates: FloatArray
    rate_m_10min: FloatArray
    drop_m: FloatArray
    tidal_rise_m: FloatArray
    judged: BoolArray


def describe(track: Seen, around: Surroundings, to_high_water_rad: FloatArray | None) -> Moments:
    """Return the state in each row, from what was known then.

    Parameters
    ----------
    track : Seen
        The wet spell, or many.
    around : Surroundings
        Of the same rows.
    to_high_water_rad : ndarray
        Lunar phase left until high water (`risk.nowcast.tide`); None without a tide clock. [rad]
    """
    rise = track.rise_m_10min
    rate = np.maximum(0.0, np.maximum(rise[620.0], 0.5 * rise[320.0]))
    drop = track.peak_so_far_m - track.depth_m
    deep = np.sqrt(np.clip(track.depth_m, 0.0, 1.0))
    fallen = 5.0 * np.sqrt(np.clip(drop, 0.0, 0.3))
    judged = np.asarray(drop < LARGEST_DROP_M, dtype=np.bool_)
    if track.tidal:
        phase = np.full(rate.shape, np.nan) if to_high_water_rad is None else to_high_water_rad
        tide = np.clip(tidal_rise_m(rise[920.0] / 600.0, phase), 0.0, 1.0)
        hours = np.clip(np.nan_to_num(phase / LUNAR_RAD_S / 3600.0), -2.5, 2.5)
        site = np.nan_to_num(np.clip(around.site_rise_m + drop, 0.0, 0.5), nan=0.03)
        columns = [
            *(np.arcsinh(rise[window] / 0.01) * scale for window, scale in ((320.0, 1.0), (620.0, 1.0), (1820.0, 0.7))),
            fallen,
            0.7 * hours,
            5.0 * np.sqrt(np.clip(np.nan_to_num(tide), 0.0, 0.5)),
            4.0 * 0.7 * deep,
            5.0 * 0.7 * np.sqrt(site),
        ]
        judged &= track.depth_m > LEAST_TIDE_DEPTH_M
    else:
        tide = np.full(rate.shape, np.nan)
        columns = [
            0.5 * np.clip((rise[200.0] - rise[620.0]) / (np.abs(rise[620.0]) + 0.01), -2.0, 2.0),
            np.log(rate + 0.01),
            fallen,
            0.7 * np.log(track.time_s / 60.0 + 2.0),
            4.0 * 0.5 * deep,
            0.5 * np.log1p(around.nearness),
            0.5 * np.log1p(around.crossed),
            np.full(rate.shape, 0.4 * np.clip(8.0 * around.site_mean_peak_m, 0.0, 4.0)),
        ]
    return Moments(np.stack(columns, axis=1), floats(rate), floats(drop), floats(tide), judged)
