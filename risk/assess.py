"""Which spaces are written at a tick, and what is shown of their evidence."""

from __future__ import annotations

from typing import Any

import numpy as np

from risk.arrays import NEVER_US, FloatArray, IntArray
from risk.output import Assessment
from risk.reasons import Context, barrier_word, iso, reasons_of
from risk.score import ScoreStatics, contributions
from risk.state import FAMILIES
from risk.thresholds import HEARTBEAT_S, RED_READINESS_10MIN_MM, RED_READINESS_60MIN_MM, SCORE_STEP

_PLACES = 5 ** np.arange(len(FAMILIES), dtype=np.int64)
_READY = 5 ** len(FAMILIES)


def due(context: Context, score: FloatArray) -> IntArray:
    """Return the spaces to write: level or reasons changed, score moved by 5, or five minutes passed.

    The first heartbeats are spread over the five minutes, so that they do not all fall in one tick for ever.
    """
    state, tick_us = context.state, context.tick_us
    mm = context.views.rain.basin_mm[context.arrays.basin_of_space]
    ready = (mm[:, 1] >= RED_READINESS_10MIN_MM.value) | (mm[:, 2] >= RED_READINESS_60MIN_MM.value)
    signature = (context.views.now * _PLACES[:, None]).sum(axis=0) + ready * _READY
    first = state.written_signature == -1
    moved = np.abs(score - state.written_score) >= SCORE_STEP.value
    rows = np.flatnonzero((signature != state.written_signature) | moved | (tick_us >= state.due_us))
    beat_us = int(HEARTBEAT_S.value * 1e6)
    spread = beat_us * (1 + np.arange(signature.size)) // max(signature.size, 1)
    state.due_us[rows] = tick_us + np.where(first[rows], spread[rows], beat_us)
    state.written_signature[rows] = signature[rows]
    state.written_score[rows] = score[rows]
    return rows


def assess(
    context: Context, space: int, score: float, factors: tuple[dict[str, FloatArray], ScoreStatics, bool]
) -> Assessment:
    """Return the assessment of one space."""
    views = context.views
    dynamic, statics, by_day = factors
    now = views.now[:, space]
    return Assessment(
        space_id=context.arrays.spaces[space].id,
        level=int(now.max()),
        score=score,
        blind=bool(views.blind[space]),
        reasons=reasons_of(context, space, now, 1),
        contributions=contributions(dynamic, statics, space, by_day=by_day),
        evidence=_evidence(context, space),
    )


def _metres(value: float, decimals: int = 3) -> float | None:
    return None if not np.isfinite(value) else round(float(value) + 0.0, decimals)


def _age_s(context: Context, evidence_us: int) -> float | None:
    return None if evidence_us == NEVER_US else round(max(context.tick_us - evidence_us, 0) / 1e6, 1)


def _sensor_facts(context: Context, level: int) -> dict[str, Any]:
    state, arrays = context.state, context.arrays
    sensor = int(arrays.l_sensor[level])
    heard = int(state.evidence_us[sensor])
    return {
        "sensor": arrays.sensors[sensor].key,
        "depth_m": _metres(state.held[sensor]),
        "rise_m_min": _metres(state.rate[level], 4),
        "observed_at": iso(heard),
        "age_s": _age_s(context, heard),
        "fresh": bool(context.views.fresh[sensor]),
        "quality": int(state.quality[sensor]),
    }


def _entrance(context: Context, entrance: int, rows: list[int]) -> dict[str, Any]:
    arrays, state, views = context.arrays, context.state, context.views
    named = arrays.entrances[entrance].entrance
    closed = bool(views.closed[entrance])
    edge = arrays.e_barrier_top_m[entrance] if closed else arrays.e_crest_m[entrance]
    known = [r for r in rows if np.isfinite(state.held[arrays.l_sensor[r]])]
    facts: dict[str, Any] = {
        "entrance": named.id,
        "crest_level_m": named.crest_level_m,
        "barrier": barrier_word(context, entrance),
        "barrier_needed": named.barrier_needed,
        "level_m": None,
        "freeboard_m": None,
        "sensor": None,
    }
    if known:
        worst = max(known, key=lambda r: (float(state.held[arrays.l_sensor[r]]), -r))
        level = float(state.held[arrays.l_sensor[worst]] + arrays.e_roadway_m[entrance])
        facts |= _sensor_facts(context, worst)
        facts |= {"level_m": _metres(level), "freeboard_m": _metres(float(edge) - level)}
    return facts


def _evidence(context: Context, space: int) -> dict[str, Any]:
    arrays, state, views = context.arrays, context.state, context.views
    rows = context.statics.level_rows[space].tolist()
    entrances = context.statics.entrance_rows[space].tolist()
    inside = [r for r in rows if arrays.l_entrance[r] < 0]
    mm = views.rain.basin_mm[arrays.basin_of_space[space]]
    pumps = context.statics.storage.pump_sensors[space].tolist()
    return {
        "entrances": [_entrance(context, e, [r for r in rows if arrays.l_entrance[r] == e]) for e in entrances],
        "inside": [_sensor_facts(context, r) for r in inside],
        "rain_mm": {"5": _metres(mm[0], 1), "10": _metres(mm[1], 1), "60": _metres(mm[2], 1)},
        "in_rain": bool(views.rain.in_rain[space]),
        "warning_rank": int(views.colour[space]),
        "pumps": [
            {
                "sensor": arrays.sensors[s].key,
                "running": bool(state.held[s] >= 0.5),
                "since": iso(int(state.running_us[s])),
            }
            for s in pumps
        ],
        "time_to_orange_min": _metres(views.times.orange_min[space], 1),
        "time_to_red_min": _metres(views.times.red_min[space], 1),
        "families": {FAMILIES[f]: int(views.now[f, space]) for f in np.flatnonzero(views.now[:, space]).tolist()},
    }
