"""What people say beside depths and barriers: a pump that runs, an entrance closed to people, a space evacuated.

Like a depth, such a word may raise and never lowers a level; it counts until it expires (`risk.reports`).

- *A pump that runs*, where no fresh sensor of a pump speaks: when the water still rises after the time of
  ``pump-not-coping``, the pump does not cope, as with a sensor. It empties nothing in a forecast: that takes a reading.
- *Evacuated*, and an underpass closed at all its entrances: nobody is there, so people add nothing to the score, which
  only ranks (`risk.emptied`).
- *An entrance closed to people* else changes nothing that is worked out; it is shown with who said so and until when.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from risk.arrays import BoolArray, SiteArrays
from risk.reports import place_of
from risk.state import PUMP, EngineState, FieldReport
from risk.statics import SiteStatics
from risk.thresholds import RISING_M_MIN

Severities = NDArray[np.int8]


def said_to_run(
    state: EngineState, arrays: SiteArrays, statics: SiteStatics, fresh: BoolArray
) -> dict[int, FieldReport]:
    """Return, by space, who said that a pump runs, where no fresh sensor of a pump says how it is."""
    found = {}
    for key, report in sorted(state.reports.items()):
        name, _, what = place_of(key)
        if what != "pump" or report.value < 0.5:
            continue
        space = arrays.space_index[name]
        if not fresh[statics.storage.pump_sensors[space]].any():
            found[space] = report
    return found


def pumps_not_coping(
    state: EngineState, arrays: SiteArrays, statics: SiteStatics, fresh: BoolArray, water: Severities,
    now: Severities, tick_us: int,
) -> None:  # fmt: skip
    """Raise the family of pumps where one was said to run for long enough and the level inside still rises."""
    inside = statics.inside_rows
    rising = {int(arrays.l_space[row]) for row in inside[state.rate[inside] > RISING_M_MIN.value].tolist()}
    for space, report in said_to_run(state, arrays, statics, fresh).items():
        if space in rising and (tick_us - report.observed_us) / 60e6 >= statics.pump_min[space]:
            now[PUMP, space] = np.clip(water[space] + 1, 1, 4)
