"""What ends the word of a sensor that a site import took out (`risk.left`).

It is laid down, at the end of a tick, when

- who came in its place (`risk.spots`) has given a good reading since, not older than the word; a float switch that
  came in the place of a lifted one hangs down besides;
- the alarm of the space is stood down: a named officer says with what evidence;
- the space leaves the site.

What another place says lays nothing down, nor one that had stood beside it, nor a person who finds it dry. A sensor
that comes back to its place is no left one any more. A part in the alarm goes on to who laid the word down, so that its
next good samples end the alarm, not the first alone.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from risk.arrays import NEVER_US, IntArray, SiteArrays
from risk.left import Left, LeftSensor
from risk.replaced import named_entrances
from risk.sensors import FLOAT, LEVEL
from risk.standdown import said_since
from risk.state import EngineState


def standing(state: EngineState, arrays: SiteArrays, heirs: Mapping[int, IntArray]) -> Left:
    """Return what of the left sensors and entrances still stands after a tick; hand parts in alarms on.

    ``heirs``: who has to speak for each left sensor.
    """
    since = {(one.spec.key, one.spec.place, one.spec.entrance): one for one in arrays.left.sensors}
    since_down = said_since(state, arrays)
    kept: list[LeftSensor] = []
    for s in np.flatnonzero(arrays.s_left).tolist():
        spec = arrays.sensors[s]
        one = since[spec.key, spec.place, spec.entrance]
        if state.stood_down_us[arrays.s_space[s]] != NEVER_US and not since_down[s]:
            continue
        if _have_spoken(state, arrays, s, heirs[s], one.since_us):
            _hand_on(state, arrays, s, heirs[s])
        else:
            kept.append(one)
    named = named_entrances(state, kept)
    entrances = tuple((space, gone) for space, gone in arrays.left.entrances if (space, gone.id) in named)
    return Left(tuple(kept), entrances, arrays.left.missed)


def _have_spoken(state: EngineState, arrays: SiteArrays, left: int, heirs: IntArray, since_us: int) -> bool:
    """Tell whether all who came in the place of a left sensor have given a good reading since."""
    well = (state.good_tick_us[heirs] > since_us) & (state.good_run[heirs] > 0)
    well &= state.good_us[heirs] >= state.evidence_us[left]
    return bool(heirs.size and (well & ((arrays.s_role[heirs] != FLOAT) | (state.held[heirs] < 0.5))).all())


def _hand_on(state: EngineState, arrays: SiteArrays, left: int, enders: IntArray) -> None:
    role, slot = int(arrays.s_role[left]), int(arrays.s_slot[left])
    part = bool(state.implicated[slot]) if role == LEVEL else bool(role == FLOAT and state.lifted_part[left])
    if not part:
        return
    levels = enders[arrays.s_role[enders] == LEVEL]
    state.implicated[arrays.s_slot[levels]] = True
    state.lifted_part[enders[arrays.s_role[enders] == FLOAT]] = True
