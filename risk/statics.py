"""What follows from a site and its thresholds alone, worked out once per version instead of per tick."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from risk.arrays import BoolArray, FloatArray, IntArray, SiteArrays
from risk.floats import Floats, floats_of
from risk.forecast import Storage, sensors_of_storage, storage_of
from risk.levels import SEVERITIES, LevelTable, level_table
from risk.neighbours import Neighbours
from risk.pumping import PumpWords
from risk.segments import RowsBySpace, Segments
from risk.sensors import BARRIER, PUMP
from risk.spots import heirs_of
from risk.thresholds import RAIN_RULES


@dataclass(frozen=True, slots=True)
class SiteStatics:
    """Thresholds as arrays; (4, ...) tables hold the least value per severity, infinite for none.

    ``rain_mm``: of each window of rain, in the order of `RAIN_RULES`. ``heirs``: see `risk.spots`.
    """

    levels: LevelTable
    storage: Storage
    underpass: BoolArray
    rain_mm: FloatArray
    gauge_yellow_mm: FloatArray
    least_rain_mm: FloatArray
    colour: FloatArray
    l_rise: BoolArray
    rise_m_min: FloatArray
    rows_at_entrance: RowsBySpace
    inside_rows: IntArray
    pump_sensors: IntArray
    pump_min: FloatArray
    leak_m: FloatArray
    leak_rows_m: FloatArray
    need_m: FloatArray
    e_need_m: FloatArray
    to_orange_min: FloatArray
    to_red_min: FloatArray
    orange_share: FloatArray
    stale_intervals: FloatArray
    primary_sensors: IntArray
    primary_groups: Segments
    primary_group_space: IntArray
    unmonitored: BoolArray
    floats: Floats
    l_interval_min: FloatArray
    level_rows: RowsBySpace
    entrance_rows: RowsBySpace
    rise_set: frozenset[int]
    barrier_sensors: dict[int, tuple[int, ...]]
    neighbours: Neighbours
    heirs: dict[int, IntArray]
    limits: dict[tuple[str, str, int], tuple[float | None, str]] = field(default_factory=dict)


OF_SPACES = (
    "underpass", "rain_mm", "gauge_yellow_mm", "least_rain_mm", "colour", "rise_m_min", "pump_min", "leak_m", "need_m",
    "to_orange_min", "to_red_min", "orange_share",
)  # fmt: skip
"""What hangs on spaces and thresholds alone."""


def _table(arrays: SiteArrays, rule: str) -> FloatArray:
    find = arrays.thresholds.value
    values = np.array([[find(rule, space.id, space.kind, s) for space in arrays.spaces] for s in SEVERITIES])
    return np.where(np.isnan(values), np.inf, values)


def _single(arrays: SiteArrays, rule: str, severity: int, absent: float) -> FloatArray:
    values = np.array([arrays.thresholds.value(rule, space.id, space.kind, severity) for space in arrays.spaces])
    return np.where(np.isnan(values), absent, values)


def statics_of(arrays: SiteArrays) -> SiteStatics:
    """Return the statics of a site."""
    rain = np.stack([_table(arrays, rule) for rule, _ in RAIN_RULES])
    of_spaces: dict[str, Any] = {
        "underpass": np.array([space.kind == "underpass" for space in arrays.spaces], np.bool_),
        "rain_mm": rain,
        "gauge_yellow_mm": rain[:, 1].min(axis=1),
        "least_rain_mm": rain.min(axis=(1, 2)),
        "colour": _table(arrays, "warning-colour"),
        "rise_m_min": _table(arrays, "rise-rate"),
        "pump_min": _single(arrays, "pump-not-coping", 1, np.inf),
        "leak_m": _single(arrays, "leak", 2, np.inf),
        "need_m": _single(arrays, "barrier-not-deployed", 2, -np.inf),
        "to_orange_min": _single(arrays, "time-to-orange", 2, -np.inf),
        "to_red_min": _single(arrays, "time-to-red", 3, -np.inf),
        "orange_share": _single(arrays, "orange-within-30min", 3, np.inf),
    }
    return _with_sensors(arrays, of_spaces, level_table(arrays), storage_of(arrays))


def statics_without(before: SiteStatics, arrays: SiteArrays, levels: LevelTable, words: PumpWords) -> SiteStatics:
    """Return the statics of the same spaces and thresholds with fewer sensors: ``levels, words`` are of those."""
    of_spaces = {name: getattr(before, name) for name in OF_SPACES}
    return _with_sensors(arrays, of_spaces, levels, replace(before.storage, **sensors_of_storage(arrays, words)))


def _with_sensors(arrays: SiteArrays, of_spaces: dict[str, Any], levels: LevelTable, storage: Storage) -> SiteStatics:
    floats = floats_of(arrays)
    l_rise = arrays.l_outside | of_spaces["underpass"][arrays.l_space]
    primary = _primary_sensors(arrays, floats)
    group_keys = arrays.s_space[primary] * (len(arrays.entrances) + 1) + arrays.s_entrance[primary] + 1
    order = np.argsort(group_keys, kind="stable")
    primary, group_keys = primary[order], group_keys[order]
    _, group = np.unique(group_keys, return_inverse=True)
    groups = int(group.max()) + 1 if group.size else 0
    group_space = np.zeros(groups, np.int64)
    group_space[group] = arrays.s_space[primary]
    unmonitored = np.ones(arrays.n_spaces, np.bool_)
    unmonitored[arrays.s_space[primary]] = False
    outside = np.flatnonzero(arrays.l_outside)
    return SiteStatics(
        **of_spaces,
        levels=levels,
        storage=storage,
        l_rise=l_rise,
        rows_at_entrance=RowsBySpace.of_rows(outside, arrays.l_entrance, len(arrays.entrances)),
        inside_rows=np.flatnonzero(~arrays.l_outside),
        pump_sensors=np.flatnonzero((arrays.s_role == PUMP) & (arrays.s_space >= 0)),
        leak_rows_m=of_spaces["leak_m"][arrays.l_space[~arrays.l_outside]],
        e_need_m=of_spaces["need_m"][arrays.e_space],
        stale_intervals=arrays.s_stale_intervals,
        primary_sensors=primary,
        primary_groups=Segments.of(group.astype(np.int64), groups),
        primary_group_space=group_space,
        unmonitored=unmonitored,
        floats=floats,
        l_interval_min=arrays.s_limit_wet_us[arrays.l_sensor] / 60e6,
        level_rows=storage.level_rows,
        entrance_rows=RowsBySpace.of_rows(np.arange(len(arrays.entrances)), arrays.e_space, arrays.n_spaces),
        rise_set=frozenset(np.flatnonzero(l_rise).tolist()),
        barrier_sensors=_barrier_sensors(arrays),
        neighbours=Neighbours(arrays),
        heirs=heirs_of(arrays),
    )


def _primary_sensors(arrays: SiteArrays, floats: Floats) -> IntArray:
    """Return the sensors without which a space is blind; float switches that trip in time where it has no other."""
    watched = np.zeros(arrays.n_spaces, np.bool_)
    watched[arrays.l_space] = True
    switches = floats.sensor[floats.in_time & ~watched[floats.space]]
    return np.concatenate((arrays.l_sensor[np.flatnonzero(arrays.l_primary)], switches))


def _barrier_sensors(arrays: SiteArrays) -> dict[int, tuple[int, ...]]:
    found: dict[int, list[int]] = {}
    for sensor in np.flatnonzero((arrays.s_role == BARRIER) & (arrays.s_entrance >= 0)).tolist():
        found.setdefault(int(arrays.s_entrance[sensor]), []).append(sensor)
    return {entrance: tuple(sensors) for entrance, sensors in found.items()}
