"""House style: units, levels with shape and colour, and the data source. One place, used by every panel.

Colours are those of Okabe and Ito (2008), told apart by colour-blind people; every level has a shape and a word too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

DATASOURCE: Json = {"type": "postgres", "uid": "undercroft"}
"""`postgres` is the plugin's name in Grafana 9 and an alias of it in 12."""

UNITS = {
    "": "none",
    "m": "lengthm",
    "mm": "suffix: mm",
    "mm/h": "suffix: mm/h",
    "m/min": "suffix: m/min",
    "min": "m",
    "s": "s",
    "ms": "ms",
    "share": "percentunit",
    "count": "none",
    "per min": "suffix: /min",
    "per 10 min": "suffix: /10 min",
    "deg": "none",
    "level": "none",
    "state": "none",
    "at": "dateTimeAsIso",
    "score": "none",
}
"""Our unit -> Grafana's unit id; both versions know all of them."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How a state looks: colour, shape on the map, and words."""

    value: int
    colour: str
    shape: str
    sign: str
    words: str


LEVELS = (
    Mark(0, "#009E73", "circle", "●", "正常 Normal"),
    Mark(1, "#0072B2", "square", "■", "蓝 Blue"),
    Mark(2, "#F0E442", "triangle", "▲", "黄 Yellow"),
    Mark(3, "#E69F00", "star", "★", "橙 Orange"),
    Mark(4, "#D55E00", "cross", "✚", "红 Red"),
)
LAST_ORDERS = (
    Mark(3, LEVELS[3].colour, "", "▮★", "橙色前 Before orange"),
    Mark(4, LEVELS[4].colour, "", "▮✚", "红色前 Before red"),
)
"""How the last minute of an order before a level is drawn."""

LINES: dict[str, Json] = {
    "▲": {"fill": "dot", "dash": [0, 8]},
    "★": {"fill": "dash", "dash": [12, 8]},
    "✚": {"fill": "solid"},
    **{mark.sign: {"fill": "dot", "dash": [0, 16]} for mark in LAST_ORDERS},
}
"""How the line of a level is drawn, by its sign: told apart without its colour."""

BLIND = Mark(-1, "#CC79A7", "x-mark", "✖", "盲区 Blind")
UNJUDGED = Mark(-2, "#5C5C5C", "", "○", "未研判 Not judged")
GREY = "#8C8C8C"
SKY = "#56B4E9"
PLAIN = "text"
"""The theme's own colour of writing: what is neither good nor bad."""

BARRIERS = (
    Mark(0, "#D55E00", "", "○", "未关 Open"),
    Mark(1, "#F0E442", "", "◐", "关闭中 Deploying"),
    Mark(2, "#E69F00", "", "◑", "待核实 Unverified"),
    Mark(3, "#009E73", "", "●", "已关闭 Deployed"),
    Mark(4, "#D55E00", "", "≈", "漫顶 Overtopped"),
    Mark(5, "#D55E00", "", "✖", "故障 Failed"),
    Mark(6, "#CC79A7", "", "?", "不明 Unknown"),
)
PUMPS = (
    Mark(0, GREY, "", "○", "停 Off"),
    Mark(1, "#0072B2", "", "●", "运行 Running"),
    Mark(2, "#CC79A7", "", "?", "不明 Unknown"),
)
DEADLINES = (
    Mark(0, "#D55E00", "", "▲", "立即下令 Order now"),
    Mark(1, "#E69F00", "", "◔", "来得及 In time"),
    Mark(2, "#D55E00", "", "✖", "太迟 Too late"),
    Mark(3, GREY, "", "–", "无可关闭或无用 None left, or none helps"),
    Mark(4, "#CC79A7", "", "?", "不明 Unknown"),
    Mark(5, GREY, "", "●", "预报一小时内不到 Not foreseen within the hour"),
    Mark(6, GREY, "", "○", "未见积水 No water seen"),
)
"""How an order to deploy barriers stands; the codes are those of `dashboards.facts.DEADLINE_WORDS`."""
YES_NO = (Mark(0, "#009E73", "", "○", "否 No"), Mark(1, "#CC79A7", "", "●", "是 Yes"))
QUALITIES = (
    Mark(1, "#009E73", "", "●", "可信 Good"),
    Mark(2, GREY, "", "?", "未评 Not evaluated"),
    Mark(3, "#E69F00", "", "◐", "可疑 Suspect"),
    Mark(4, "#D55E00", "", "✖", "错误 Fail"),
    Mark(9, "#CC79A7", "", "○", "缺失 Missing"),
)

STATES_OF_DATA = (
    Mark(0, "#009E73", "", "●", "正常 · Data arrive and are judged"),
    Mark(1, SKY, "", "◆", "演练数据 · Exercise data, not live"),
    Mark(2, "#D55E00", "", "✖", "引擎 5 分钟无输出 · The engine said nothing in the last 5 min of the range"),
    Mark(
        3,
        "#D55E00",
        "",
        "✖",
        "所示时段末 15 分钟无消息 · No message in the last 15 min of the range: ingest, broker or network",
    ),
    Mark(4, "#D55E00", "", "✖", "没有消息记录 · No message is on record, ever or for weeks: is ingest running?"),
    Mark(5, "#E69F00", "", "○", "未导入站点 · No site imported: undercroft site import"),
    Mark(6, SKY, "", "◇", "已研判；消息计数已不保留 · Judged then; counts of messages are no longer kept"),
)
"""What the query `why` finds."""

MARKS = {
    "level": (*LEVELS, BLIND),
    "judged": (*LEVELS, BLIND, UNJUDGED),
    "barrier": BARRIERS,
    "pump": PUMPS,
    "deadline": DEADLINES,
    "yesno": YES_NO,
    "quality": QUALITIES,
    "why": STATES_OF_DATA,
}
"""Unit of a column that holds a code -> how its codes look."""

AGE_STEPS: list[Json] = [
    {"color": "#009E73", "value": None},
    {"color": "#E69F00", "value": 300},
    {"color": GREY, "value": 900},
]
"""Age of data: amber after 5 minutes, greyed after 15. [s]"""

AMISS_STEPS: list[Json] = [{"color": "#E69F00", "value": None}, {"color": "#D55E00", "value": 900}]
"""For how long something has been amiss: amber at once, red after 15 minutes, never green. [s]"""

PLAIN_STEPS: list[Json] = [{"color": PLAIN, "value": None}]
"""A time that has passed and is neither good nor bad. [s]"""

AGES = {"": AGE_STEPS, "amiss": AMISS_STEPS, "plain": PLAIN_STEPS}
"""Look of a column ``*age_s`` -> its thresholds; without one it is the age of data."""

UNSEEN_COLOUR: Json = {"type": "special", "options": {"match": "null", "result": {"color": GREY, "index": 0}}}
"""An age that nobody knows is no young one."""

LEAST = 1e-6
"""More than none, of a count as of a share."""


def _steps(*steps: tuple[float | None, str]) -> list[Json]:
    return [{"color": colour, "value": value} for value, colour in steps]


LOOKS: dict[str, list[Json]] = {
    "": _steps((None, PLAIN)),
    "amiss": _steps((None, "#009E73"), (LEAST, "#E69F00")),
    "grave": _steps((None, "#009E73"), (LEAST, "#D55E00")),
    "blind": _steps((None, GREY), (LEAST, BLIND.colour)),
    "covered": _steps((None, "#D55E00"), (0.5, "#E69F00"), (1.0, "#009E73")),
    # EEMUA 191: one alarm in ten minutes is manageable, ten are a flood
    "load": _steps((None, "#009E73"), (2, "#E69F00"), (10, "#D55E00")),
    **{f"level:{mark.value}": _steps((None, GREY), (LEAST, mark.colour)) for mark in LEVELS},
}
"""Look of a value in a stat panel -> its thresholds. Grafana's own, green and red from 80, are never used."""


def mappings(marks: tuple[Mark, ...]) -> list[Json]:
    """Return value mappings: sign, words and colour of each code."""
    options = {
        str(mark.value): {"color": mark.colour, "index": index, "text": f"{mark.sign} {mark.words}"}
        for index, mark in enumerate(marks)
    }
    return [{"type": "value", "options": options}]


def unit_of(unit: str) -> str:
    """Return Grafana's id of a unit."""
    return "none" if unit in MARKS else UNITS[unit]
