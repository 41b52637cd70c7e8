"""Which pumps are known to lift water now, and which spaces have lost the power for it: never by doubt or silence."""

from __future__ import annotations

import numpy as np

from risk.arrays import NEVER_US, BoolArray, IntArray, SiteArrays
from risk.sensors import PUMP
from risk.state import EngineState
from undercroft.quality import Quality

GOOD = int(Quality.GOOD)


def powerless_spaces(state: EngineState, arrays: SiteArrays) -> BoolArray:
    """Tell which spaces have lost their mains power: a sensor there says so, by a good reading or a doubtful one."""
    lost = np.zeros(arrays.n_spaces, np.bool_)
    sensors = arrays.s_mains
    lost[arrays.s_space[sensors[state.held[sensors] == 0.0]]] = True
    return lost


def pumping(state: EngineState, arrays: SiteArrays, fresh: BoolArray) -> BoolArray:
    """Tell which pump sensors say, good and fresh, that their pump runs, where there is power. Shape (sensors,)."""
    runs = np.zeros(fresh.size, np.bool_)
    rows = np.flatnonzero((state.held >= 0.5) & arrays.is_pump)
    if rows.size:
        rows = rows[(state.value[rows] >= 0.5) & (state.quality[rows] == GOOD) & fresh[rows]]
        space = arrays.s_space[rows]
        runs[rows[(space < 0) | ~powerless_spaces(state, arrays)[space]]] = True
    return runs


def fold_pumps(state: EngineState, arrays: SiteArrays, s: IntArray, order: IntArray) -> None:
    """Keep since when each pump of some sensors runs, from what they said last."""
    pump = s[arrays.s_role[s] == PUMP]
    if pump.size == 0:
        return
    started = order[arrays.s_role[s] == PUMP]
    running = state.held[pump] >= 0.5
    since = np.where(state.running_us[pump] == NEVER_US, started, state.running_us[pump])
    state.running_us[pump] = np.where(running, since, NEVER_US)
