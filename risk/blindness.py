"""Which spaces tell nothing: silent now, or not heard at all yet."""

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


def unheard_spaces(state: EngineState, statics: SiteStatics) -> BoolArray:
    """Tell of which spaces some primary place was never heard, or has no level sensor: their level says nothing yet."""
    unheard = statics.unmonitored.copy()
    spoke = state.evidence_us[statics.primary_sensors] != NEVER_US
    if not spoke.all():
        heard = statics.primary_groups.maximum(spoke.astype(np.int8), 1)
        unheard[statics.primary_group_space[heard == 0]] = True
    return unheard
