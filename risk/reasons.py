"""Reasons in words and numbers, built only for the spaces whose output is written.

A reason is the JSON object that all parts agree on: ``rule, severity, value, unit, threshold, source, sensor,
observed_at, text_en, text_zh`` and, where they apply, ``age_s`` (the evidence is stale), ``doubt``, ``raises`` (the
severity that "one level up" came to) and ``held`` (met before, not left yet).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from risk.arrays import NEVER_US, SiteArrays, from_us
from risk.evidence import FAIL, GOOD, Seen
from risk.forecast import minutes_to
from risk.levels import (
    DEPTH_RISING,
    FREEBOARD_RULE,
    INSIDE_DEPTH,
    NO_RULE,
    OUTSIDE_HEAD,
    RULE_NAMES,
    entrance_index,
    least_at,
)
from risk.rules import FORECAST_NEED_MIN, Views
from risk.state import (
    BARRIER,
    BLIND,
    DEPTH,
    FORECAST,
    FREEBOARD,
    LEAK,
    PUMP,
    RAIN,
    REPORT,
    RISE,
    WARNING,
    EngineState,
    FieldReport,
)  # fmt: skip
from risk.statics import SiteStatics
from risk.thresholds import RED_READINESS_10MIN_MM, RED_READINESS_60MIN_MM, WET_DEPTH_M
from risk.warnings import COLOUR_RANK, applies
from risk.wording import phrase
from undercroft.quality import Quality
from undercroft.quantities import BarrierState
from undercroft.rules import RULE_UNITS

Reason = dict[str, Any]

DECIMALS = {"m": 3, "m/min": 4, "mm": 1, "min": 1, "intervals": 1, "colour": 0}
"""Declared resolution of each unit in outputs."""

AT_MOST = {"freeboard", "time-to-orange", "time-to-red", "barrier-not-deployed"}
"""Rules that fire at or below their limit; the others fire at or above it."""

STEPS = {BARRIER: (DEPTH, FREEBOARD, RISE, FORECAST), PUMP: (DEPTH, FREEBOARD, RISE), BLIND: (DEPTH, FREEBOARD, RISE)}
"""Families that raise by one level what others show."""

STEP_FAMILY = {"barrier-not-deployed": BARRIER, "pump-not-coping": PUMP, "blind": BLIND}

BASE_RULES = {*RULE_NAMES[1:], "rise-rate", "time-to-orange", "time-to-red"}
"""Rules that one level up may stand on."""

BARRIER_WORDS = {float(state): state.word for state in BarrierState}


@dataclass(frozen=True, slots=True)
class Context:
    """All that a reason may quote; ``memo`` keeps the reasons of this tick, shared by alarm events and assessments."""

    state: EngineState
    arrays: SiteArrays
    statics: SiteStatics
    views: Views
    seen: Seen
    tick_us: int
    memo: dict[tuple[int, int, int, int], Reason | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Fact:
    """What a rule found: a value against a threshold, from a sensor at a time."""

    rule: str
    value: float
    sensor: str
    observed_us: int
    words: dict[str, Any]
    row: int = -1
    severity: int | None = None
    """Severity that the value reaches, where it may be less than what was asked for."""


@lru_cache(maxsize=4096)
def iso(instant_us: int) -> str | None:
    """Return an instant as RFC 3339 in UTC, or None for never."""
    return None if instant_us == NEVER_US else from_us(instant_us).isoformat().replace("+00:00", "Z")


def reasons_of(context: Context, space: int, severities: NDArray[np.int8], least: int) -> list[Reason]:
    """Return a reason for every family of a space that reaches a severity and still meets its limit, worst first.

    A family that is confirmed but whose value meets its limit no more says nothing. A level that came of "one level
    up" brings the water below it; a level for which nothing is left to say is held, and says by what.
    """
    named = np.flatnonzero(severities >= least).tolist()
    top = max((int(severities[family]) for family in named), default=0)
    reasons: list[Reason] = []
    for family in named:
        reason = _told(context, space, family, int(severities[family]), severities)
        if reason is not None:
            reasons.append(reason)
    for step in [reason for reason in reasons if "raises" in reason]:
        reasons += _base_of(context, space, step, reasons, severities)
    if top and not any(reason["severity"] >= top for reason in reasons):
        reasons += [
            r for f in named if severities[f] == top and (r := _held_reason(context, space, f, top)) is not None
        ]
    return sorted(reasons, key=lambda reason: (-reason["severity"], reason["rule"], reason["sensor"] or ""))


def _base_of(
    context: Context, space: int, step: Reason, told: list[Reason], severities: NDArray[np.int8]
) -> list[Reason]:
    """Return the reason of the level that a step raised, where none is told yet."""
    families, low = STEPS[STEP_FAMILY[step["rule"]]], step["raises"] - 1
    if any(reason["severity"] >= low and reason["rule"] in BASE_RULES for reason in told):
        return []
    for family in families:
        reason = _told(context, space, family, low, severities)
        if reason is not None and reason["severity"] >= low:
            return [reason]
    held = (_held_reason(context, space, family, low) for family in families if severities[family] >= low)
    return [reason for reason in held if reason is not None][:1]


def _told(context: Context, space: int, family: int, severity: int, severities: NDArray[np.int8]) -> Reason | None:
    """Return the reason of one family, None where its value does not meet its limit."""
    raised_from = 0
    if family in STEPS:
        below = max(int(severities[base]) for base in STEPS[family])
        raised_from = severity - 1 if below < severity and (severity > 2 or below == severity - 1) else 0
    key = (space, family, severity, raised_from)
    if key not in context.memo:
        fact = _FACTS[family](context, space, severity)
        reason = None if fact is None else _reason(context, space, fact, severity, raised_from)
        context.memo[key] = reason if reason is not None and _met(reason) else None
    return context.memo[key]


def _met(reason: Reason) -> bool:
    """Tell whether a reason's value meets its limit, and when it was seen is known; blindness has no value to meet."""
    if reason["rule"] == "blind":
        return True
    limit = reason["threshold"]
    if limit is None:
        return reason["observed_at"] is not None
    met = reason["value"] <= limit if reason["rule"] in AT_MOST else reason["value"] >= limit
    return met and reason["observed_at"] is not None


def _held_reason(context: Context, space: int, family: int, severity: int) -> Reason | None:
    """Return why a level stands of which no value meets its limit now: the deadband, or what was last forecast."""
    fact: _Fact | None = None
    if family == FORECAST:
        place = 1 if severity >= 3 else 0
        if (at := int(context.state.met_us[space, place])) != NEVER_US:
            rule = ("time-to-orange", "time-to-red")[place]
            fact = _Fact(rule, context.state.met_min[space, place], _driver(context, space, severity), at, {})
    else:
        fact = _FACTS[family](context, space, severity)
    if fact is None or fact.observed_us == NEVER_US:
        return None
    reason = _reason(context, space, replace(fact, severity=severity), severity, 0)
    reason["held"] = True
    if not _met(reason):
        reason["threshold"] = None
    reason["text_en"] += " (was met; held until it has stood clear for the off-delay)"
    reason["text_zh"] += "(曾达到阈值,须持续回落后才降级)"
    return reason


def _limit(context: Context, space: int, rule: str, severity: int) -> tuple[float | None, str]:
    """Return the rounded threshold that a reason quotes, and its source."""
    place, table = context.arrays.spaces[space], context.arrays.thresholds
    key = (rule, place.id if place.id in table.overridden else place.kind.value, severity)
    limits = context.statics.limits
    if key not in limits:
        found = (table.find(rule, place.id, place.kind, s) for s in (severity, 3, 2, 1, 4))
        threshold = next((row for row in found if row is not None), None)
        decimals = DECIMALS[RULE_UNITS[rule]]
        limits[key] = (None, "") if threshold is None else (round(threshold.value, decimals), threshold.source)
    return limits[key]


def _reason(context: Context, space: int, fact: _Fact, severity: int, raised_from: int) -> Reason:
    unit = RULE_UNITS[fact.rule]
    value = round(float(fact.value) + 0.0, DECIMALS[unit])
    severity = severity if fact.severity is None else fact.severity
    limit, source = _limit(context, space, fact.rule, severity)
    if fact.rule == "blind" and limit is not None and value < limit:
        limit = None  # blind by the broker's word or at the pace of rain, not by dry intervals
    words = fact.words | ({"raises": (raised_from, severity)} if raised_from else {})
    text_en, text_zh = phrase(fact.rule, value, limit, words)
    reason: Reason = {
        "rule": fact.rule,
        "severity": severity,
        "value": value,
        "unit": unit,
        "threshold": limit,
        "source": source,
        "sensor": fact.sensor,
        "observed_at": iso(fact.observed_us),
        "text_en": text_en,
        "text_zh": text_zh,
    }
    if raised_from:
        reason["raises"] = severity
    if "by" in fact.words:
        reason["doubt"] = Quality.UNKNOWN.name.lower()
        reason["text_en"] += f" (reported by {fact.words['by']})"
        reason["text_zh"] += f"({fact.words['by']}现场报告)"
    if fact.row >= 0:
        _add_doubts(context, fact.row, reason)
    return reason


def _add_doubts(context: Context, sensor: int, reason: Reason) -> None:
    state = context.state
    if not context.views.fresh[sensor] and state.evidence_us[sensor] != NEVER_US:
        reason["age_s"] = round((context.tick_us - int(state.evidence_us[sensor])) / 1e6)
    quality = int(state.quality[sensor])
    if quality != GOOD and state.observed_us[sensor] != NEVER_US:
        reason["doubt"] = Quality(quality).name.lower()
        held = "last trusted value" if quality >= FAIL else "not confirmed"
        reason["text_en"] += f" ({reason['doubt']} reading: {held})"
        reason["text_zh"] += "(读数失效,沿用最近可信值)" if quality >= FAIL else "(读数存疑)"


def _key(context: Context, level: int) -> str:
    sensor = int(context.arrays.l_sensor[level])
    return context.arrays.sensors[sensor].key


def _entrance_words(context: Context, entrance: int) -> dict[str, Any]:
    if entrance < 0:
        return {"place_en": "inside", "place_zh": "室内"}
    named = context.arrays.entrances[entrance].entrance
    return {
        "place_en": f"at {named.name_en}",
        "place_zh": named.name_zh,
        "deployed": bool(context.views.closed[entrance]),
    }


def _best_sample(context: Context, level: int, severity: int) -> tuple[int, float, int]:
    """Return (severity, depth, time) of the sample of a level sensor that speaks for this severity: the newest does."""
    state, seen = context.state, context.seen
    sensor = context.arrays.l_sensor[level]
    least = context.views.least_m[:, level].tolist()
    depths, times = state.last_m[level].tolist(), state.last_us[level].tolist()
    newest: tuple[int, float, int] | None = None
    for m, at in (
        (float(state.held[sensor]), int(state.evidence_us[sensor])),
        (depths[2], times[2]),
        (depths[1], times[1]),
        (depths[0], times[0]),
        (float(seen.peak_m[level]), int(seen.peak_us[level])),
    ):
        if not m > -inf or at == NEVER_US:
            continue
        entry = (_severity(m, least), m, at)
        if entry[0] >= severity:
            return entry
        newest = newest or entry
    return newest or (0, 0.0, NEVER_US)


def _severity(depth_m: float, least_m: list[float]) -> int:
    for row in (3, 2, 1, 0):
        if depth_m >= least_m[row]:
            return row + 1
    return 0


def _water_fact(family: int) -> Callable[[Context, int, int], _Fact | None]:
    def fact(context: Context, space: int, severity: int) -> _Fact | None:
        arrays, views = context.arrays, context.views
        rows = [r for r in context.statics.level_rows[space].tolist() if arrays.l_family[r] == family]
        best = max(
            ((_best_sample(context, r, severity), -r) for r in rows),
            key=lambda entry: (entry[0][:2], entry[1]),
            default=None,
        )
        if best is None or best[0][0] == 0:
            return None
        (reached, depth, at), level = best[0], -best[1]
        severity = min(severity, reached)
        entrance = int(arrays.l_entrance[level])
        closed = entrance >= 0 and bool(views.closed[entrance])
        table = context.statics.levels
        rule = int((table.closed_rule if closed else table.open_rule)[severity - 1, level])
        if severity == 4 and views.least_m[3, level] < (table.closed_m if closed else table.open_m)[3, level]:
            rule = DEPTH_RISING
        if rule == NO_RULE:
            return None
        value = depth
        if rule in (FREEBOARD_RULE, OUTSIDE_HEAD):
            edge = arrays.e_barrier_top_m[entrance] if closed else arrays.e_crest_m[entrance]
            freeboard = float(edge - arrays.e_roadway_m[entrance] - depth)
            value = freeboard if rule == FREEBOARD_RULE else -freeboard
        assert rule in (INSIDE_DEPTH, FREEBOARD_RULE, OUTSIDE_HEAD, DEPTH_RISING)  # noqa: S101
        words = _entrance_words(context, entrance)
        return _Fact(RULE_NAMES[rule], value, _key(context, level), at, words, int(arrays.l_sensor[level]), severity)

    return fact


def _rise(context: Context, space: int, severity: int) -> _Fact | None:
    arrays, state = context.arrays, context.state
    rows = [r for r in context.statics.level_rows[space].tolist() if r in context.statics.rise_set]
    if not rows:
        return None
    level = max(rows, key=lambda r: (float(state.last_rate[r].max()), -r))
    least = arrays.thresholds.value("rise-rate", arrays.spaces[space].id, arrays.spaces[space].kind, severity)
    sensor = int(arrays.l_sensor[level])
    rate, at = float(state.rate[level]), int(state.evidence_us[sensor])
    if rate < least:
        newest = int(np.argmax(state.last_rate[level]))
        rate, at = float(state.last_rate[level, newest]), int(state.last_us[level, newest])
    words = _entrance_words(context, int(arrays.l_entrance[level]))
    return _Fact("rise-rate", rate, _key(context, level), at, words, sensor)


def _rain(context: Context, space: int, severity: int) -> _Fact | None:
    arrays, state = context.arrays, context.state
    gauges = np.flatnonzero(arrays.g_basin == arrays.basin_of_space[space])
    if gauges.size == 0:
        return None
    best = None
    place = arrays.spaces[space]
    for rule, window, ready in (
        ("rain-10min", 1, RED_READINESS_10MIN_MM.value),
        ("rain-60min", 2, RED_READINESS_60MIN_MM.value),
    ):
        least = arrays.thresholds.value(rule, place.id, place.kind, severity)
        for values in (state.acc_mm[gauges, window], state.last_acc_mm[gauges, window].max(axis=1)):
            gauge = int(np.argmax(values))
            entry = (bool(values[gauge] >= least), float(values[gauge]) / least, rule, int(gauges[gauge]), ready)
            if best is None or (entry[0] and not best[0]):
                best = (*entry, float(values[gauge]))
    assert best is not None  # noqa: S101 - two rules were looked at
    sensor = int(arrays.g_sensor[best[3]])
    words = {"ready": best[5] >= best[4]}
    return _Fact(best[2], best[5], arrays.sensors[sensor].key, int(state.evidence_us[sensor]), words, sensor)


def _warning(context: Context, space: int, severity: int) -> _Fact | None:
    del severity
    place = context.arrays.spaces[space]
    covering = [
        (COLOUR_RANK[warning.colour], subject, warning)
        for subject, warning in sorted(context.state.warnings.items())
        if applies(warning, place.basin, place.street)
    ]
    if not covering:
        return None
    rank, subject, warning = max(covering, key=lambda entry: (entry[0], entry[1]))
    return _Fact("warning-colour", rank, subject, warning.acted_us, {"colour": warning.colour})


def _barrier(context: Context, space: int, severity: int) -> _Fact | None:
    del severity
    arrays, views = context.arrays, context.views
    rows = context.statics.entrance_rows[space]
    rows = rows[arrays.e_needed[rows] & ~np.isnan(views.out_depth_m[rows])].tolist()
    if not rows:
        return None
    gap = {e: float(arrays.e_crest_m[e] - arrays.e_roadway_m[e] - views.out_depth_m[e]) for e in rows}
    rank = {e: 2 * int(views.need_observed[e]) + int(views.need_forecast[e]) for e in rows}
    entrance = min(rows, key=lambda e: (-rank[e], bool(views.closed[e]), gap[e], e))
    if views.closed[entrance]:
        return None
    levels = [r for r in context.statics.level_rows[space].tolist() if arrays.l_entrance[r] == entrance]
    level = max(levels, key=lambda r: (_held(context, r), -r))
    sensor = int(arrays.l_sensor[level])
    forecast = bool(views.need_forecast[entrance])
    words = _entrance_words(context, entrance) | {"barrier": barrier_word(context, entrance)}
    if forecast:
        words["forecast"] = FORECAST_NEED_MIN
    # What is held against the limit is the freeboard now, or the one expected when the barrier would be up.
    rise_m = max(0.0, float(views.out_rate_m_min[entrance])) * FORECAST_NEED_MIN if forecast else 0.0
    return _Fact(
        "barrier-not-deployed",
        gap[entrance] - rise_m,
        _key(context, level),
        int(context.state.evidence_us[sensor]),
        words,
        sensor,
    )


def _held(context: Context, level: int) -> float:
    value = float(context.state.held[context.arrays.l_sensor[level]])
    return -np.inf if np.isnan(value) else value


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


def _pump(context: Context, space: int, severity: int) -> _Fact | None:
    del severity
    state, arrays = context.state, context.arrays
    pumps = [s for s in context.statics.storage.pump_sensors[space].tolist() if state.running_us[s] != NEVER_US]
    if not pumps:
        return None
    pump = min(pumps, key=lambda s: (int(state.running_us[s]), s))
    minutes = (context.tick_us - int(state.running_us[pump])) / 60e6
    return _Fact("pump-not-coping", minutes, arrays.sensors[pump].key, int(state.evidence_us[pump]), {}, pump)


def _forecast(context: Context, space: int, severity: int) -> _Fact | None:
    """Return the time of the water itself, whatever the level; to orange where that is all that is near."""
    state = context.state
    orange, red = float(state.orange_min[space]), float(state.red_min[space])
    limit, _ = _limit(context, space, "time-to-red", 3)
    to_red = severity >= 3 and limit is not None and red <= limit
    rule, value, reached = ("time-to-red", red, 3) if to_red else ("time-to-orange", orange, 2)
    key = _driver(context, space, reached)
    if np.isnan(value) or not key:
        return None
    sensor = context.arrays.sensor_index[key]
    return _Fact(rule, value, key, int(state.evidence_us[sensor]), {}, sensor, reached)


def _driver(context: Context, space: int, reached: int) -> str:
    """Return the sensor whose reading drives the time to orange (2) or red (3); empty where none has spoken.

    The one whose own depth gets there first, unless the inside fills before: then the outside with the most water.
    """
    state, arrays = context.state, context.arrays
    rows = context.statics.level_rows[space]
    sensors = arrays.l_sensor[rows]
    rows = rows[(state.evidence_us[sensors] != NEVER_US) & (state.held[sensors] >= WET_DEPTH_M.value)]
    if rows.size == 0:
        return ""
    depth, rate = state.held[arrays.l_sensor[rows]], state.rate[rows]
    own = minutes_to(depth, context.views.least_m[reached, rows], rate)
    minutes = (state.orange_min if reached == 2 else state.red_min)[space]
    outside = arrays.l_family[rows] == 1
    if not (np.nan_to_num(own, nan=np.inf) <= minutes + 1e-9).any() and outside.any():
        entrance = arrays.l_entrance[rows]
        edge = np.where(context.views.closed[entrance], arrays.e_barrier_top_m[entrance], arrays.e_crest_m[entrance])
        head = depth + arrays.e_roadway_m[entrance] - edge + np.maximum(rate, 0.0) * minutes
        return _key(context, int(rows[np.argmax(np.where(outside, np.nan_to_num(head), -np.inf))]))
    return _key(context, int(rows[np.argmin(np.where(np.isnan(own), np.inf, own))]))


def _leak(context: Context, space: int, severity: int) -> _Fact | None:
    del severity
    arrays, state = context.arrays, context.state
    rows = context.statics.storage.inside_rows[space].tolist()
    if not rows:
        return None
    level = max(rows, key=lambda r: (_held(context, r), -r))
    sensor = int(arrays.l_sensor[level])
    return _Fact("leak", state.held[sensor], _key(context, level), int(state.evidence_us[sensor]), {}, sensor)


def _blind(context: Context, space: int, severity: int) -> _Fact | None:
    del severity
    arrays, state = context.arrays, context.state
    rows = [
        r
        for r in context.statics.level_rows[space].tolist()
        if arrays.l_primary[r] and not context.views.fresh[arrays.l_sensor[r]]
    ]
    if not rows:
        return _Fact("blind", 0.0, "", NEVER_US, {"never": True})
    level = min(rows, key=lambda r: (int(state.evidence_us[arrays.l_sensor[r]]), r))
    sensor = int(arrays.l_sensor[level])
    heard = max(int(state.evidence_us[sensor]), int(state.known_us[sensor]))
    missed = (context.tick_us - heard) / max(int(arrays.s_limit_dry_us[sensor]), 1)
    words = _entrance_words(context, int(arrays.l_entrance[level])) | {
        "minutes": round((context.tick_us - heard) / 60e6, 1)
    }
    return _Fact("blind", missed, _key(context, level), int(state.evidence_us[sensor]), words, sensor)


def _reported(context: Context, space: int, severity: int) -> _Fact | None:
    """Return the reported depth that speaks for a severity, as the water rule that it meets."""
    arrays, name = context.arrays, context.arrays.spaces[space].id
    best: tuple[int, float, _Fact] | None = None
    for key, report in sorted(context.state.reports.items()):
        of_space, entrance_id, what = key.split("/")
        if of_space != name or what != "depth":
            continue
        entrance = entrance_index(arrays, space, entrance_id)
        shut = entrance >= 0 and bool(context.views.closed[entrance])
        least, rules = least_at(arrays, space, entrance, closed=shut)
        reached = _severity(report.value, least)
        if reached == 0 or (best is not None and (reached, report.value) <= best[:2]):
            continue
        rule, value = rules[min(severity, reached) - 1], report.value
        if rule in (FREEBOARD_RULE, OUTSIDE_HEAD):
            edge = arrays.e_barrier_top_m[entrance] if shut else arrays.e_crest_m[entrance]
            freeboard = float(edge - arrays.e_roadway_m[entrance]) - report.value
            value = freeboard if rule == FREEBOARD_RULE else -freeboard
        words = _entrance_words(context, entrance) | {"by": report.by}
        fact = _Fact(RULE_NAMES[rule], value, f"report:{report.by}", report.observed_us, words)
        best = (reached, report.value, replace(fact, severity=min(severity, reached)))
    return None if best is None else best[2]


_FACTS: dict[int, Callable[[Context, int, int], _Fact | None]] = {
    DEPTH: _water_fact(0),
    FREEBOARD: _water_fact(1),
    RISE: _rise,
    RAIN: _rain,
    WARNING: _warning,
    BARRIER: _barrier,
    PUMP: _pump,
    FORECAST: _forecast,
    LEAK: _leak,
    BLIND: _blind,
    REPORT: _reported,
}
