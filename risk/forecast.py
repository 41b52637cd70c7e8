"""Likely time to orange and red, from a storage balance on the outside level carried on at its present rate.

This is the seam for the ensemble: whatever fills a `TimeToThreshold` per space serves the rules and the score.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from risk.arrays import BoolArray, FloatArray, IntArray, SiteArrays
from risk.hydraulics.storage import StorageCurve
from risk.hydraulics.weir import weir_m3_s
from risk.pumping import PumpWords, pump_words
from risk.segments import RowsBySpace
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


@dataclass(frozen=True, slots=True)
class Storage:
    """What a balance needs of each space: its curve, its pumps, its inside sensors.

    ``depth_m, area_m2, volume_m3, slope_m`` have shape (N, rows): the curves of `risk.hydraulics.storage`, rows that a
    curve has not at infinite depth. ``pump_sensors``, ``level_rows`` and ``inside_rows`` list sensors, level sensors
    and those inside, by space.
    """

    depth_m: FloatArray
    area_m2: FloatArray
    volume_m3: FloatArray
    slope_m: FloatArray
    pump_m3_s: FloatArray
    pump_sensors: RowsBySpace
    level_rows: RowsBySpace
    inside_rows: RowsBySpace
    has_inside: BoolArray
    pump_words: PumpWords

    def volume_at_m3(self, space: IntArray, depth_m: FloatArray) -> FloatArray:
        """Return the volume below a depth in each of some spaces; 0 at or below the floor, infinite at infinity. [m³]

        The same integral as `StorageCurve.volume_at_m3`, over many curves at once.
        """
        depth = np.maximum(depth_m, 0.0)
        row = (self.depth_m[space] <= depth[:, None]).sum(axis=1) - 1
        over = np.where(np.isfinite(depth), depth - self.depth_m[space, row], 0.0)
        volume = self.volume_m3[space, row] + over * (self.area_m2[space, row] + 0.5 * self.slope_m[space, row] * over)
        return np.where(np.isfinite(depth), volume, np.inf)


def storage_of(arrays: SiteArrays) -> Storage:
    """Return the storage of every space of a site."""
    curves = [StorageCurve.from_rows((row.depth_m, row.area_m2) for row in space.storage) for space in arrays.spaces]
    longest = max(curve.depth_m.size for curve in curves)
    depth = np.full((len(curves), longest), np.inf)
    area, volume, slope = np.zeros(depth.shape), np.zeros(depth.shape), np.zeros(depth.shape)
    for index, curve in enumerate(curves):
        size = curve.depth_m.size
        depth[index, :size], area[index, :size], volume[index, :size] = curve.depth_m, curve.area_m2, curve.volume_m3
        slope[index, : size - 1] = np.diff(curve.area_m2) / np.diff(curve.depth_m)
    return Storage(
        depth_m=depth,
        area_m2=area,
        volume_m3=volume,
        slope_m=slope,
        pump_m3_s=np.array([sum(pump.capacity_m3_s for pump in space.pumps) for space in arrays.spaces], np.float64),
        **sensors_of_storage(arrays, pump_words(arrays)),
    )


def sensors_of_storage(arrays: SiteArrays, words: PumpWords) -> dict[str, Any]:
    """Return what of a `Storage` hangs on the sensors of a site."""
    inside = arrays.l_entrance < 0
    return {
        "pump_sensors": RowsBySpace.of_rows(np.flatnonzero(arrays.s_role == PUMP), arrays.s_space, arrays.n_spaces),
        "level_rows": RowsBySpace.of_rows(np.arange(arrays.l_sensor.size), arrays.l_space, arrays.n_spaces),
        "inside_rows": RowsBySpace.of_rows(np.flatnonzero(inside), arrays.l_space, arrays.n_spaces),
        "has_inside": np.bincount(arrays.l_space[inside], minlength=arrays.n_spaces) > 0,
        "pump_words": words,
    }


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


def red_while_filling_m(red_m: FloatArray, rising_m: FloatArray, depth_m: FloatArray) -> FloatArray:
    """Return the depth at which an inside that fills is red: it rises, so red while rising counts, unless passed. [m]

    By hand: red at 30 cm, at 15 cm while rising: from 5 cm it is 15 cm; at 20 cm that is not red, it does not rise yet:
    30 cm.
    """
    return np.asarray(np.where(depth_m >= rising_m, red_m, np.minimum(red_m, rising_m)))


def forecast(
    state: EngineState,
    arrays: SiteArrays,
    storage: Storage,
    least_m: FloatArray,
    rising_m: FloatArray,
    known: tuple[BoolArray, BoolArray],
    touched: BoolArray,
) -> TimeToThreshold:
    """Return the likely times of every space.

    Two ways, the earlier counts: each level sensor's own depth carried on at its rate; and, where water stands over an
    edge now or will within the hour, the inside filled by weir inflow over it (`risk.hydraulics.weir`) less the pumps
    known to run (`risk.pumping`). What fills rises, so red while rising counts. Submergence is left out: the outside is
    taken to stay higher. A forecast is of what was last held:
    with stale evidence it is that evidence carried on from now. So it changes only with evidence, and is worked out
    again only for spaces that have new evidence or another barrier state.

    Parameters
    ----------
    least_m, rising_m : ndarray, shape (4, L) and (L,)
        Least depth over ground per severity, and of red while it rises, see `risk.levels`. [m]
    known : tuple of ndarray, shapes (E,) and (S,)
        Barriers known to be deployed; pump sensors whose pumps are known to run (`risk.pumping`).
    touched : ndarray, shape (N,)
        Spaces with new evidence.
    """
    closed = known[0]
    bits = _closed_bits(arrays, closed)
    changed = touched | (bits != state.closed_bits)
    state.closed_bits[:] = bits
    spaces = np.flatnonzero(changed)
    if spaces.size:
        state.orange_min[spaces] = state.red_min[spaces] = np.nan
        rows, _ = storage.level_rows.of(spaces)  # by space; those at entrances by entrance
        depth = state.held[arrays.l_sensor[rows]]
        wet = depth >= WET_DEPTH_M.value
        if wet.any():
            _rising_depths(state, arrays, rows[wet], depth[wet], least_m)
            _filling_insides(
                state, arrays, storage, (least_m, rising_m), known, rows[wet & (arrays.l_family[rows] == 1)]
            )
        for row, out in ((ORANGE_ROW, state.orange_min), (RED_ROW, state.red_min)):
            out[arrays.l_space[rows[depth >= least_m[row, rows]]]] = np.nan
    return TimeToThreshold(state.orange_min.copy(), state.red_min.copy())


def _closed_bits(arrays: SiteArrays, closed: BoolArray) -> IntArray:
    """Return which barriers of each space are closed, as bits."""
    bits = np.zeros(arrays.n_spaces, np.int64)
    shut = np.flatnonzero(closed)
    if shut.size:
        np.bitwise_or.at(bits, arrays.e_space[shut], np.int64(1) << (arrays.e_position[shut] % 62))
    return bits


def _earliest(out: FloatArray, space: IntArray, minutes: FloatArray) -> None:
    """Keep the earliest time per space; NaN is never."""
    np.fmin.at(out, space, minutes)


def _rising_depths(
    state: EngineState, arrays: SiteArrays, rows: IntArray, depth: FloatArray, least_m: FloatArray
) -> None:
    for row, out in ((ORANGE_ROW, state.orange_min), (RED_ROW, state.red_min)):
        _earliest(out, arrays.l_space[rows], minutes_to(depth, least_m[row, rows], state.rate[rows]))


def _filling_insides(
    state: EngineState,
    arrays: SiteArrays,
    storage: Storage,
    levels: tuple[FloatArray, FloatArray],
    known: tuple[BoolArray, BoolArray],
    rows: IntArray,
) -> None:
    """Fill the insides behind some wet outside level sensors."""
    closed, pumps_run = known
    entrance = arrays.l_entrance[rows]
    edge = np.where(closed[entrance], arrays.e_barrier_top_m[entrance], arrays.e_crest_m[entrance])
    head = state.held[arrays.l_sensor[rows]] + arrays.e_roadway_m[entrance] - edge
    rate = np.where(state.rate[rows] > RISING_M_MIN.value, state.rate[rows], 0.0)
    inside = storage.has_inside[arrays.l_space[rows]]
    active = inside & (head + rate * HORIZON_MIN.value > 0.0)
    if not active.any():
        return
    entrance, head, rate = entrance[active], head[active], rate[active]
    heads = np.maximum(head[:, None] + rate[:, None] * (STEPS_MIN - 0.5), 0.0)
    inflow = weir_m3_s(arrays.e_width_m[entrance][:, None], heads) * 60.0
    # Rows are sorted by entrance: of several sensors at one, the worst speaks for it at each step.
    firsts = np.flatnonzero(np.concatenate(([True], entrance[1:] != entrance[:-1])))
    worst = np.maximum.reduceat(inflow, firsts, axis=0)
    space_of = arrays.e_space[entrance[firsts]]
    firsts = np.flatnonzero(np.concatenate(([True], space_of[1:] != space_of[:-1])))
    _cross(state, arrays, storage, (*levels, pumps_run), space_of[firsts], np.add.reduceat(worst, firsts, axis=0))


def _cross(
    state: EngineState,
    arrays: SiteArrays,
    storage: Storage,
    known: tuple[FloatArray, FloatArray, BoolArray],
    spaces: IntArray,
    inflow_m3: FloatArray,
) -> None:
    least_m, rising_m, pumps_run = known
    inside, of_inside = storage.inside_rows.of(spaces)
    pumps, of_pump = storage.pump_sensors.of(spaces)
    held = np.full(spaces.size, -np.inf)
    np.maximum.at(held, of_inside, np.nan_to_num(state.held[arrays.l_sensor[inside]]))
    run = pumps_run[pumps]
    pumped = 60.0 * np.bincount(of_pump[run], storage.pump_words.m3_s[pumps[run]], minlength=spaces.size)
    start = storage.volume_at_m3(spaces, held)
    volume = filled_m3(start, inflow_m3 - pumped[:, None])
    for row, out in ((ORANGE_ROW, state.orange_min), (RED_ROW, state.red_min)):
        least = np.full(spaces.size, np.inf)
        least_of = least_m[row, inside]
        if row == RED_ROW:
            least_of = red_while_filling_m(least_of, rising_m[inside], state.held[arrays.l_sensor[inside]])
        np.minimum.at(least, of_inside, least_of)
        reached = volume >= storage.volume_at_m3(spaces, least)[:, None]
        minutes = np.where(reached.any(axis=1), STEPS_MIN[np.argmax(reached, axis=1)], np.nan)
        _earliest(out, spaces, minutes)
