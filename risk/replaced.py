"""What the sensors of a place had last said when a new site version took them out: a change of hardware dries nothing.

A sensor that the new version has elsewhere was taken out of the one place, and is new at the other.

- A *level sensor, lifted float switch, barrier switch or pump* whose last word has a part in what its space shows, or
  would have behind an open barrier or once the street is dry, is **left** (`risk.left`): the engine goes on with it as
  with one that fell silent, at its place, also where the entrance is gone. What ends it is in `risk.laid_down`. One of
  a space whose alarm stands stood down is not left, unless it spoke since: its word was looked at.
- A *gauge or barrier switch* that the new version has in the place of one that is gone takes over what that had said:
  the rain it had measured; when it had said that the barrier does not close.
- The *rain* of a gauge that nobody takes over stands at the spaces of its basin, see `risk.rain_kept`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from risk.arrays import NEVER_US, BoolArray, SiteArrays
from risk.evidence import fresh_sensors
from risk.left import Left, LeftSensor
from risk.reports import place_of
from risk.segments import RowsBySpace
from risk.sensors import BARRIER, FLOAT, ONLINE, PUMP, RAIN_ROLES, SensorSpec, sensors_of
from risk.spots import beside, still_missed
from risk.standdown import said_since
from risk.state import LEAK, SIGNATURES, EngineState, place_key, sensor_keys
from risk.state import PUMP as PUMP_FAMILY
from risk.statics import SiteStatics
from risk.thresholds import WET_DEPTH_M
from undercroft.site.model import Entrance, Site

Place = tuple[int, str, str]
"""Role, place and entrance of a sensor."""

_GAUGE = (
    "total_mm", "curve_us", "curve_mm", "sure_total_mm", "sure_curve_us", "sure_curve_mm", "acc_mm", "last_acc_mm",
    "wet_us", "busy_us",
)  # fmt: skip
"""Without the counter itself, which begins anew."""
_SWITCH = ("left_us", "denied_us")


def left_behind(state: EngineState, old: SiteArrays, statics: SiteStatics, site: Site) -> Left:
    """Return the sensors and entrances that a new version of the site leaves behind."""
    after = sensors_of(site)
    there = {place_key(spec) for spec in after}
    keys = sensor_keys(old)
    known = set(keys)
    gone = [s for s, key in enumerate(keys) if key not in there]
    entrances_after = {space.id: {entrance.id for entrance in space.entrances} for space in site.spaces}
    stays = _speaks_on(state, old, statics)
    came = Counter(_place(spec) for spec in after if place_key(spec) not in known)
    went = Counter(_place(old.sensors[s]) for s in gone if not old.s_left[s])
    since = {place_key(one.spec): one for one in old.left.sensors}
    rows_of_space = RowsBySpace.of_rows(np.arange(len(old.sensors)), old.s_space, old.n_spaces)
    missed_of: dict[str, list[SensorSpec]] = {}
    for spec in old.left.missed:
        missed_of.setdefault(spec.place, []).append(spec)
    sensors: list[LeftSensor] = []
    for s in gone:
        spec = old.sensors[s]
        if spec.place not in entrances_after or not (old.s_left[s] or stays[s]):
            continue
        is_there = _is_there(spec, entrances_after)
        replaced = came[_place(spec)] >= went[_place(spec)]
        if spec.role == BARRIER and is_there and not old.s_left[s] and (replaced or _closes(state, s)):
            continue
        of_space = [old.sensors[row] for row in rows_of_space[int(old.s_space[s])].tolist()]
        of_space += missed_of.get(spec.place, [])
        fell = LeftSensor(spec, state.tick_us, beside(spec, of_space))
        sensors.append(since.get(keys[s], fell) if old.s_left[s] else fell)
    lost = [*old.left.missed, *(old.sensors[s] for s in gone if not old.s_left[s])]
    lost = [spec for spec in lost if _is_there(spec, entrances_after) and place_key(spec) not in there]
    missed = still_missed(lost, [spec for spec in after if place_key(spec) not in known])
    return Left(tuple(sensors), left_entrances(state, old, sensors, entrances_after), missed)


def _is_there(spec: SensorSpec, entrances: dict[str, set[str]]) -> bool:
    """Tell whether the space of a sensor, and its entrance, are there."""
    return spec.place in entrances and (not spec.entrance or spec.entrance in entrances[spec.place])


def named_entrances(state: EngineState, sensors: Iterable[LeftSensor]) -> set[tuple[str, str]]:
    """Return space and entrance of which a left sensor or a report speaks."""
    named = {(one.spec.place, one.spec.entrance) for one in sensors if one.spec.entrance}
    return named | {place_of(key)[:2] for key in state.reports}


def left_entrances(
    state: EngineState, old: SiteArrays, sensors: Iterable[LeftSensor], there: dict[str, set[str]]
) -> tuple[tuple[str, Entrance], ...]:
    """Return the entrances that are not ``there`` and of which a left sensor or a report speaks."""
    named = named_entrances(state, sensors)
    return tuple(
        (space, ref.entrance)
        for ref in old.entrances
        if (space := old.spaces[ref.space].id) in there
        and ref.entrance.id not in there[space]
        and (space, ref.entrance.id) in named
    )


def _place(spec: SensorSpec) -> Place:
    return spec.role, spec.place, spec.entrance or ""


def _closes(state: EngineState, switch: int) -> bool:
    return bool(state.held[switch] == 0.0)


def _speaks_on(state: EngineState, old: SiteArrays, statics: SiteStatics) -> BoolArray:
    """Tell of which sensors of spaces the last word may hold a level up. Shape (S,)."""
    held, wet_m = state.held, WET_DEPTH_M.value
    not_coping = (state.derived_last[:, PUMP_FAMILY].max(axis=1) > 0)[old.s_space]
    stays = (old.s_role == FLOAT) & (held >= 0.5) | (old.s_role == PUMP) & (held >= 0.5) & not_coping
    stays |= state.lifted_part
    spoke = state.evidence_us[old.l_sensor] != NEVER_US
    wet = (state.held[old.l_sensor] >= wet_m) | (state.last_m.max(axis=1) >= wet_m) | state.implicated
    leaks = (state.derived_last[:, LEAK].max(axis=1) > 0)[old.l_space] & old.l_outside
    stays[old.l_sensor] |= spoke & (wet | leaks)
    primary = statics.primary_sensors
    fresh = fresh_sensors(state, old, state.tick_us, statics.stale_intervals)
    stays[primary] |= state.blind[old.s_space[primary]] & ~fresh[primary]
    calm = (state.written_signature >= 0) & (state.written_signature % SIGNATURES == 0) & (state.alarm_severity == 0)
    stays &= ~calm[old.s_space]
    stays[old.l_sensor] |= spoke & (state.held[old.l_sensor] >= statics.levels.open_m[0])
    inside = old.l_sensor[statics.inside_rows]  # what the street explains today is a leak once that is dry
    may_leak = (state.held[inside] >= statics.leak_rows_m) & ~statics.underpass[old.s_space[inside]]
    stays[inside] |= may_leak & (state.evidence_us[inside] != NEVER_US)
    stays |= (old.s_role == BARRIER) & (state.evidence_us != NEVER_US) & _beside(old, stays)
    in_space = old.s_space >= 0
    stood_down = (state.stood_down_us[old.s_space] != NEVER_US) & ~said_since(state, old)
    return np.asarray(stays & in_space & ~stood_down & (old.s_role != ONLINE))


def _beside(old: SiteArrays, stays: BoolArray) -> BoolArray:
    """Tell which sensors stand at an entrance of which another sensor's word stays, or would. Shape (S,)."""
    found = np.zeros(len(old.entrances) + 1, np.bool_)
    found[old.s_entrance[stays & (old.s_entrance >= 0)]] = True
    return np.asarray(found[old.s_entrance])


def hand_over(before: tuple[EngineState, SiteArrays], after: tuple[EngineState, SiteArrays]) -> set[int]:
    """Let new gauges and switches take over from those in whose place they are; return the rows of the others' rain."""
    (state, old), (_, new) = before, after
    there, known = {place_key(spec, old, new) for spec in new.sensors}, {place_key(s, old, new) for s in old.sensors}
    fresh: dict[Place, int] = {}
    for s, spec in enumerate(new.sensors):
        if place_key(spec, old, new) not in known:
            fresh.setdefault(_place(spec), s)
    alone = set()
    for s, spec in enumerate(old.sensors):
        if place_key(spec, old, new) in there or state.evidence_us[s] == NEVER_US:
            continue
        heir = fresh.get(_place(spec))
        if heir is not None and spec.role in {BARRIER, *RAIN_ROLES}:
            _inherit(before, s, after, heir)
        if spec.role in RAIN_ROLES and (heir is None or new.sensors[heir].basin != spec.basin):
            alone.add(s)  # a gauge that tells of another basin from now on leaves nobody in its place
    return alone


def _inherit(
    before: tuple[EngineState, SiteArrays], gone: int, after: tuple[EngineState, SiteArrays], heir: int
) -> None:
    (state, old), (result, new) = before, after
    result.evidence_us[heir] = max(int(state.evidence_us[gone]), int(result.evidence_us[heir]))
    if int(old.s_role[gone]) == BARRIER:
        for name in _SWITCH:
            getattr(result, name)[heir] = max(getattr(state, name)[gone], getattr(result, name)[heir])
        return
    source, target = int(old.s_slot[gone]), int(new.s_slot[heir])
    if state.acc_mm[source].max() < result.acc_mm[target].max():
        return
    for name in _GAUGE:
        getattr(result, name)[target] = getattr(state, name)[source]
