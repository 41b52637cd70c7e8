"""Which spaces are written at a tick, and what is shown of their evidence."""

from __future__ import annotations

from typing import Any

import numpy as np

from risk.ahead import shown
from risk.arrays import NEVER_US, FloatArray, IntArray, iso
from risk.barriers_out import barriers_out
from risk.facts.beside import barrier_word
from risk.facts.fact import Context
from risk.output import Assessment
from risk.pumping import powerless_spaces, pumping
from risk.reasons import reasons_of
from risk.reports import shown_reports
from risk.score import ScoreStatics, contributions
from risk.standin import shown_stand_ins
from risk.state import FAMILIES, SIGNATURES
from risk.thresholds import (
    HEARTBEAT_RAISED_S,
    HEARTBEAT_S,
    RAIN_RULES,
    SCORE_STEP,
)
from risk.way_out import way_out

_PLACES = 5 ** np.arange(len(FAMILIES), dtype=np.int64)
_READY = SIGNATURES


def due(context: Context, score: FloatArray) -> IntArray:
    """Return the spaces to write: level or reasons changed, score moved by 5, or the heartbeat is due.

    That is five minutes, and one minute for a space above normal, whose numbers people act on. The first
    heartbeats are spread over the five minutes, so that they do not all fall in one tick for ever.
    """
    state, tick_us = context.state, context.tick_us
    mm = context.views.rain.basin_mm
    ready = (mm >= [least for _, least in RAIN_RULES]).any(axis=1)
    size = context.arrays.n_spaces
    signature = (ready * _READY)[context.arrays.basin_of_space] if ready.any() else np.zeros(size, np.int64)
    if context.views.unheard.any():
        signature += context.views.unheard * (2 * _READY)
    above = np.flatnonzero(context.views.level)
    signature[above] += (_PLACES[:, None] * context.views.now[:, above]).sum(axis=0)
    first = state.written_signature == -1
    moved = np.abs(score - state.written_score) >= SCORE_STEP.value
    rows = np.flatnonzero((signature != state.written_signature) | moved | (tick_us >= state.due_us))
    raised = context.views.now[:, rows].max(axis=0) > 0
    beat_us = np.where(raised, int(HEARTBEAT_RAISED_S.value * 1e6), int(HEARTBEAT_S.value * 1e6))
    spread = (1 + rows) / max(signature.size, 1)
    state.due_us[rows] = tick_us + np.where(first[rows], beat_us * spread, beat_us).astype(np.int64)
    state.written_signature[rows] = signature[rows]
    state.written_score[rows] = score[rows]
    return rows


def assess(
    context: Context,
    rows: IntArray,
    score: FloatArray,
    factors: tuple[dict[str, FloatArray], ScoreStatics, bool],
) -> list[Assessment]:
    """Return the assessments of some spaces."""
    views = context.views
    dynamic, statics, by_day = factors
    if rows.size == 0:
        return []
    shares = contributions(dynamic, statics, rows, by_day=by_day)
    levels, scores, blind = (
        views.now[:, rows].max(axis=0).tolist(),
        score[rows].tolist(),
        (views.blind | views.unheard)[rows].tolist(),
    )
    return [
        Assessment(
            space_id=context.arrays.spaces[space].id,
            level=level,
            score=of_space,
            blind=is_blind,
            reasons=reasons_of(context, space, views.now[:, space], 1),
            contributions=share,
            evidence=evidence | {"ahead": shown(context.state, space)},
        )
        for space, level, of_space, is_blind, share, evidence in zip(
            rows.tolist(), levels, scores, blind, shares, _evidence(context, rows), strict=True
        )
    ]


def _rounded(values: FloatArray, decimals: int) -> list[float | None]:
    """Return values at their resolution; None for not known."""
    known = np.isfinite(values).tolist()
    rounded = (np.round(values, decimals) + 0.0).tolist()
    return [value if good else None for value, good in zip(rounded, known, strict=True)]


def _sensor_facts(context: Context, spaces: list[int]) -> dict[int, dict[str, Any]]:
    """Return what is shown of every level sensor of some spaces."""
    state, arrays = context.state, context.arrays
    levels = np.concatenate([context.statics.level_rows[space] for space in spaces])
    sensors = arrays.l_sensor[levels]
    heard_us = state.evidence_us[sensors]
    ages = np.round(np.maximum(context.tick_us - heard_us, 0) / 1e6, 1).tolist()
    columns = zip(
        levels.tolist(),
        sensors.tolist(),
        _rounded(state.held[sensors], 3),
        _rounded(state.rate[levels], 4),
        heard_us.tolist(),
        ages,
        context.views.fresh[sensors].tolist(),
        state.quality[sensors].tolist(),
        strict=True,
    )
    return {
        level: {
            "sensor": arrays.sensors[sensor].key,
            "depth_m": depth,
            "rise_m_min": rate,
            "observed_at": iso(heard),
            "age_s": None if heard == NEVER_US else age,
            "fresh": fresh,
            "quality": quality,
        }
        for level, sensor, depth, rate, heard, age, fresh, quality in columns
    }


def _entrance(context: Context, entrance: int, rows: list[int], facts: dict[int, dict[str, Any]]) -> dict[str, Any]:
    arrays, state, views = context.arrays, context.state, context.views
    named = arrays.entrances[entrance].entrance
    shown: dict[str, Any] = {
        "entrance": named.id,
        "crest_level_m": named.crest_level_m,
        "barrier": barrier_word(context, entrance),
        "barrier_needed": named.barrier_needed,
        "level_m": None,
        "freeboard_m": None,
        "sensor": None,
    }
    known = [r for r in rows if facts[r]["depth_m"] is not None]
    if known:
        worst = known[0]
        if len(known) > 1:
            worst = max(known, key=lambda r: (float(state.held[arrays.l_sensor[r]]), -r))
        edge = float(arrays.e_barrier_top_m[entrance]) if views.closed[entrance] else named.crest_level_m
        level = float(state.held[arrays.l_sensor[worst]]) + named.roadway_level_m
        shown |= facts[worst]
        shown["level_m"], shown["freeboard_m"] = round(level + 0.0, 3), round(edge - level + 0.0, 3)
    return shown


def _evidence(context: Context, rows: IntArray) -> list[dict[str, Any]]:
    arrays, views = context.arrays, context.views
    spaces = rows.tolist()
    facts = _sensor_facts(context, spaces)
    entrance_of = arrays.l_entrance
    basins = arrays.basin_of_space[rows]
    known_mm = np.where(views.rain.heard[:, None], views.rain.basin_mm, np.nan)
    mm = [_rounded(depths, 1) for depths in known_mm[basins]]
    columns = zip(
        spaces,
        mm,
        views.rain.in_rain[rows].tolist(),
        (~views.unheard[rows]).tolist(),
        views.colour[rows].tolist(),
        _rounded(views.times.orange_min[rows], 1),
        _rounded(views.times.red_min[rows], 1),
        views.now[:, rows].T.tolist(),
        strict=True,
    )
    found = []
    reported = bool(context.state.reports)
    pumps_run = pumping(context.state, context.arrays, context.views.fresh)
    powerless = powerless_spaces(context.state, context.arrays)
    is_out = barriers_out(context.state, context.arrays).tolist()
    for space, rain, in_rain, heard, colour, orange, red, families in columns:
        of_entrance: dict[int, list[int]] = {}
        levels = context.statics.level_rows[space]
        for level, entrance in zip(levels.tolist(), entrance_of[levels].tolist(), strict=True):
            of_entrance.setdefault(entrance, []).append(level)
        found.append(
            {
                "entrances": [
                    _entrance(context, e, of_entrance.get(e, []), facts) | {"barrier_out": is_out[e]}
                    for e in context.statics.entrance_rows[space].tolist()
                ],
                "inside": [facts[r] for r in of_entrance.get(-1, [])],
                "floats": _floats(context, space),
                "rain_mm": {"5": rain[0], "10": rain[1], "60": rain[2]},
                "in_rain": in_rain,
                "heard": heard,
                "stand_ins": _stand_ins(context, space),
                "warning_rank": int(colour),
                "pumps": _pumps(context, space),
                "mains_lost": bool(powerless[space]),
                "time_to_orange_min": orange,
                "time_to_red_min": red,
                "reports": shown_reports(context.state.reports, context.arrays.spaces[space].id) if reported else [],
                "people": way_out(context, space, of_entrance, pumps_run),
                "families": {FAMILIES[f]: severity for f, severity in enumerate(families) if severity},
            }
        )
    return found


def _stand_ins(context: Context, space: int) -> list[dict[str, Any]]:
    found = context.views.stand_ins.get(space)
    return shown_stand_ins(context.state, context.arrays, context.statics.neighbours, space, found)


def _floats(context: Context, space: int) -> list[dict[str, Any]]:
    """Return what is shown of the float switches of a space; ``lifted`` is null before the first word."""
    state, arrays, floats = context.state, context.arrays, context.statics.floats
    found = []
    for row in np.flatnonzero(floats.space == space).tolist() if floats.space.size else ():
        sensor = int(floats.sensor[row])
        heard = int(state.evidence_us[sensor])
        found.append(
            {
                "sensor": arrays.sensors[sensor].key,
                "entrance": arrays.sensors[sensor].entrance,
                "lifted": None if heard == NEVER_US else bool(state.held[sensor] >= 0.5),
                "trips_at_m": float(floats.trip_m[row]),
                "observed_at": iso(heard),
                "age_s": None if heard == NEVER_US else round(max(context.tick_us - heard, 0) / 1e6, 1),
                "fresh": bool(context.views.fresh[sensor]),
                "quality": int(state.quality[sensor]),
            }
        )
    return found


def _pumps(context: Context, space: int) -> list[dict[str, Any]]:
    state, arrays = context.state, context.arrays
    return [
        {
            "sensor": arrays.sensors[s].key,
            "running": bool(state.held[s] >= 0.5),
            "since": iso(int(state.running_us[s])),
        }
        for s in context.statics.storage.pump_sensors[space].tolist()
    ]
