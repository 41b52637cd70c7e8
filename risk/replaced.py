"""What the sensors of a place had last said when a new site version took them out: a change of hardware dries nothing.

A sensor that the new version has elsewhere was taken out of the one place, and is new at the other.

- A *level sensor, gauge, barrier or float switch* that the new version has at the same place (entrance, floor, gauge
  site) takes over what the old one had last said, as the word of a silent sensor: held until its own first good word.
- Where none takes over, the last depth of at least 2 cm, or the height of a lifted float switch, stays as a report of
  the place (`risk.reports`): it counts until another level sensor of the space gives a good reading, or an officer
  stands the alarm down.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from risk.arrays import NEVER_US, SiteArrays
from risk.floats import trip_m
from risk.sensors import BARRIER, FLOAT, LEVEL, RAIN_ROLES
from risk.state import EngineState, FieldReport, sensor_keys
from risk.thresholds import WET_DEPTH_M

Place = tuple[int, str, str]
"""Role, place and entrance of a sensor."""

_LEVEL = ("last_us", "last_m", "rate", "last_rate", "implicated")
_GAUGE = (
    "total_mm", "curve_us", "curve_mm", "sure_total_mm", "sure_curve_us", "sure_curve_mm", "acc_mm", "last_acc_mm",
    "wet_us", "busy_us",
)  # fmt: skip
"""Without the counter itself, which begins anew."""
_SWITCH = ("left_us", "denied_us")
_FLOAT = ("let_down", "lifted_part")


def keep_last_words(before: tuple[EngineState, SiteArrays], after: tuple[EngineState, SiteArrays]) -> None:
    """Hand what sensors had last said, that the new version of a site has no longer, to those in their places."""
    (state, old), (result, new) = before, after
    keys_before, keys_after = sensor_keys(old), sensor_keys(new)
    there, known = set(keys_after), set(keys_before)
    gone = [s for s, key in enumerate(keys_before) if key not in there]
    if not gone:
        return
    fresh: dict[Place, int] = {}
    for s, key in enumerate(keys_after):
        if key not in known:
            fresh.setdefault(_place(new, s), s)
    for place, sensors in _by_place(old, gone).items():
        worst = max(sensors, key=lambda s: (float(np.nan_to_num(state.held[s], nan=-1.0)), -s))
        heir = fresh.get(place)
        if heir is not None:
            _inherit(before, worst, after, heir)
        elif place[1] in new.space_index and _depth_m(state, old, worst) >= WET_DEPTH_M.value:
            _report(before, worst, result, place)


def _place(arrays: SiteArrays, sensor: int) -> Place:
    spec = arrays.sensors[sensor]
    return int(arrays.s_role[sensor]), spec.place, spec.entrance or ""


def _by_place(arrays: SiteArrays, sensors: Iterable[int]) -> dict[Place, list[int]]:
    found: dict[Place, list[int]] = {}
    for sensor in sensors:
        found.setdefault(_place(arrays, sensor), []).append(sensor)
    return found


def _inherit(
    before: tuple[EngineState, SiteArrays], gone: int, after: tuple[EngineState, SiteArrays], heir: int
) -> None:
    (state, old), (result, new) = before, after
    role = int(old.s_role[gone])
    if state.evidence_us[gone] == NEVER_US or role not in {LEVEL, FLOAT, BARRIER, *RAIN_ROLES}:
        return
    result.evidence_us[heir] = state.evidence_us[gone]
    names: tuple[str, ...] = _SWITCH
    if role == LEVEL:
        result.held[heir] = result.held_before[heir] = state.held[gone]
        names = _LEVEL
    elif role in RAIN_ROLES:
        names = _GAUGE
    elif role == FLOAT:
        result.held[heir] = result.held_before[heir] = state.held[gone]
        names = _FLOAT
    source, target = (gone, heir) if role in {BARRIER, FLOAT} else (int(old.s_slot[gone]), int(new.s_slot[heir]))
    if source < 0 or target < 0:
        return
    for name in names:
        getattr(result, name)[target] = getattr(state, name)[source]


def _depth_m(state: EngineState, old: SiteArrays, sensor: int) -> float:
    """Return the depth that a sensor last spoke of, of a lifted float switch where it trips; 0 for none. [m]"""
    role = int(old.s_role[sensor])
    if role == FLOAT and old.s_space[sensor] >= 0 and state.held[sensor] >= 0.5:
        return trip_m(old, sensor)
    return float(np.nan_to_num(state.held[sensor])) if role == LEVEL else 0.0


def _report(before: tuple[EngineState, SiteArrays], gone: int, result: EngineState, place: Place) -> None:
    state, old = before
    key = old.sensors[gone].key
    name = f"{place[1]}/{place[2]}/depth"
    report = FieldReport(
        value=round(_depth_m(state, old, gone), 3),
        by=key,
        author="site import",
        observed_us=int(state.evidence_us[gone]),
        expires_us=state.tick_us,
        note="last word of a sensor that the site no longer has",
    )
    known = result.reports.get(name)
    if known is None or known.value < report.value:
        result.reports[name] = report
