"""Rain that a site import would take away from a space: its gauge is taken out, or the space moves to another basin.

What the gauge had measured last stands at the space until a gauge of its basin has measured the whole hour since, or
the alarm of the space is stood down: a rain sum tells of the hour before it, so a later hour is better known. One word
measures no hour: there have to be two good ones, an hour apart, the first after the rain; a counter shows what fell
between them, of depths and intensities none may be missing for so long that the gauge is stale.
"""

from __future__ import annotations

import numpy as np

from risk.arrays import NEVER_US, BoolArray, FloatArray, IntArray, SiteArrays
from risk.levels import settled, severity_of
from risk.sensors import RAIN_ROLES, RAIN_TOTAL
from risk.state import RAIN, EngineState, RainKept, place_key
from risk.statics import SiteStatics
from risk.thresholds import IN_RAIN_S

HOUR_US = 3_600_000_000


def keep_rain(before: tuple[EngineState, SiteArrays], after: tuple[EngineState, SiteArrays], alone: set[int]) -> None:
    """Keep the rain of gauges that tell of a space no longer: ``alone`` are those in whose place nobody is."""
    (state, old), (result, new) = before, after
    basin_after = {place_key(spec, old, new): spec.basin for spec in new.sensors if spec.role in RAIN_ROLES}
    for space in new.spaces:
        row = old.space_index.get(space.id)
        if row is None or state.stood_down_us[row] != NEVER_US:
            continue
        kept = state.rain_kept.get(space.id)
        for g in np.flatnonzero(old.g_basin == old.basin_of_space[row]).tolist():
            s = int(old.g_sensor[g])
            still = basin_after.get(place_key(old.sensors[s], old, new)) == space.basin
            handed = s not in alone and place_key(old.sensors[s], old, new) not in basin_after
            if not (still or (handed and old.sensors[s].basin == space.basin)) and _is_rain(state, s, g):
                kept = _more(kept, state, old, g)
        if kept is not None:
            result.rain_kept[space.id] = kept


def _is_rain(state: EngineState, sensor: int, gauge: int) -> bool:
    wet = state.tick_us - int(state.wet_us[gauge]) <= IN_RAIN_S.value * 1e6
    return bool(state.evidence_us[sensor] != NEVER_US and (wet or state.acc_mm[gauge].max() > 0.0))


def _more(kept: RainKept | None, state: EngineState, old: SiteArrays, gauge: int) -> RainKept:
    sensor = int(old.g_sensor[gauge])
    mm = np.maximum(state.acc_mm[gauge], np.where(np.isfinite(last := state.last_acc_mm[gauge].max(axis=1)), last, 0.0))
    depths = mm[0].item(), mm[1].item(), mm[2].item()
    new = RainKept(*depths, old.sensors[sensor].key, int(state.evidence_us[sensor]))
    if kept is None:
        return new
    worst = kept if kept.mm >= new.mm else new
    most = [max(pair) for pair in zip(kept.mm, new.mm, strict=True)]
    return RainKept(most[0], most[1], most[2], worst.sensor, max(kept.said_us, new.said_us))


def raise_kept(
    state: EngineState, arrays: SiteArrays, statics: SiteStatics, in_rain: BoolArray, views: tuple[np.ndarray, ...]
) -> None:
    """Let kept rain count in every view; forget what a gauge of the basin has outlived, or an officer stood down."""
    hour_us = np.full(len(arrays.basins), NEVER_US, np.int64)
    np.maximum.at(hour_us, arrays.g_basin, _measured_us(state, arrays))
    for name, kept in list(state.rain_kept.items()):
        row = arrays.space_index[name]
        if hour_us[arrays.basin_of_space[row]] >= kept.said_us or state.stood_down_us[row] != NEVER_US:
            del state.rain_kept[name]
            continue
        in_rain[row] = True
        reached = max(
            int(severity_of(settled(np.array([mm])), table[:, row : row + 1])[0])
            for mm, table in zip(kept.mm, statics.rain_mm, strict=True)
        )
        for view in views:
            view[RAIN, row] = max(int(view[RAIN, row]), reached)


def kept_share(state: EngineState, arrays: SiteArrays, full_mm: tuple[float, ...], share: FloatArray) -> None:
    """Let kept rain count in the share of full rain that each space has, in place. ``full_mm``: of each window."""
    for name, kept in state.rain_kept.items():
        of_window = [mm / full for mm, full in zip(kept.mm, full_mm, strict=True)]
        row = arrays.space_index[name]
        share[row] = max(share[row], min(max(of_window), 1.0))


def _measured_us(state: EngineState, arrays: SiteArrays) -> IntArray:
    """Return since when the last hour that each gauge has measured runs; `NEVER_US` for none. Shape (G,)."""
    times = state.sure_curve_us
    start_us = times[:, -1] - HOUR_US
    known = times != NEVER_US
    whole = (known & (times <= start_us[:, None])).any(axis=1)
    gap_us = np.where(known[:, :-1] & (times[:, 1:] > start_us[:, None]), np.diff(times, axis=1), 0).max(axis=1)
    counts = arrays.s_role[arrays.g_sensor] == RAIN_TOTAL
    return np.where(whole & (counts | (gap_us <= arrays.s_stale_us[arrays.g_sensor])), start_us, NEVER_US)
