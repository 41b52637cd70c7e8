"""A site made ready without some sensors and entrances that an import had left: cut out of what stands, not made anew.

A word is laid down in the middle of a storm, with ten thousand spaces to be judged in the same second. So what hangs on
spaces and thresholds alone is taken over, the rows of the sensors and entrances that go are cut out, and only what
counts rows is counted again. The result is the one that the site would give anew, row for row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from risk.ahead_site import SiteAhead
from risk.arrays import BoolArray, IntArray, SiteArrays
from risk.left import Left
from risk.levels import LevelTable, entrance_index
from risk.pumping import pump_words
from risk.segments import Segments
from risk.state import EngineState, array_fields
from risk.statics import SiteStatics, statics_without

_OF_SITE = ("basin_names", "street_names", "spaces_by_area")
"""What arrays have worked out of the site alone."""
_E = ("e_space", "e_crest_m", "e_roadway_m", "e_width_m", "e_barrier_top_m", "e_needed")
_S = ("s_role", "s_left", "s_space", "s_offset", "s_limit_dry_us", "s_limit_wet_us", "s_period_us")
_LAYOUT = ("space", "width_m", "crest_m", "barrier_height_m", "leakage_m3_h_m2", "deploy_min", "barrier_raises_m",
           "target_level_m")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stays:
    """Which rows stay: of sensors, of level sensors, of entrances."""

    sensors: BoolArray
    levels: BoolArray
    entrances: BoolArray


def parts_without(
    arrays: SiteArrays, statics: SiteStatics, ahead: SiteAhead, left: Left
) -> tuple[Stays, dict[str, Any]]:
    """Return which rows stay, and by name the parts of a site made ready with only those."""
    kept = stays(arrays, left)
    fewer = arrays_without(arrays, left, kept)
    parts = all_statics_without(statics, fewer, kept), ahead_without(ahead, kept)
    return kept, {"arrays": fewer, "statics": parts[0], "ahead": parts[1]}


def stays(arrays: SiteArrays, left: Left) -> Stays:
    """Return which rows stay where only ``left`` is left of what imports left behind."""
    there = {(one.spec.key, one.spec.place, one.spec.entrance) for one in left.sensors}
    sensors = np.ones(len(arrays.sensors), np.bool_)
    for row in np.flatnonzero(arrays.s_left).tolist():
        spec = arrays.sensors[row]
        sensors[row] = (spec.key, spec.place, spec.entrance) in there
    entrances = np.ones(len(arrays.entrances), np.bool_)
    named = {(space, entrance.id) for space, entrance in left.entrances}
    for space, entrance in arrays.left.entrances:
        if (space, entrance.id) not in named:
            entrances[entrance_index(arrays, arrays.space_index[space], entrance.id)] = False
    return Stays(sensors, sensors[arrays.l_sensor], entrances)


def arrays_without(arrays: SiteArrays, left: Left, kept: Stays) -> SiteArrays:
    """Return the arrays of the rows that stay."""
    sensors = _cut(arrays.sensors, kept.sensors)
    is_left = arrays.s_left[kept.sensors]
    device = arrays.s_device[kept.sensors]
    has_sensor = np.bincount(device, minlength=len(arrays.devices)) > 0
    e_space = arrays.e_space[kept.entrances]
    l_space, l_family = arrays.l_space[kept.levels], arrays.l_family[kept.levels]
    slots = arrays.s_slot.copy()
    slots[arrays.l_sensor] = _places(kept.levels)
    values: dict[str, Any] = {name: getattr(arrays, name)[kept.entrances] for name in _E}
    values |= {name: getattr(arrays, name)[kept.sensors] for name in _S}
    found = replace(
        arrays,
        left=left,
        entrances=_cut(arrays.entrances, kept.entrances),
        sensors=sensors,
        devices=_cut(arrays.devices, has_sensor),
        e_position=np.arange(e_space.size) - np.searchsorted(e_space, e_space),
        s_entrance=_moved(arrays.s_entrance[kept.sensors], kept.entrances),
        s_device=_places(has_sensor)[device],
        s_slot=slots[kept.sensors],
        l_sensor=_places(kept.sensors)[arrays.l_sensor[kept.levels]],
        l_space=l_space,
        l_entrance=_moved(arrays.l_entrance[kept.levels], kept.entrances),
        l_family=l_family,
        g_sensor=_places(kept.sensors)[arrays.g_sensor],
        l_family_space=Segments.of(l_family.astype(np.int64) * arrays.n_spaces + l_space, 2 * arrays.n_spaces),
        sensor_index={spec.key: row for row, spec in enumerate(sensors) if not is_left[row]},
        **values,
    )
    of_site = {name: vars(arrays)[name] for name in _OF_SITE if name in vars(arrays)}
    vars(found).update(of_site, s_stale_intervals=arrays.s_stale_intervals[kept.sensors])
    return found


def rows_after(before: SiteArrays, after: SiteArrays) -> IntArray:
    """Return where each sensor of the site stands once left ones are cut out; -1 for those, and for -1."""
    found = np.full(len(before.sensors) + 1, -1, np.int64)
    found[np.flatnonzero(~before.s_left)] = np.flatnonzero(~after.s_left)
    return found


def all_statics_without(statics: SiteStatics, arrays: SiteArrays, kept: Stays) -> SiteStatics:
    """Return the statics of arrays of the rows that stay."""
    levels = statics.levels
    cut = LevelTable(
        levels.open_m[:, kept.levels], levels.closed_m[:, kept.levels], levels.rising_m[kept.levels],
        levels.open_rule[:, kept.levels], levels.closed_rule[:, kept.levels],
    )  # fmt: skip
    words = statics.storage.pump_words
    if kept.sensors[statics.storage.pump_sensors.rows].all():  # else the others speak of more pumps than before
        words = replace(words, m3_s=words.m3_s[kept.sensors], sensor=_places(kept.sensors)[words.sensor])
    else:
        words = pump_words(arrays)
    return statics_without(statics, arrays, cut, words)


def ahead_without(ahead: SiteAhead, kept: Stays) -> SiteAhead:
    """Return the ensemble's view of the entrances that stay."""
    if kept.entrances.all():
        return ahead
    parts: dict[str, Any] = {name: getattr(ahead.layout, name)[..., kept.entrances] for name in _LAYOUT}
    return replace(ahead, layout=replace(ahead.layout, **parts))


def state_without(state: EngineState, kept: Stays) -> EngineState:
    """Return the memory of the rows that stay; the simple forecast is worked out anew."""
    of_axis = {"S": kept.sensors, "L": kept.levels}
    rows: dict[str, Any] = {
        entry.name: getattr(state, entry.name)[of_axis[entry.metadata["axis"]]]
        for entry in array_fields()
        if entry.metadata["axis"] in of_axis
    }
    return replace(state, closed_bits=np.full_like(state.closed_bits, -1), **rows)


def _cut(values: tuple[Any, ...], kept: BoolArray) -> tuple[Any, ...]:
    rows = list(values)
    for row in np.flatnonzero(~kept)[::-1].tolist():
        del rows[row]
    return tuple(rows)


def _places(kept: BoolArray) -> IntArray:
    """Return where each row that stays comes to stand."""
    return np.cumsum(kept) - 1


def _moved(rows: IntArray, kept: BoolArray) -> NDArray[np.int64]:
    """Return rows of entrances as they come to stand; -1 stays none."""
    return np.where(rows >= 0, np.append(_places(kept), -1)[rows], -1)
