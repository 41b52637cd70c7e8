"""A dashboard: panels in reading order, variables, annotations; rendered to JSON that never changes by itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dashboards.house import DATASOURCE, GREY, LEVELS, SKY, Json, Mark
from dashboards.panels import WIDTH, Panel
from dashboards.queries import Query, query
from risk.thresholds import LEAST_ALARM_SEVERITY as ALARM

SCHEMA_VERSION = 37
"""Of Grafana 9.4; later ones bring it up to theirs when they read it."""

TAG = "undercroft"

PLACE = "place"
"""The one space of the board of one. A name of its own: the boards' links carry `space`, which may be all of them."""

_SPACES = (
    "select name as __text, space_id as __value from grafana.space"
    " where ('*' = any(array[${street:sqlstring}]::text[]) or street = any(array[${street:sqlstring}]::text[]))"
    " and ('*' = any(array[${kind:sqlstring}]::text[]) or kind = any(array[${kind:sqlstring}]::text[]))"
    " order by 1"
)

VARIABLES = {
    "district": (
        "区 District",
        "select name_zh || ' ' || name_en as __text, district_id as __value from grafana.deployment"
        " where district_id is not null",
    ),
    "street": ("街道 Street", "select distinct street from grafana.space order by 1"),
    "kind": ("类型 Kind", "select distinct kind from grafana.space order by 1"),
    "space": ("地下空间 Space", _SPACES),
    PLACE: ("地下空间 Space", _SPACES),
}


@dataclass(frozen=True, slots=True)
class Annotation:
    """What a dashboard marks on its time axis, and in which colour."""

    name: str
    colour: str
    query: Query


def _of_level(query_name: str, mark: Mark, words: str) -> Annotation:
    found = query(query_name).with_parameters({"sign": mark.sign, "level": str(mark.value)})
    return Annotation(f"{mark.sign} {words}", mark.colour, found)


ANNOTATIONS = (
    *(_of_level("annotation_alarms", mark, f"警报 Alarms: {mark.words}") for mark in LEVELS if mark.value >= ALARM),
    _of_level("annotation_cleared", LEVELS[0], "警报解除 Alarms ended"),
    Annotation("指令 Orders", SKY, query("annotation_orders")),
    Annotation("行动 Acts", GREY, query("annotation_acts")),
)
"""Alarms in the colour and with the sign that the map has for their level."""


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A dashboard. Its uid never changes: links and alarm messages name it."""

    uid: str
    title: str
    about: str
    panels: Sequence[Panel]
    one_space: bool = False
    span: str = "now-6h"
    refresh: str = "10s"

    @property
    def variables(self) -> tuple[str, ...]:
        """What may be chosen above the panels."""
        return ("district", "street", "kind", PLACE if self.one_space else "space")

    def annotations(self) -> list[Annotation]:
        """Return what it marks on the axis: on the board of one space, of that space."""
        if not self.one_space:
            return list(ANNOTATIONS)
        return [replace(each, query=each.query.of_variable("space", PLACE)) for each in ANNOTATIONS]

    def queries(self) -> list[Query]:
        """Return what it asks the database: of its panels, then of its annotations."""
        return [each for panel in self.panels for each in panel.queries] + [each.query for each in self.annotations()]

    def to_json(self) -> Json:
        """Return what Grafana imports."""
        return {
            "annotations": {"list": [_annotation(each) for each in self.annotations()]},
            "description": self.about,
            "editable": False,
            "fiscalYearStartMonth": 0,
            "graphTooltip": 1,
            "id": None,
            "links": [_links()],
            "liveNow": False,
            "panels": _placed(self.panels),
            "refresh": self.refresh,
            "schemaVersion": SCHEMA_VERSION,
            "tags": [TAG],
            "templating": {"list": [_variable(name) for name in self.variables]},
            "time": {"from": self.span, "to": "now"},
            "timepicker": {},
            "timezone": "browser",
            "title": self.title,
            "uid": self.uid,
            "version": 1,
            "weekStart": "monday",
        }


def rendered(document: Json) -> str:
    """Return the bytes of a file: sorted keys, two spaces, a final newline."""
    return json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def _placed(panels: Sequence[Panel]) -> list[Json]:
    placed, x, y, row = [], 0, 0, 0
    for number, panel in enumerate(panels, start=1):
        if x + panel.width > WIDTH:
            x, y, row = 0, y + row, 0
        placed.append(panel.to_json(number, x, y))
        x, row = x + panel.width, max(row, panel.height)
    return placed


def _variable(name: str) -> Json:
    label, sql = VARIABLES[name]
    is_single = name == PLACE
    found: Json = {
        "datasource": DATASOURCE,
        "definition": sql,
        "hide": 0,
        "includeAll": not is_single,
        "label": label,
        "multi": not is_single,
        "name": name,
        "options": [],
        "query": sql,
        "refresh": 2,
        "regex": "",
        "skipUrlSync": False,
        "sort": 0,
        "type": "query",
    }
    if is_single:
        return found | {"current": {"selected": False, "text": "", "value": ""}}
    return found | {"allValue": "'*'", "current": {"selected": True, "text": ["All"], "value": ["$__all"]}}


def _annotation(each: Annotation) -> Json:
    sql = each.query.sql
    target: Json = {"format": "table", "rawQuery": True, "rawSql": sql, "refId": "Anno", "editorMode": "code"}
    return {
        "datasource": DATASOURCE,
        "enable": True,
        "hide": False,
        "iconColor": each.colour,
        "name": each.name,
        "rawQuery": sql,  # before 10; later ones read the target
        "target": target,
    }


def _links() -> Json:
    return {
        "asDropdown": True,
        "icon": "external link",
        "includeVars": True,
        "keepTime": True,
        "tags": [TAG],
        "targetBlank": False,
        "title": "看板 Dashboards",
        "tooltip": "",
        "type": "dashboards",
        "url": "",
    }
