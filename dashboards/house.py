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
BLIND = Mark(-1, "#CC79A7", "x-mark", "✖", "盲区 Blind")
GREY = "#8C8C8C"

BARRIERS = (
    Mark(0, "#D55E00", "", "○", "未关 Open"),
    Mark(1, "#F0E442", "", "◐", "关闭中 Deploying"),
    Mark(2, "#E69F00", "", "◑", "待核实 Unverified"),
    Mark(3, "#009E73", "", "●", "已关闭 Deployed"),
    Mark(4, "#D55E00", "", "≈", "漫顶 Overtopped"),
    Mark(5, "#D55E00", "", "✖", "故障 Failed"),
    Mark(6, "#CC79A7", "", "?", "不明 Unknown"),
)
PUMPS = (Mark(0, GREY, "", "○", "停 Off"), Mark(1, "#0072B2", "", "●", "运行 Running"))
YES_NO = (Mark(0, "#009E73", "", "○", "否 No"), Mark(1, "#CC79A7", "", "●", "是 Yes"))
QUALITIES = (
    Mark(1, "#009E73", "", "●", "可信 Good"),
    Mark(2, GREY, "", "?", "未评 Not evaluated"),
    Mark(3, "#E69F00", "", "◐", "可疑 Suspect"),
    Mark(4, "#D55E00", "", "✖", "错误 Fail"),
    Mark(9, "#CC79A7", "", "○", "缺失 Missing"),
)

MARKS = {
    "level": (*LEVELS, BLIND),
    "barrier": BARRIERS,
    "pump": PUMPS,
    "yesno": YES_NO,
    "quality": QUALITIES,
}
"""Unit of a column that holds a code -> how its codes look."""

AGE_STEPS: list[Json] = [
    {"color": "#009E73", "value": None},
    {"color": "#E69F00", "value": 300},
    {"color": GREY, "value": 900},
]
"""Age of data: amber after 5 minutes, greyed after 15. [s]"""


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
