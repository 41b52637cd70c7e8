"""The barrier family: where a barrier is needed and not closed, and how far that raises what the water shows.

Water is what gauges measure, people report and lifted float switches tell (`risk.said_water`), the deepest of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk.arrays import BoolArray, FloatArray, IntArray, SiteArrays
from risk.levels import settled
from risk.said_water import SaidWater, depths_m
from risk.state import EngineState
from risk.statics import SiteStatics
from risk.thresholds import RISING_M_MIN, WET_DEPTH_M

Severities = NDArray[np.int8]

FORECAST_NEED_MIN = 15.0
"""A barrier is needed when the outside level is forecast to need it within this. [min]"""


def outside_of(state: EngineState, arrays: SiteArrays) -> tuple[FloatArray, FloatArray]:
    """Return depth [m] and rate [m/min] outside of each entrance, the greatest of its sensors; NaN for not known."""
    rows, runs = arrays.outside_by_entrance
    return runs.fmax(state.held[arrays.l_sensor[rows]]), runs.fmax(state.rate[rows])


@dataclass(frozen=True, slots=True)
class Unclosed:
    """Entrances that are wet, should have a barrier, and are not known to be closed.

    Attributes
    ----------
    entrance, space : ndarray, shape (n,)
        Which they are, and whose.
    rows, of_entrance : ndarray, shape (rows,)
        Their level sensors, and to which of the n each belongs.
    edge_m : ndarray, shape (n,)
        Crest over the road. [m]
    need_m : ndarray, shape (n,)
        A barrier is needed where the water is within this of the crest. [m]
    depth_m, rise_m_min : ndarray, shape (n,)
        The greatest of their sensors outside and what is said; a rate that is no rise is 0.
    said_m : ndarray, shape (n,)
        What is said alone, minus infinity for nothing. [m]
    """

    entrance: IntArray
    space: IntArray
    rows: IntArray
    of_entrance: IntArray
    edge_m: FloatArray
    need_m: FloatArray
    depth_m: FloatArray
    rise_m_min: FloatArray
    said_m: FloatArray


def unclosed(
    arrays: SiteArrays,
    statics: SiteStatics,
    closed: BoolArray,
    outside: tuple[FloatArray, FloatArray],
    said: dict[int, SaidWater],
) -> Unclosed:
    """Return the entrances that matter, from depth and rate outside of every entrance and what is said of them."""
    (depth_m, rate_m_min), said_m = outside, depths_m(said, closed.size)
    depth_m = np.fmax(depth_m, said_m)
    chosen = np.flatnonzero(depth_m >= WET_DEPTH_M.value)
    chosen = chosen[arrays.e_needed[chosen] & ~closed[chosen]]
    rows, of_entrance = statics.rows_at_entrance.of(chosen)
    rate = rate_m_min[chosen]
    return Unclosed(
        entrance=chosen,
        space=arrays.e_space[chosen],
        rows=rows,
        of_entrance=of_entrance,
        edge_m=arrays.e_crest_m[chosen] - arrays.e_roadway_m[chosen],
        need_m=statics.e_need_m[chosen],
        depth_m=depth_m[chosen],
        rise_m_min=np.where(rate > RISING_M_MIN.value, rate, 0.0),
        said_m=np.nan_to_num(said_m[chosen], nan=-np.inf),
    )


def barrier_step(
    spaces: int, where: Unclosed, depth_m: FloatArray, water: Severities, expected_severity: Severities
) -> tuple[Severities, BoolArray, BoolArray]:
    """Return the severity of the barrier family on some depths of the level sensors and the water severities of these.

    Then, for each entrance of ``where``, whether a barrier is needed or will be.
    """
    out = np.zeros(spaces, np.int8)
    if where.entrance.size == 0:
        return out, np.zeros(0, np.bool_), np.zeros(0, np.bool_)
    stands = where.said_m.copy()
    np.fmax.at(stands, where.of_entrance, depth_m[where.rows])
    needed = settled(where.edge_m - stands) <= where.need_m
    expected = settled(where.edge_m - where.depth_m - where.rise_m_min * FORECAST_NEED_MIN)
    soon = ~needed & (expected <= where.need_m)
    hit = where.space[soon]
    out[hit] = np.clip(np.maximum(water[hit], expected_severity[hit]) + 1, 2, 3)
    hit = where.space[needed]
    out[hit] = np.maximum(out[hit], np.clip(water[hit] + 1, 2, 4))
    return out, needed, soon
