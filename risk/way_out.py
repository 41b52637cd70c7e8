"""Can people still get out: stairs, doors, and how soon the space is full, from the water of now.

Formulas and their sources are in `risk.hydraulics`. Nothing here raises an alarm: the thresholds of `risk.levels` rest
on the same experiments. What is not known is not told; what is told carries the sensor that it rests on.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from risk.arrays import NEVER_US, BoolArray, iso
from risk.facts.fact import Context
from risk.forecast import red_while_filling_m
from risk.hydraulics.fill import fill_time_s
from risk.hydraulics.leakage import LEAKAGE_LIMIT_M3_H_M2
from risk.hydraulics.people import (
    SPECIFIC_FORCE_LIMIT_M2,
    door_handle_force_n,
    stair_specific_force_m2,
    stair_velocity_m_s,
)
from risk.hydraulics.weir import entrance_inflow_m3_s, weir_m3_s
from risk.thresholds import HORIZON_MIN, WET_DEPTH_M

DOOR_LEAF_M = 0.8
"""Width of the door that is spoken of; a proposal, since no site file says it. [m]"""

DOOR_EASY_M, DOOR_EFFORT_M, DOOR_BLOCKED_M = 0.20, 0.30, 0.50
"""NDMI tests (usmbc.co.kr 798897): to 30 cm a door opens with effort, at 40 cm not fully, at 50 cm not by one.
Below 20 cm, 78 N at the handle, nothing is said of effort: a proposal."""

GROUPS = {
    "aged_female": ("elderly women", "老年女性"),
    "aged_male": ("elderly men", "老年男性"),
    "adult_female": ("women", "成年女性"),
    "adult_male": ("men", "成年男性"),
}

Finding = dict[str, Any]


def way_out(context: Context, space: int, by_entrance: dict[int, list[int]], pumps_run: BoolArray) -> list[Finding]:
    """Return what the water of now does to stairs and doors of a space, and when it is full to red; [] where it is dry.

    Parameters
    ----------
    by_entrance : dict
        Level sensors of the space, by row of their entrance; -1 inside.
    pumps_run : ndarray, shape (S,)
        Pump sensors whose pumps are known to run (`risk.pumping`).
    """
    if context.arrays.spaces[space].kind == "underpass":
        return []
    wet = {place: row for place, rows in by_entrance.items() if (row := _deepest(context, rows)) is not None}
    found: list[Finding] = []
    inflow_m3_s = 0.0
    for entrance, row in sorted(wet.items()):
        if entrance < 0:
            continue
        head_m = _head_m(context, entrance, row)
        if head_m > 0.0:
            found += _at_entrance(context, entrance, row, head_m)
            inflow_m3_s += _inflow_m3_s(context, entrance, row)
    inside = wet.get(-1)
    if inside is not None and _depth_m(context, inside) >= WET_DEPTH_M.value:
        found.append(_door(context, -1, inside, _depth_m(context, inside)))
    if inflow_m3_s > 0.0 and inside is not None:
        unknown = len(set(context.statics.entrance_rows[space].tolist()) - set(wet))
        storage = context.statics.storage
        sensors = storage.pump_sensors[space]
        pumped_m3_s = float(storage.pump_words.m3_s[sensors[pumps_run[sensors]]].sum())
        found += _fill(context, space, inside, (inflow_m3_s, pumped_m3_s), unknown)
    return found


def _deepest(context: Context, rows: list[int]) -> int | None:
    known = [row for row in rows if not np.isnan(context.state.held[context.arrays.l_sensor[row]])]
    return max(known, key=lambda row: (_depth_m(context, row), -row), default=None)


def _depth_m(context: Context, row: int) -> float:
    return float(context.state.held[context.arrays.l_sensor[row]])


def _head_m(context: Context, entrance: int, row: int) -> float:
    """Return how high the water stands over what holds it back: the crest, or the top of a closed barrier. [m]"""
    arrays = context.arrays
    edge = arrays.e_barrier_top_m[entrance] if context.views.closed[entrance] else arrays.e_crest_m[entrance]
    return float(_depth_m(context, row) + arrays.e_roadway_m[entrance] - edge)


def _inflow_m3_s(context: Context, entrance: int, row: int) -> float:
    arrays = context.arrays
    barrier = arrays.entrances[entrance].entrance.barrier
    leakage = 0.0 if barrier is None else LEAKAGE_LIMIT_M3_H_M2[barrier.leakage_grade]
    head_m = _depth_m(context, row) + arrays.e_roadway_m[entrance] - arrays.e_crest_m[entrance]
    height_m = 0.0 if barrier is None else barrier.height_m
    closed = bool(context.views.closed[entrance])
    return float(entrance_inflow_m3_s(arrays.e_width_m[entrance], head_m, height_m, closed, leakage))


def _at_entrance(context: Context, entrance: int, row: int, head_m: float) -> list[Finding]:
    return [_stairs(context, entrance, row, head_m), _door(context, entrance, row, head_m)]


def _stairs(context: Context, entrance: int, row: int, head_m: float) -> Finding:
    force_m2 = round(float(stair_specific_force_m2(stair_velocity_m_s(head_m), weir_m3_s(1.0, head_m))), 3)
    hard = [group for group in GROUPS if force_m2 > SPECIFIC_FORCE_LIMIT_M2[group]]
    beyond = [group for group in GROUPS if force_m2 > 2.0 * SPECIFIC_FORCE_LIMIT_M2[group]]
    verdict = "impassable" if len(beyond) == len(GROUPS) else "hard" if hard else "passable"
    en, zh = _place(context, entrance)
    said_en, said_zh = "passable", "可通行"
    if beyond:
        said_en, said_zh = f"impassable for {_names(beyond, 0)}", f"{_names(beyond, 1)}无法通行"
        hard = [group for group in hard if group not in beyond]
    if hard:
        more_en, more_zh = f"hard for {_names(hard, 0)}", f"{_names(hard, 1)}难以通行"
        said_en, said_zh = (f"{said_en}, {more_en}", f"{said_zh},{more_zh}") if beyond else (more_en, more_zh)
    words = f"{head_m * 100:.0f} cm"
    return _finding(context, row, "stairs", entrance, (force_m2, "m2", head_m), verdict) | {
        "text_en": f"Stairs at {en}, {words} of water over the edge: {said_en} (force {force_m2:.3f} m²)",
        "text_zh": f"{zh}楼梯,来水高出挡水边缘 {words}:{said_zh}(水流比力 {force_m2:.3f} m²)",
    }


def _door(context: Context, entrance: int, row: int, depth_m: float) -> Finding:
    force_n = float(np.round(door_handle_force_n(DOOR_LEAF_M, depth_m)))
    verdict, said_en, said_zh = "opens", "opens with effort", "需用力方能推开"
    if depth_m < DOOR_EASY_M:
        said_en, said_zh = "opens", "可推开"
    if depth_m >= DOOR_BLOCKED_M:
        verdict, said_en, said_zh = "blocked", "one person cannot open it", "一人无法推开"
    elif depth_m > DOOR_EFFORT_M:
        verdict, said_en, said_zh = "not_fully", "does not open fully", "不能完全推开"
    en, zh = _place(context, entrance)
    words = f"{depth_m * 100:.0f} cm"
    return _finding(context, row, "door", entrance, (force_n, "N", depth_m), verdict) | {
        "text_en": f"Door {'at ' + en if entrance >= 0 else 'inside'} against {words} of water: {said_en} "
        f"({force_n:.0f} N at the handle)",
        "text_zh": f"{zh if entrance >= 0 else '室内'}的门,受水 {words}:{said_zh}(把手处 {force_n:.0f} N)",
    }


def _fill(context: Context, space: int, inside: int, flows: tuple[float, float], unknown: int) -> list[Finding]:
    """Return when the inside is full to red, if everything stays as it is; nothing where it is red already.

    ``flows``: what comes in, and what pumps that are known to run lift. [m³/s]
    """
    depth_m, at_row = _depth_m(context, inside), np.array([inside])
    steady_m, rising_m = context.views.least_m[3, at_row], context.statics.levels.rising_m[at_row]
    red_m = float(red_while_filling_m(steady_m, rising_m, np.array([depth_m]))[0])
    if not depth_m < red_m < np.inf:
        return []
    inflow_m3_s, pumped_m3_s = flows
    storage, at = context.statics.storage, np.array([space, space])
    held_m3, red_m3 = storage.volume_at_m3(at, np.array([max(depth_m, 0.0), red_m])).tolist()
    net_m3_s = inflow_m3_s - pumped_m3_s
    minutes = float(fill_time_s(held_m3, red_m3, net_m3_s)) / 60.0
    within = minutes <= HORIZON_MIN.value
    at_most = "at most " if unknown else ""
    en = (
        f"Full to red in {at_most}{minutes:.0f} min"
        if within
        else f"Not full to red within {HORIZON_MIN.value:.0f} min"
    )
    zh = (
        f"约 {minutes:.0f} 分钟{'内' if unknown else '后'}室内达到红色"
        if within
        else f"{HORIZON_MIN.value:.0f} 分钟内室内不会达到红色"
    )
    if unknown and not within:
        return []  # what comes in where nobody measures may fill it sooner
    figure = (round(minutes, 1) if within else None, "min", depth_m)
    return [
        _finding(context, inside, "fill", -1, figure, "filling" if within else "not_reached")
        | {
            "inflow_m3_s": round(inflow_m3_s, 3),
            "unknown_entrances": unknown,
            "text_en": f"{en}, if {inflow_m3_s:.2f} m³/s go on coming in (inside {depth_m * 100:.0f} cm now)",
            "text_zh": f"{zh}(按当前进水 {inflow_m3_s:.2f} m³/s,现室内水深 {depth_m * 100:.0f} cm)",
        }
    ]


def _finding(
    context: Context, row: int, what: str, entrance: int, figure: tuple[float | None, str, float], verdict: str
) -> Finding:
    sensor = int(context.arrays.l_sensor[row])
    heard = int(context.state.evidence_us[sensor])
    value, unit, depth_m = figure
    return {
        "what": what,
        "entrance": context.arrays.entrances[entrance].entrance.id if entrance >= 0 else None,
        "verdict": verdict,
        "value": value,
        "unit": unit,
        "depth_m": round(depth_m, 3),
        "sensor": context.arrays.sensors[sensor].key,
        "observed_at": iso(heard),
        "age_s": None if heard == NEVER_US else round(max(context.tick_us - heard, 0) / 1e6, 1),
        "fresh": bool(context.views.fresh[sensor]),
    }


def _place(context: Context, entrance: int) -> tuple[str, str]:
    if entrance < 0:
        return "inside", "室内"
    named = context.arrays.entrances[entrance].entrance
    return named.name_en, named.name_zh


def _names(groups: list[str], language: int) -> str:
    return (", ", "、")[language].join(GROUPS[group][language] for group in groups)
