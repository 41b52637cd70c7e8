"""Which barriers close nothing any more: the one place that says so, for forecast, shortage and dispatch.

What is out is not waited for, no order can close it, and its entrance takes what one without a barrier takes. Silence
takes nothing back: what was said last counts until something else is said.
"""

from __future__ import annotations

import numpy as np

from risk.arrays import BoolArray, SiteArrays
from risk.levels import entrance_index
from risk.reports import place_of
from risk.state import EngineState
from undercroft.quantities import BarrierState

OUT = (BarrierState.OVERTOPPED, BarrierState.FAILED, BarrierState.UNKNOWN)
"""Words of a barrier that nobody can close now, or that does not know itself how it stands."""


def barriers_out(state: EngineState, arrays: SiteArrays) -> BoolArray:
    """Tell at which entrances the last word of a switch, or of a person, is one of `OUT`. Shape (E,)."""
    switches = arrays.s_switch
    out = np.zeros(len(arrays.entrances), np.bool_)
    out[arrays.s_entrance[switches[np.isin(state.value[switches], [float(word) for word in OUT])]]] = True
    for key, report in state.reports.items():
        space, entrance, what = place_of(key)
        if what == "barrier" and report.value in OUT:
            out[entrance_index(arrays, arrays.space_index[space], entrance)] = True
    return out & ~np.isnan(arrays.e_barrier_top_m)


def entrances_out(state: EngineState, arrays: SiteArrays) -> dict[int, list[str]]:
    """Return the entrances whose barrier is out, by space."""
    found: dict[int, list[str]] = {}
    for row in np.flatnonzero(barriers_out(state, arrays)).tolist():
        ref = arrays.entrances[row]
        found.setdefault(ref.space, []).append(ref.entrance.id)
    return found
