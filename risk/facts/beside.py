"""Facts beside water: rain, warnings, barriers, pumps, leaks and blindness."""

from __future__ import annotations

from typing import Any

import numpy as np

from risk.arrays import NEVER_US
from risk.evidence import flapping
from risk.facts.fact import Context, Fact, entrance_words, held_m, sensor_key_of
from risk.rules_barrier import FORECAST_NEED_MIN
from risk.said import said_to_run
from risk.standin import shown_stand_ins
from risk.state import FieldReport
from risk.thresholds import RAIN_RULES
from risk.warnings import COLOUR_RANK, covers
from undercroft.quantities import BarrierState

BARRIER_WORDS = {float(state): state.word for state in BarrierState}


def rain(context: Context, space: int, severity: int) -> Fact | None:
    """Return the rain of 5, 10 or 60 minutes that speaks for a severity: what has most of its limit, at any gauge."""
    arrays, state = context.arrays, context.state
    gauges = np.flatnonzero(arrays.g_basin == arrays.basin_of_space[space])
    place = arrays.spaces[space]
    if (fact := _rain_kept(context, space, severity)) is not None or gauges.size == 0:
        return fact
    limits = [arrays.thresholds.value(rule, place.id, place.kind, severity) for rule, _ in RAIN_RULES]
    for depths_mm in (state.acc_mm[gauges], state.last_acc_mm[gauges].max(axis=2)):
        share = depths_mm / limits
        gauge, window = divmod(int(np.argmax(share)), len(RAIN_RULES))
        if share[gauge, window] >= 1.0:
            break
    sensor = int(arrays.g_sensor[gauges[gauge]])
    words = {"ready": bool((depths_mm >= [ready for _, ready in RAIN_RULES]).any())}
    value_mm, seen_us = float(depths_mm[gauge, window]), int(state.evidence_us[sensor])
    return Fact(RAIN_RULES[window][0], value_mm, arrays.sensors[sensor].key, seen_us, words, sensor)


def _rain_kept(context: Context, space: int, severity: int) -> Fact | None:
    """Return the rain that speaks for a severity, of a gauge that an import took from the space."""
    arrays, place = context.arrays, context.arrays.spaces[space]
    kept = context.state.rain_kept.get(place.id)
    if kept is None:
        return None
    limits = [arrays.thresholds.value(rule, place.id, place.kind, severity) for rule, _ in RAIN_RULES]
    window = max(range(len(limits)), key=lambda w: kept.mm[w] / limits[w])
    if kept.mm[window] < limits[window]:
        return None
    ready = any(mm >= least for mm, (_, least) in zip(kept.mm, RAIN_RULES, strict=True))
    return Fact(RAIN_RULES[window][0], kept.mm[window], kept.sensor, kept.said_us, {"ready": ready, "left": True})


def warning(context: Context, space: int, severity: int) -> Fact | None:
    """Return the worst rain warning that covers a space."""
    del severity
    covering = [
        (COLOUR_RANK[warning.colour], subject, warning)
        for subject, warning in sorted(context.state.warnings.items())
        if covers(warning, context.arrays, space)
    ]
    if not covering:
        return None
    rank, subject, warning = max(covering, key=lambda entry: (entry[0], entry[1]))
    return Fact("warning-colour", rank, subject, warning.acted_us, {"colour": warning.colour})


def barrier(context: Context, space: int, severity: int) -> Fact | None:
    """Return the freeboard, now or expected, at the worst entrance whose barrier is needed and not deployed."""
    del severity
    arrays, views = context.arrays, context.views
    rows = context.statics.entrance_rows[space]
    depth_m = np.fmax(views.out_depth_m[rows], [views.said[e].depth_m if e in views.said else np.nan for e in rows])
    known = arrays.e_needed[rows] & ~np.isnan(depth_m)
    if not known.any():
        return None
    rows, depth_m = rows[known].tolist(), depth_m[known]
    gap = {
        e: float(arrays.e_crest_m[e] - arrays.e_roadway_m[e] - deep)
        for e, deep in zip(rows, depth_m.tolist(), strict=True)
    }
    rank = {e: 2 * int(views.need_observed[e]) + int(views.need_forecast[e]) for e in rows}
    entrance = min(rows, key=lambda e: (-rank[e], bool(views.closed[e]), gap[e], e))
    if views.closed[entrance]:
        return None
    forecast = bool(views.need_forecast[entrance])
    words = entrance_words(context, entrance) | {"barrier": barrier_word(context, entrance)}
    switches = context.statics.barrier_sensors.get(entrance, ())
    if flapping(context.state, np.array(switches, np.int64)).any():
        words["flapping"] = True
    if forecast:
        words["forecast"] = FORECAST_NEED_MIN
    if words["barrier"] in COULD_BE_ORDERED:
        words["order_min"] = _order_min(context, space)
    # What is held against the limit is the freeboard now, or the one expected when the barrier would be up.
    rise_m = max(0.0, float(views.out_rate_m_min[entrance])) * FORECAST_NEED_MIN if forecast else 0.0
    said, measured_m = views.said.get(entrance), float(views.out_depth_m[entrance])
    if said is not None and not said.depth_m <= measured_m:
        value = gap[entrance] - rise_m
        return Fact("barrier-not-deployed", value, said.source, said.observed_us, words | said.words, said.sensor)
    levels = [r for r in context.statics.level_rows[space].tolist() if arrays.l_entrance[r] == entrance]
    level = max(levels, key=lambda r: (held_m(context, r), -r))
    sensor = int(arrays.l_sensor[level])
    return Fact(
        "barrier-not-deployed",
        gap[entrance] - rise_m,
        sensor_key_of(context, level),
        int(context.state.evidence_us[sensor]),
        words,
        sensor,
    )


COULD_BE_ORDERED = frozenset(
    state.word for state in (BarrierState.OPEN, BarrierState.DEPLOYED_UNVERIFIED, BarrierState.UNKNOWN)
)
"""States of a barrier that is not on its way up, and not out (`risk.barriers_out`)."""


def _order_min(context: Context, space: int) -> tuple[float, float]:
    """Return the minutes left to order the barriers before orange and before red, by the last nowcast.

    Infinite where none is needed, minus infinite where it is too late, NaN where none helps, or nobody foresaw it.
    """
    state = context.state
    if state.ahead_us[space] == NEVER_US:
        return np.nan, np.nan
    since_min = (context.tick_us - int(state.ahead_us[space])) / 60e6
    orange, red = (max(left - since_min, 0.0) if np.isfinite(left) else left for left in state.ahead_order_min[space])
    return float(orange), float(red)


def _barrier_report(context: Context, entrance: int) -> FieldReport | None:
    ref = context.arrays.entrances[entrance]
    return context.state.reports.get(f"{context.arrays.spaces[ref.space].id}/{ref.entrance.id}/barrier")


def barrier_word(context: Context, entrance: int) -> str:
    """Return the state of an entrance's barrier in the words of the payload; ``none`` where there is no barrier."""
    arrays, state = context.arrays, context.state
    if np.isnan(arrays.e_barrier_top_m[entrance]):
        return "none"
    if context.views.closed[entrance]:
        return BarrierState.DEPLOYED.word
    report = _barrier_report(context, entrance)
    if report is not None and report.value != float(BarrierState.DEPLOYED):
        return BarrierState(int(report.value)).word
    for sensor in context.statics.barrier_sensors.get(entrance, ()):
        word = BARRIER_WORDS.get(float(state.value[sensor]), BarrierState.UNKNOWN.word)
        if context.views.fresh[sensor] and word != BarrierState.DEPLOYED.word:
            return word
    return BarrierState.UNKNOWN.word


def pump(context: Context, space: int, severity: int) -> Fact | None:
    """Return how long the pump that runs longest has run."""
    del severity
    state, arrays = context.state, context.arrays
    pumps = [s for s in context.statics.storage.pump_sensors[space].tolist() if state.running_us[s] != NEVER_US]
    if not pumps:
        return _pump_said(context, space)
    pump = min(pumps, key=lambda s: (int(state.running_us[s]), s))
    minutes = (context.tick_us - int(state.running_us[pump])) / 60e6
    return Fact("pump-not-coping", minutes, arrays.sensors[pump].key, int(state.evidence_us[pump]), {}, pump)


def _pump_said(context: Context, space: int) -> Fact | None:
    """Return how long a pump has run by somebody's word."""
    report = said_to_run(context.state, context.arrays, context.statics, context.views.fresh).get(space)
    if report is None:
        return None
    minutes = (context.tick_us - report.observed_us) / 60e6
    return Fact("pump-not-coping", minutes, f"report:{report.by}", report.observed_us, {"by": report.by})


def leak(context: Context, space: int, severity: int) -> Fact | None:
    """Return the greatest depth inside; words say how old the word is that outside is dry, where it is not heard."""
    del severity
    arrays, state = context.arrays, context.state
    rows = context.statics.storage.inside_rows[space].tolist()
    if not rows:
        return None
    level = max(rows, key=lambda r: (held_m(context, r), -r))
    sensor = int(arrays.l_sensor[level])
    words = _outside_words(context, space)
    return Fact(
        "leak", state.held[sensor], sensor_key_of(context, level), int(state.evidence_us[sensor]), words, sensor
    )


def _outside_words(context: Context, space: int) -> dict[str, Any]:
    """Return for how long the outside sensor that is silent longest gave no good word; nothing where all are heard."""
    arrays, state = context.arrays, context.state
    rows = context.statics.level_rows[space]
    sensors = arrays.l_sensor[rows[arrays.l_outside[rows]]]
    silent = sensors[~context.views.fresh[sensors] & (state.evidence_us[sensors] != NEVER_US)].tolist()
    if not silent:
        return {}
    sensor = min(silent, key=lambda s: (int(state.good_us[s]), s))
    good_us, said_us = int(state.good_us[sensor]), int(state.evidence_us[sensor])
    words: dict[str, Any] = {"outside_doubted": said_us > good_us}
    if good_us != NEVER_US:
        words["outside_min"] = round((context.tick_us - good_us) / 60e6, 1)
    return words


def blind(context: Context, space: int, severity: int) -> Fact | None:
    """Return how many intervals the place that was silent longest has missed, at the pace that it is held against."""
    del severity
    arrays, state = context.arrays, context.state
    primary = context.statics.primary_sensors
    silent = primary[(arrays.s_space[primary] == space) & ~context.views.fresh[primary]].tolist()
    if not silent:
        return Fact("blind", 0.0, "", NEVER_US, {"never": True} | _stand_ins(context, space))
    sensor = min(silent, key=lambda s: (int(state.good_us[s]), arrays.sensors[s].entrance or "", s))
    heard = max(int(state.good_us[sensor]), int(state.known_us[sensor]))
    missed = (context.tick_us - heard) / max(int(arrays.s_limit_dry_us[sensor]), 1)
    if missed <= float(arrays.s_stale_intervals[sensor]):
        missed = (context.tick_us - heard) / max(int(arrays.s_limit_wet_us[sensor]), 1)
    words = entrance_words(context, int(arrays.s_entrance[sensor])) | {
        "minutes": round((context.tick_us - heard) / 60e6, 1)
    }
    words["doubted"] = int(state.evidence_us[sensor]) > heard
    words["over"] = not bool(context.views.rain.in_rain[space])
    words |= _stand_ins(context, space)
    return Fact("blind", missed, arrays.sensors[sensor].key, int(state.evidence_us[sensor]), words, sensor)


def _stand_ins(context: Context, space: int) -> dict[str, Any]:
    found = context.views.stand_ins.get(space)
    told = shown_stand_ins(context.state, context.arrays, context.statics.neighbours, space, found)
    return {"stand_ins": told} if told else {}
