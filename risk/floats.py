"""Float switches: a lifted one says that water stands at its mounting or higher, one let down that it stands lower.

The level at which a switch trips is its ``zero_level_m``. Lifted, it is held against the water thresholds of its place
(`risk.levels`) as if water stood just there; inside, and on the road of an underpass, the rule ``float-lifted`` looks
too, since no water belongs on a dry floor. A switch settles its own bouncing and speaks when it changes, so one word
raises, also a doubtful one. It is left when the switch was let down by three good words in a row, ten minutes from the
first; a doubtful word or silence lets nothing down. It never says how deep the water is, so no forecast uses it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk.arrays import BoolArray, FloatArray, IntArray, SiteArrays
from risk.levels import RULE_NAMES, SEVERITIES, least_at
from risk.sensors import FLOAT
from risk.state import FLOAT as FAMILY
from risk.state import EngineState

RULE = "float-lifted"


@dataclass(frozen=True, slots=True)
class Floats:
    """The float switches of a site.

    Attributes
    ----------
    sensor, space, entrance : ndarray, shape (F,)
        Which sensors they are and where; entrance -1 is inside.
    trip_m : ndarray, shape (F,)
        How high over the ground there each trips; negative in a sump. [m]
    open_severity, closed_severity : ndarray, shape (F,)
        What a lifted one reaches, with the barrier of its entrance open and deployed.
    in_time : ndarray, shape (F,)
        Whether it trips on the ground or over it, and no higher than orange: then a space is not blind with it alone.
    """

    sensor: IntArray
    space: IntArray
    entrance: IntArray
    trip_m: FloatArray
    open_severity: NDArray[np.int8]
    closed_severity: NDArray[np.int8]
    in_time: BoolArray

    def severity(self, closed: BoolArray) -> NDArray[np.int8]:
        """Return what each reaches when it is lifted, with the barriers as they are."""
        shut = (self.entrance >= 0) & closed[self.entrance]
        return np.where(shut, self.closed_severity, self.open_severity)


def is_dry_ground(arrays: SiteArrays, space: int, entrance: int) -> bool:
    """Tell whether no water belongs at a place: inside, and anywhere on the road of an underpass."""
    return entrance < 0 or arrays.spaces[space].kind == "underpass"


def ground_m(arrays: SiteArrays, space: int, entrance: int) -> float:
    """Return the level of the ground at an entrance, or of the floor. [m over datum]"""
    return float(arrays.e_roadway_m[entrance]) if entrance >= 0 else arrays.spaces[space].floor_level_m


def floats_of(arrays: SiteArrays) -> Floats:
    """Return the float switches of the spaces of a site."""
    sensor = np.flatnonzero((arrays.s_role == FLOAT) & (arrays.s_space >= 0))
    space, entrance = arrays.s_space[sensor], arrays.s_entrance[sensor]
    trip = np.array([trip_m(arrays, s) for s in sensor.tolist()], np.float64)
    places = list(zip(space.tolist(), entrance.tolist(), trip.tolist(), strict=True))
    reached = [[_reached(arrays, *place, closed=shut)[0] for place in places] for shut in (False, True)]
    orange = np.array([least_at(arrays, s, e, closed=False)[0][2] for s, e, _ in places], np.float64)
    in_time = np.asarray((trip >= 0.0) & (trip <= orange), np.bool_)
    return Floats(sensor, space, entrance, trip, np.array(reached[0], np.int8), np.array(reached[1], np.int8), in_time)


def trip_m(arrays: SiteArrays, sensor: int) -> float:
    """Return how high over its ground a float switch trips; micrometres settle the sum. [m]"""
    zero_m = arrays.sensors[sensor].zero_level_m
    assert zero_m is not None  # noqa: S101 - the import refuses a float switch without
    return round(zero_m - ground_m(arrays, int(arrays.s_space[sensor]), int(arrays.s_entrance[sensor])), 6)


def _reached(arrays: SiteArrays, space: int, entrance: int, trip: float, *, closed: bool) -> tuple[int, str, int]:
    """Return the severity of water that stands at a switch, its rule, and the number of the water rule."""
    least, rules = least_at(arrays, space, entrance, closed=closed)
    by_water = max((row + 1 for row in range(4) if trip >= least[row]), default=0)
    by_switch = 0
    if is_dry_ground(arrays, space, entrance):
        place, find = arrays.spaces[space], arrays.thresholds.value
        by_switch = max((s for s in SEVERITIES if trip >= find(RULE, place.id, place.kind, s)), default=0)
    if by_switch > by_water or by_water == 0:
        return by_switch, RULE, 0
    return by_water, RULE_NAMES[rules[by_water - 1]], rules[by_water - 1]


def rule_of(arrays: SiteArrays, floats: Floats, row: int, *, closed: bool) -> tuple[int, str, int]:
    """Return the severity that a lifted switch reaches, the rule by which, and the number of that water rule."""
    space, entrance = int(floats.space[row]), int(floats.entrance[row])
    return _reached(arrays, space, entrance, float(floats.trip_m[row]), closed=closed)


def let_down(state: EngineState, arrays: SiteArrays, sensors: IntArray, good: BoolArray) -> None:
    """Count the good words in a row by which a float switch hangs down."""
    rows = np.flatnonzero(arrays.s_role[sensors] == FLOAT)
    if rows.size:
        s = sensors[rows]
        down = good[rows] & (state.held[s] < 0.5)
        state.let_down[s] = np.where(down, np.minimum(state.let_down[s] + 1, 3), 0)


def float_family(state: EngineState, floats: Floats, closed: BoolArray, views: tuple[NDArray[np.int8], ...]) -> None:
    """Fill the family of float switches in every view, and note which took part in the alarm of their space."""
    if floats.sensor.size == 0:
        return
    over = state.alarm_severity[floats.space] == 0
    state.lifted_part[floats.sensor[over]] = False
    shown, _ = shown_by(state, floats, closed)
    state.lifted_part[floats.sensor[shown >= 2]] = True
    shown, left = shown_by(state, floats, closed)
    now, candidate, below, lasting = views
    for view in (now, candidate, below):
        np.maximum.at(view[FAMILY], floats.space, shown)
    np.maximum.at(lasting[FAMILY], floats.space, left)


def shown_by(state: EngineState, floats: Floats, closed: BoolArray) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Return what each switch reaches now, and as it would be left. Shapes (F,)."""
    severity = floats.severity(closed)
    shown = np.where(state.held[floats.sensor] >= 0.5, severity, 0).astype(np.int8)
    leaving = state.lifted_part[floats.sensor] & (state.let_down[floats.sensor] < 3)
    return shown, np.where(leaving, severity, shown).astype(np.int8)


def part_rows(state: EngineState, floats: Floats) -> IntArray:
    """Return the switches that took part in the open alarm of their space."""
    return np.flatnonzero(state.lifted_part[floats.sensor])
