"""Which sensor stands where one that is gone stood: as far as a site file says it.

A *spot* is, within a space, the entrance (or inside), the probe name ``at`` of the payload, and for depth sensors the
level of their zero; other sensors of the same device at that entrance are of the same spot. A pump's is its space. Two
devices may be of one spot and yet stand ten metres apart: the file does not say. So only who came *after* a sensor was
taken out may speak for it, never one that had stood beside it; and where others of its spot are gone too, in the same
import or before it, nobody can tell who came for whom: then all who came have to speak, and at least as many as are
gone. So a sensor that is taken out, a dry one too, is *missed* at its spot until one comes there.

What a *person* saw at a place is another matter: no sensor said it, so any of its spot may end it (`risk.reports`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from risk.floats import trip_m
from risk.left import LeftSensor
from risk.sensors import BARRIER, FLOAT, LEVEL, PUMP, SensorSpec

if TYPE_CHECKING:
    from risk.arrays import IntArray, SiteArrays

SPEAKS_FOR = {LEVEL: (LEVEL,), FLOAT: (LEVEL, FLOAT), BARRIER: (BARRIER,), PUMP: (PUMP,)}
"""Roles that may lay down the word of each role."""


def same_spot(one: SensorSpec, other: SensorSpec) -> bool:
    """Tell whether a site file has two sensors of one space at one spot."""
    if other.role not in SPEAKS_FOR.get(one.role, ()):
        return False
    if one.role != PUMP and one.entrance != other.entrance:
        return False
    return one.device == other.device or (one.at == other.at and _same_zero(one, other))


def of_one_spot(one: SensorSpec, other: SensorSpec) -> bool:
    """Tell whether two level sensors of one entrance, or of the inside, speak for each other while both are there.

    They have one probe name and one zero, so that the same water stands the same over both. Two probes of one device
    do not: a cable may reach far.
    """
    return one.at == other.at and one.zero_level_m == other.zero_level_m


def _same_zero(one: SensorSpec, other: SensorSpec) -> bool:
    """Tell whether two sensors read 0 at one level; another role, and a level over datum, says nothing of it."""
    zeros = {one.zero_level_m, other.zero_level_m}
    return one.role != LEVEL or None in zeros or len(zeros) == 1


def beside(one: SensorSpec, others: Iterable[SensorSpec]) -> tuple[str, ...]:
    """Return the keys of those of its space that stood at the spot of a sensor when it was taken out."""
    return tuple(sorted({other.key for other in others if other is not one and same_spot(one, other)}))


def still_missed(lost: Iterable[SensorSpec], came: Iterable[SensorSpec]) -> tuple[SensorSpec, ...]:
    """Return which of some sensors that were taken out nobody came for: each who came stands for one of its spot."""
    of_place: dict[str, list[SensorSpec]] = {}
    for spec in lost:
        if spec.role in SPEAKS_FOR:
            of_place.setdefault(spec.place, []).append(spec)
    for new in came:
        waiting = of_place.get(new.place, [])
        found = next((spec for spec in waiting if same_spot(spec, new)), None)
        if found is not None:
            waiting.remove(found)
    return tuple(spec for place in sorted(of_place) for spec in of_place[place])


def heirs_of(arrays: SiteArrays) -> dict[int, IntArray]:
    """Return, for each left sensor, who has to speak to lay its word down; none where nobody can."""
    rows = np.flatnonzero(arrays.s_left).tolist()
    if not rows:
        return {}
    kept = {(one.spec.key, one.spec.place, one.spec.entrance): one for one in arrays.left.sensors}
    order = np.argsort(arrays.s_space, kind="stable")
    first, last = (np.searchsorted(arrays.s_space[order], arrays.s_space[rows], side) for side in ("left", "right"))
    found = {}
    for row, start, end in zip(rows, first.tolist(), last.tolist(), strict=True):
        spec = arrays.sensors[row]
        there = [s for s in order[start:end].tolist() if not arrays.s_left[s]]
        found[row] = _heirs(arrays, kept[spec.key, spec.place, spec.entrance], row, there)
    return found


def _heirs(arrays: SiteArrays, one: LeftSensor, row: int, there: list[int]) -> IntArray:
    of_spot = [s for s in there if same_spot(one.spec, arrays.sensors[s])]
    stood = {arrays.sensors[s].key for s in of_spot} & set(one.beside)
    came = [s for s in of_spot if arrays.sensors[s].key not in stood]
    if one.spec.role == FLOAT:  # a switch that trips higher says nothing of the water below it
        trip = trip_m(arrays, row)
        came = [s for s in came if arrays.s_role[s] == LEVEL or trip_m(arrays, s) <= trip]
    gone = 1 + len(one.beside) - len(stood)
    return np.array(came if len(came) >= gone else [], np.int64)
