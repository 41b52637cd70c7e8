"""What the street says by itself of a space whose alarm is stood down (decision 0046). Pure.

Water at an entrance says nothing of the inside: it does not bring back what the lost sensor there had said. But it is
measured, and a danger of its own: what a sensor at an entrance has said since the stand-down raises by its own rules,
depth or freeboard, rise, a lifted float switch, and a barrier that is needed there and open, and by these alone. "One
up" at a barrier stands on the water of the street.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from risk.arrays import BoolArray, SiteArrays
from risk.evidence import Seen
from risk.floats import shown_by
from risk.rules import Views, heard_by_us, rise_of_sensors, steady_spaces, water_of_sensors
from risk.standdown import said_since
from risk.state import BARRIER, DEPTH, FLOAT, FREEBOARD, RISE, EngineState
from risk.statics import SiteStatics


def street_alone(
    state: EngineState, arrays: SiteArrays, statics: SiteStatics, seen: Seen, views: Views, down: BoolArray
) -> Views:
    """Return the views of alarms with nothing of the spaces stood down but what their streets said since."""
    if not down.any():
        return views
    came = said_since(state, arrays)
    candidate, below, lasting = (view.copy() for view in (views.candidate, views.below, views.lasting))
    for view in (candidate, below, lasting):
        view[:, down] = 0
    told = (candidate, below, lasting)
    of_down = down[arrays.l_space]
    street = of_down & arrays.l_outside & came[arrays.l_sensor]
    state.implicated[of_down & ~street] = False
    rows = np.flatnonzero(street)
    family = np.where(arrays.l_family[rows] == 1, FREEBOARD, DEPTH)
    water = water_of_sensors(state, arrays, statics, seen, (views.depth_m, views.least_m, rows))
    rising = rows[statics.l_rise[rows]]
    rise = rise_of_sensors(state, arrays, statics, seen, (views.depth_m, rising))
    floats = statics.floats
    switch = down[floats.space] & (floats.entrance >= 0) & came[floats.sensor]
    state.lifted_part[floats.sensor[down[floats.space] & ~switch]] = False
    lifted, left = shown_by(state, floats, views.closed)
    for view, of_water, of_rise, of_floats in zip(told, water[1:], rise[1:], (lifted, lifted, left), strict=True):
        np.maximum.at(view, (family, arrays.l_space[rows]), of_water)
        np.maximum.at(view[RISE], arrays.l_space[rising], of_rise)
        np.maximum.at(view[FLOAT], floats.space[switch], of_floats[switch])
    rows, switches = rows[views.need_observed[arrays.l_entrance[rows]]], np.flatnonzero(switch)
    switches = switches[views.need_observed[floats.entrance[switches]]]
    spaces = np.unique(np.concatenate((arrays.l_space[rows], floats.space[switches])))
    for view, whole in zip(told, (views.candidate, views.below, views.lasting), strict=True):
        one_up = np.clip(view[:, spaces].max(axis=0) + 1, 2, 4)
        view[BARRIER, spaces] = np.minimum(whole[BARRIER, spaces], one_up)
    steady = steady_spaces(state, arrays, statics, views.fresh, views.rain)
    heard_us = heard_by_us(state, arrays, statics, views.rain)
    return replace(views, candidate=candidate, below=below, lasting=lasting, steady=steady, heard_us=heard_us)
