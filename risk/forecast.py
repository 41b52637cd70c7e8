"""Likely time to orange and red, from a storage balance on the outside level carried on at its present rate.

This is the seam for the ensemble: whatever fills a `TimeToThreshold` per space serves the rules and the score.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from risk.arrays import BoolArray, FloatArray, IntArray, SiteArrays
from risk.hydraulics.storage import StorageCurve
from risk.hydraulics.weir import weir_m3_s
from risk.sensors import PUMP
from risk.state import EngineState
from risk.thresholds import HORIZON_MIN, RISING_M_MIN, WET_DEPTH_M

STEPS_MIN = np.arange(1.0, HORIZON_MIN.value + 1.0)
"""Ends of the steps. [min]"""

ORANGE_ROW, RED_ROW = 2, 3


@dataclass(frozen=True, slots=True)
class TimeToThreshold:
    """Likely minutes until a space reaches orange and red, shape (N,). NaN: not within 60 min, or there already."""

    orange_min: FloatArray
    red_min: FloatArray

    @classmethod
    def none(cls, n_spaces: int) -> TimeToThreshold:
        """Return "not reached" for every space."""
        return cls(np.full(n_spaces, np.nan), np.full(n_spaces, np.nan))


@dataclass(frozen=True, slots=True)
class Storage:
    """What a balance needs of each space: its curve, its pumps, its inside sensors, its thresholds as volumes."""

    curves: tuple[StorageCurve, ...]
    pump_m3_s: FloatArray
    pump_sensors: tuple[IntArray, ...]
    inside_rows: tuple[IntArray, ...]


def storage_of(arrays: SiteArrays) -> Storage:
    """Return the storage of every space of a site."""
    return Storage(
        curves=tuple(
            StorageCurve.from_rows((row.depth_m, row.area_m2) for row in space.storage) for space in arrays.spaces
        ),
        pump_m3_s=np.array([sum(pump.capacity_m3_s for pump in space.pumps) for space in arrays.spaces], np.float64),
        pump_sensors=rows_by_space(np.flatnonzero(arrays.s_role == PUMP), arrays.s_space, arrays.n_spaces),
        inside_rows=rows_by_space(np.flatnonzero(arrays.l_entrance < 0), arrays.l_space, arrays.n_spaces),
    )


def rows_by_space(rows: IntArray, space_of: IntArray, n_spaces: int) -> tuple[IntArray, ...]:
    """Return the rows that belong to each space."""
    found: list[list[int]] = [[] for _ in range(n_spaces)]
    for row in rows:
        if space_of[row] >= 0:
            found[space_of[row]].append(int(row))
    return tuple(np.array(entries, np.int64) for entries in found)


def minutes_to(depth_m: FloatArray, target_m: FloatArray, rate_m_min: FloatArray) -> FloatArray:
    """Return minutes until a depth that rises steadily reaches a target; NaN when never, not in 60 min, or there.

    Examples
    --------
    By hand: from 5 to 15 cm at 2 cm/min: 5 min; at 0.1 cm/min 100 min, beyond the horizon.

    >>> minutes_to(np.array([0.05, 0.05, 0.2]), np.array([0.15, 0.15, 0.15]), np.array([0.02, 0.001, 0.02])).tolist()
    [5.0, nan, nan]
    """
    moving = (rate_m_min > RISING_M_MIN.value) & (depth_m < target_m) & np.isfinite(target_m)
    gap = np.where(moving, target_m - depth_m, np.nan)
    minutes = gap / np.where(moving, rate_m_min, 1.0)
    return np.where(minutes <= HORIZON_MIN.value, minutes, np.nan)


def filled_m3(start_m3: FloatArray, net_m3: FloatArray) -> FloatArray:
    """Return the stored volume after each step of a balance that cannot fall below empty.

    With ``S`` the running sum of start and net inflow, ``V_t = S_t - min(0, min(S_1..S_t))`` (a reservoir reflected at
    0). By hand: start 1, net -3, +2, +2 m³: S = -2, 0, 2; V = 0, 2, 4.

    Parameters
    ----------
    start_m3 : ndarray, shape (n,)
        Volume at the start. [m³]
    net_m3 : ndarray, shape (n, t)
        Inflow less pumped volume in each step. [m³]

    Returns
    -------
    ndarray, shape (n, t)
        Volume at the end of each step. [m³]

    Examples
    --------
    >>> filled_m3(np.array([1.0]), np.array([[-3.0, 2.0, 2.0]])).tolist()
    [[0.0, 2.0, 4.0]]
    """
    sums = start_m3[:, None] + np.cumsum(net_m3, axis=1)
    return np.asarray(sums - np.minimum(np.minimum.accumulate(sums, axis=1), 0.0))


def forecast(
    state: EngineState, arrays: SiteArrays, storage: Storage, least_m: FloatArray, closed: BoolArray
) -> TimeToThreshold:
    """Return the likely times of every space.

    Two ways, the earlier counts: each level sensor's own depth carried on at its rate; and, where water stands over an
    edge now or will within the hour, the inside filled by weir inflow over it (`risk.hydraulics.weir`) less the pumps
    known to run. Submergence is left out: the outside is taken to stay higher. A forecast is of what was last held:
    with stale evidence it is that evidence carried on from now.

    Parameters
    ----------
    least_m : ndarray, shape (4, L)
        Least depth over ground per severity, see `risk.levels`. [m]
    closed : ndarray, shape (E,)
        Barriers known to be deployed.
    """
    depth = state.held[arrays.l_sensor]
    wet = depth >= WET_DEPTH_M.value
    rate = np.where(wet, state.rate, 0.0)
    result = TimeToThreshold.none(arrays.n_spaces)
    if wet.any():
        for row, out in ((ORANGE_ROW, result.orange_min), (RED_ROW, result.red_min)):
            _earliest(out, arrays.l_space, minutes_to(depth, least_m[row], rate))
        _fill_inside(state, arrays, storage, least_m, closed, result)
    for row, out in ((ORANGE_ROW, result.orange_min), (RED_ROW, result.red_min)):
        there = depth >= least_m[row]
        out[arrays.l_space[there]] = np.nan
    return result


def _earliest(out: FloatArray, space: IntArray, minutes: FloatArray) -> None:
    known = np.flatnonzero(~np.isnan(minutes))
    if known.size:
        merged = np.where(np.isnan(out), np.inf, out)
        np.minimum.at(merged, space[known], minutes[known])
        out[:] = np.where(np.isinf(merged), np.nan, merged)


def _fill_inside(  # noqa: PLR0913 - the parts of one balance
    state: EngineState,
    arrays: SiteArrays,
    storage: Storage,
    least_m: FloatArray,
    closed: BoolArray,
    result: TimeToThreshold,
) -> None:
    rows = np.flatnonzero(arrays.l_family == 1)
    depth = state.held[arrays.l_sensor[rows]]
    entrance = arrays.l_entrance[rows]
    edge = np.where(closed[entrance], arrays.e_barrier_top_m[entrance], arrays.e_crest_m[entrance])
    head = depth + arrays.e_roadway_m[entrance] - edge
    rate = np.maximum(state.rate[rows], 0.0)
    active = (depth >= WET_DEPTH_M.value) & (head + rate * HORIZON_MIN.value > 0.0)
    rows, entrance, head, rate = rows[active], entrance[active], head[active], rate[active]
    if rows.size == 0:
        return
    heads = np.maximum(head[:, None] + rate[:, None] * (STEPS_MIN - 0.5), 0.0)
    inflow = weir_m3_s(arrays.e_width_m[entrance][:, None], heads) * 60.0
    # Several sensors of one entrance: the worst one speaks for it.
    best = np.full((len(arrays.entrances), STEPS_MIN.size), 0.0) if rows.size > 64 else None
    spaces, position = np.unique(arrays.l_space[rows], return_inverse=True)
    total = np.zeros((spaces.size, STEPS_MIN.size))
    if best is None:
        for number in np.unique(entrance):
            mine = entrance == number
            total[position[mine][0]] += inflow[mine].max(axis=0)
    else:
        np.maximum.at(best, entrance, inflow)
        used = np.unique(entrance)
        np.add.at(total, np.searchsorted(spaces, arrays.e_space[used]), best[used])
    for index, space in enumerate(spaces):
        _space_times(state, arrays, storage, least_m, (int(space), total[index]), result)


def _space_times(  # noqa: PLR0913 - the parts of one balance
    state: EngineState,
    arrays: SiteArrays,
    storage: Storage,
    least_m: FloatArray,
    inflow: tuple[int, FloatArray],
    result: TimeToThreshold,
) -> None:
    space, inflow_m3 = inflow
    inside = storage.inside_rows[space]
    if inside.size == 0:
        return
    curve = storage.curves[space]
    held = state.held[arrays.l_sensor[inside]]
    known = held[~np.isnan(held)]
    start = curve.volume_at_m3(np.maximum(known.max() if known.size else 0.0, 0.0))
    running = bool((state.held[storage.pump_sensors[space]] >= 0.5).any())
    pumped = storage.pump_m3_s[space] * 60.0 if running else 0.0
    volume = filled_m3(np.array([float(start)]), (inflow_m3 - pumped)[None, :])[0]
    for row, out in ((ORANGE_ROW, result.orange_min), (RED_ROW, result.red_min)):
        target = least_m[row, inside].min()
        if not np.isfinite(target):
            continue
        reached = volume >= float(curve.volume_at_m3(target))
        if reached.any():
            minutes = float(STEPS_MIN[int(np.argmax(reached))])
            out[space] = minutes if np.isnan(out[space]) else min(out[space], minutes)
