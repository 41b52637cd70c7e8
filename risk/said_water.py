"""Water at entrances by other words than a gauge's: depths that people report, and float switches that are lifted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from risk.arrays import FloatArray, SiteArrays
from risk.floats import Floats
from risk.levels import entrance_index
from risk.reports import place_of
from risk.state import EngineState


@dataclass(frozen=True, slots=True)
class SaidWater:
    """Who says that water stands how deep outside of an entrance.

    Attributes
    ----------
    depth_m : float
        Over the road there. [m]
    source, observed_us : str, int
        The report or the float switch, and when.
    words : dict
        Who reported it.
    sensor : int
        Row of the float switch, -1 for a report.
    """

    depth_m: float
    source: str
    observed_us: int
    words: dict[str, Any]
    sensor: int


def said_outside(state: EngineState, arrays: SiteArrays, floats: Floats) -> dict[int, SaidWater]:
    """Return, by entrance, the deepest water that a report or a lifted float switch tells of."""
    found: dict[int, SaidWater] = {}
    for key, report in sorted(state.reports.items()):
        name, entrance_id, what = place_of(key)
        if what != "depth" or not entrance_id:
            continue
        entrance = entrance_index(arrays, arrays.space_index[name], entrance_id)
        said = SaidWater(report.value, f"report:{report.by}", report.observed_us, {"by": report.by}, -1)
        _keep_deeper(found, entrance, said)
    lifted = np.flatnonzero((floats.entrance >= 0) & (state.held[floats.sensor] >= 0.5))
    for row in lifted.tolist():
        sensor = int(floats.sensor[row])
        said = SaidWater(
            float(floats.trip_m[row]), arrays.sensors[sensor].key, int(state.evidence_us[sensor]), {}, sensor
        )
        _keep_deeper(found, int(floats.entrance[row]), said)
    return found


def _keep_deeper(found: dict[int, SaidWater], entrance: int, said: SaidWater) -> None:
    if entrance >= 0 and (entrance not in found or said.depth_m > found[entrance].depth_m):
        found[entrance] = said


def depths_m(said: dict[int, SaidWater], entrances: int) -> FloatArray:
    """Return the depths by entrance, NaN for none. [m]"""
    depth = np.full(entrances, np.nan)
    depth[list(said)] = [water.depth_m for water in said.values()]
    return depth
