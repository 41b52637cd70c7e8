"""Which spaces tell nothing: silent now, blind since it rained, or not heard at all yet."""

from __future__ import annotations

import numpy as np

from risk.arrays import NEVER_US, BoolArray
from risk.state import EngineState
from risk.statics import SiteStatics


def silent_spaces(statics: SiteStatics, fresh: BoolArray) -> BoolArray:
    """Tell at which spaces some primary place has no fresh level sensor, or there is none at all."""
    silent = statics.unmonitored.copy()
    speaks = fresh[statics.primary_sensors]
    if not speaks.all():
        heard = statics.primary_groups.maximum(speaks.astype(np.int8), 1)
        silent[statics.primary_group_space[heard == 0]] = True
    return silent


def blind_spaces(state: EngineState, statics: SiteStatics, silent: BoolArray, in_rain: BoolArray) -> BoolArray:
    """Tell which spaces are blind, and remember it: one that fell silent in rain is blind until it is heard again.

    The end of the rain says nothing of the water that it left. A space that no sensor can ever be heard of is blind
    while it rains.
    """
    state.blind[:] = silent & (in_rain | (state.blind & ~statics.unmonitored))
    return state.blind.copy()


def unheard_spaces(state: EngineState, statics: SiteStatics) -> BoolArray:
    """Tell of which spaces some primary place was never heard, or has no level sensor: their level says nothing yet."""
    unheard = statics.unmonitored.copy()
    spoke = state.evidence_us[statics.primary_sensors] != NEVER_US
    if not spoke.all():
        heard = statics.primary_groups.maximum(spoke.astype(np.int8), 1)
        unheard[statics.primary_group_space[heard == 0]] = True
    return unheard
