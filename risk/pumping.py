"""Which pumps are known to lift water now, and which spaces have lost the power for it: never by doubt or silence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from risk.arrays import NEVER_US, BoolArray, FloatArray, IntArray, SiteArrays
from risk.sensors import PUMP
from risk.state import EngineState
from undercroft.quality import Quality

GOOD = int(Quality.GOOD)


@dataclass(frozen=True, slots=True, eq=False)
class PumpWords:
    """Of which pumps the pump sensors of a site speak.

    One whose ``at`` names a pump of its space speaks of that pump; the others speak together of all pumps that none
    names. By hand: two pumps of 0.3 m³/s and one sensor that names neither: "runs" is known of one pump, 0.3 m³/s; each
    with its own sensor: of the one that says so.

    Attributes
    ----------
    m3_s : ndarray, shape (S,)
        Capacity that is known to run where a sensor says "runs"; 0 for other sensors. [m³/s]
    sensor, space, pump : ndarray, shape (pairs,)
        Each sensor and each pump that it speaks of, by place in its space.
    sensors : ndarray, shape (N, P)
        How many sensors speak of each pump.
    """

    m3_s: FloatArray
    sensor: IntArray
    space: IntArray
    pump: IntArray
    sensors: IntArray

    def running_share(self, runs: BoolArray, chosen: IntArray) -> FloatArray:
        """Return which share of the sensors of each pump say that it runs; NaN without one. Shape (chosen, P)."""
        flat = self.space * self.sensors.shape[1] + self.pump
        count = np.bincount(flat[runs[self.sensor]], minlength=self.sensors.size).reshape(self.sensors.shape)[chosen]
        of = self.sensors[chosen]
        return np.asarray(np.where(of > 0, count / np.maximum(of, 1), np.nan))


def pump_words(arrays: SiteArrays) -> PumpWords:
    """Return of which pumps the sensors of a site speak."""
    m3_s = np.zeros(len(arrays.sensors))
    pairs: list[tuple[int, int, int]] = []
    sensors = np.zeros((arrays.n_spaces, max((len(space.pumps) for space in arrays.spaces), default=0) or 1), np.int64)
    by_space: dict[int, list[int]] = {}
    for sensor in np.flatnonzero((arrays.s_role == PUMP) & (arrays.s_space >= 0)).tolist():
        by_space.setdefault(int(arrays.s_space[sensor]), []).append(sensor)
    for row, of_space in by_space.items():
        pumps = arrays.spaces[row].pumps
        at = [arrays.sensors[sensor].at for sensor in of_space]
        for place, pump in enumerate(pumps):
            named = [sensor for sensor, name in zip(of_space, at, strict=True) if name == pump.id]
            m3_s[named] += pump.capacity_m3_s / max(len(named), 1)
            pairs += [(sensor, row, place) for sensor in named]
        rest = [place for place, pump in enumerate(pumps) if pump.id not in at]
        others = [sensor for sensor, name in zip(of_space, at, strict=True) if name not in {pump.id for pump in pumps}]
        m3_s[others] = sum(pumps[place].capacity_m3_s for place in rest) / max(len(rest), len(others), 1)
        pairs += [(sensor, row, place) for sensor in others for place in rest]
    table = np.array(pairs, np.int64).reshape(-1, 3)
    np.add.at(sensors, (table[:, 1], table[:, 2]), 1)
    return PumpWords(m3_s, table[:, 0], table[:, 1], table[:, 2], sensors)


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
