"""An evening of the storm over the sample district: what the page is looked at with."""

from __future__ import annotations

from datetime import timedelta
from math import exp
from typing import Any

from tests.browser.world import START, Finding, Happening, JsonObject, World, reason

RED = reason(
    4,
    rule="inside-depth",
    value=0.31,
    threshold=0.27,
    source="MLIT guide value: engine stops at 30 cm; 27 cm, half a wheel: default (proposal)",
    text_en="Depth 0.31 m on the roadway, red from 0.27 m: vehicles are trapped",
    text_zh="路面积水0.31米，达到红色阈值0.27米：车辆受困",
)
BARRIER = reason(
    3,
    rule="barrier-not-deployed",
    value=0.12,
    threshold=0.15,
    source="Harbin metro first line of defence 15 cm (dbw.cn 058705479)",
    text_en="Water 0.12 m below the crest and the barrier is not deployed (needed from 0.15 m)",
    text_zh="水位距坎顶0.12米，防汛挡板未关闭（0.15米起须关闭）",
)
RISE = reason(
    2,
    rule="rise-rate",
    value=0.017,
    unit="m/min",
    threshold=0.01,
    source="Ishigaki 2015: street rise 2-3 cm/min",
    text_en="Outside water rises 1.7 cm/min, yellow from 1.0 cm/min",
    text_zh="室外水位每分钟上涨1.7厘米，达到黄色阈值1.0厘米/分钟",
)
BLIND = reason(
    2,
    rule="blind",
    value=11.0,
    unit="intervals",
    threshold=3.0,
    age_s=660.0,
    source="default (proposal): stale after 3 missed intervals, in rain",
    text_en="No fresh level for 11 min while it rains: the space is blind",
    text_zh="降雨期间已有11分钟没有新水位数据：该空间失明",
)

FACTORS = [
    {"factor": "level_margin", "points": 38.2, "x": 1.0, "weight": 0.6},
    {"factor": "rain", "points": 17.4, "x": 0.9, "weight": 0.35},
    {"factor": "barrier", "points": 12.1, "x": 1.0, "weight": 0.3},
    {"factor": "supplies", "points": 6.3, "x": 0.5, "weight": 0.2},
    {"factor": "assets", "points": 0.0, "x": 0.0, "weight": 0.1},
]

_LEVELS = (4, 3, 3, 2, 2, 2, 1, 1)
_REASONS: tuple[tuple[JsonObject, ...], ...] = (
    (RED, RISE),
    (reason(), BARRIER),
    (BARRIER, RISE),
    (RISE,),
    (BLIND,),
    (RISE,),
    (
        reason(
            1,
            rule="freeboard",
            value=0.28,
            threshold=0.30,
            text_en="Freeboard 0.28 m, blue from 0.30 m",
            text_zh="距坎顶0.28米，达到蓝色阈值0.30米",
        ),
    ),
    (),
)


LOST = (4, 13)
"""Places of the ranking that have sent nothing for the last 12 minutes."""


def evidence(position: int, level: int) -> JsonObject:
    """Return evidence that fits a level."""
    sensor = {"fresh": True, "quality": 1, "rise_m_min": round(0.0005 + 0.006 * level, 4)}
    entrance: dict[str, Any] = {
        "entrance": "north",
        "crest_level_m": 4.35,
        "barrier": ("deployed", "open", "deploying", "unknown", "failed")[(position + level) % 5],
        "barrier_needed": True,
        "level_m": round(3.93 + 0.12 * level, 3),
        "freeboard_m": round(0.42 - 0.12 * level - 0.003 * position, 3),
        "depth_m": round(0.05 + 0.08 * level, 3),
        "age_s": 20.0 + 5 * (position % 7),
        **sensor,
    }
    inside = {"depth_m": 0.31 if level == 4 else round(0.01 * level, 3), "age_s": 35.0, **sensor}
    return {
        "entrances": [entrance],
        "inside": [inside],
        "rain_mm": {"5": 9.4, "10": 17.8, "60": 71.5},
        "pumps": [{"sensor": "pump:pump_running", "running": level > 1, "since": None}],
        "in_rain": True,
        "warning_rank": 2,
        "time_to_orange_min": 12.0 if level == 2 else None,
        "time_to_red_min": 8.0 if level == 3 else None,
    }


def finding(space_id: str, position: int, *, level: int | None = None) -> Finding:
    """Return an assessment for the space at this place of the ranking."""
    if level is None:
        level = _LEVELS[position] if position < len(_LEVELS) else 0
    reasons = _REASONS[position] if position < len(_REASONS) else ()
    return Finding(
        space_id,
        level=level,
        score=round(96.0 * exp(-position / 9), 1),
        blind=BLIND in reasons,
        reasons=reasons,
        evidence=evidence(position, level),
        contributions={"weights_version": "1", "factors": FACTORS},
    )


def seed(world: World) -> list[str]:
    """Write the evening; return the spaces, worst first."""
    world.import_sample()
    spaces = world.space_ids()
    spaces = spaces[3::5] + [space for number, space in enumerate(spaces) if number % 5 != 3]
    for position, space_id in enumerate(spaces):
        _levels(world, space_id, peak_m=max(0.34 - 0.02 * position, 0.01), lost=position in LOST)
    world.now = START + timedelta(minutes=119)
    world.tick([finding(space_id, position) for position, space_id in enumerate(spaces)])
    alarms = [position for position, level in enumerate(_LEVELS) if level >= 2]
    for position in reversed(alarms):
        happening = Happening(f"space/{spaces[position]}", _LEVELS[position], reasons=_REASONS[position])
        world.tick((), [happening], forward=timedelta(seconds=10))
    return spaces


def _levels(world: World, space_id: str, *, peak_m: float, lost: bool) -> None:
    for key, sensor_id in world.sensor_keys(space_id).items():
        if key.endswith(":water_depth_m"):
            world.observe(
                sensor_id,
                [
                    (START + timedelta(minutes=minute), round(peak_m / (1 + exp((80 - minute) / 14)), 3))
                    for minute in range(0, 108 if lost else 120)
                ],
            )
