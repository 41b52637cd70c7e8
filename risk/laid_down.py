"""What ends the word of a sensor that a site import took out (`risk.left`).

It is laid down, at the end of a tick, when

- a *level sensor* at the same place (inside for inside, that entrance for that entrance) has given a good reading
  since, not older than the word; for a *lifted float switch* also one there that trips no higher and hangs down; for a
  *barrier switch* another one of the entrance; for a *pump* another sensor of a pump of the space;
- the alarm of the space is stood down: a named officer says with what evidence;
- the space leaves the site.

What another place says lays nothing down, nor does a person who finds it dry. A part in the alarm goes on to who laid
the word down, so that its next good samples end the alarm, not the first alone.
"""

from __future__ import annotations

import numpy as np

from risk.arrays import NEVER_US, IntArray, SiteArrays
from risk.floats import trip_m
from risk.left import Left, LeftSensor
from risk.replaced import left_entrances
from risk.sensors import BARRIER, FLOAT, LEVEL, PUMP
from risk.state import EngineState


def standing(state: EngineState, arrays: SiteArrays) -> Left:
    """Return what of the left sensors and entrances still stands after a tick; hand parts in alarms on."""
    since = {(one.spec.key, one.spec.place, one.spec.entrance): one for one in arrays.left.sensors}
    kept: list[LeftSensor] = []
    for s in np.flatnonzero(arrays.s_left).tolist():
        spec = arrays.sensors[s]
        one = since[spec.key, spec.place, spec.entrance]
        if state.stood_down_us[arrays.s_space[s]] != NEVER_US:
            continue
        enders = _enders(state, arrays, s, one.since_us)
        if enders.size:
            _hand_on(state, arrays, s, enders)
        else:
            kept.append(one)
    there = {space.id: {entrance.id for entrance in space.entrances} for space in arrays.spaces}
    return Left(tuple(kept), left_entrances(state, arrays, kept, there))


def _enders(state: EngineState, arrays: SiteArrays, left: int, since_us: int) -> IntArray:
    """Return the sensors whose good reading lays the word of a left one down."""
    role = int(arrays.s_role[left])
    here = (arrays.s_space == arrays.s_space[left]) & ~arrays.s_left
    if role != PUMP:
        here &= arrays.s_entrance == arrays.s_entrance[left]
    roles = {LEVEL: (LEVEL,), FLOAT: (LEVEL, FLOAT), BARRIER: (BARRIER,), PUMP: (PUMP,)}[role]
    well = (state.good_tick_us > since_us) & (state.good_run > 0) & (state.good_us >= state.evidence_us[left])
    rows = np.flatnonzero(here & well & np.isin(arrays.s_role, roles))
    if role == FLOAT:
        trip = trip_m(arrays, left)
        rows = rows[[_is_lower(state, arrays, row, trip) for row in rows.tolist()]] if rows.size else rows
    return rows


def _is_lower(state: EngineState, arrays: SiteArrays, row: int, trip: float) -> bool:
    if arrays.s_role[row] == LEVEL:
        return True
    return bool(state.held[row] < 0.5) and trip_m(arrays, row) <= trip


def _hand_on(state: EngineState, arrays: SiteArrays, left: int, enders: IntArray) -> None:
    role, slot = int(arrays.s_role[left]), int(arrays.s_slot[left])
    part = bool(state.implicated[slot]) if role == LEVEL else bool(role == FLOAT and state.lifted_part[left])
    if not part:
        return
    levels = enders[arrays.s_role[enders] == LEVEL]
    state.implicated[arrays.s_slot[levels]] = True
    state.lifted_part[enders[arrays.s_role[enders] == FLOAT]] = True
