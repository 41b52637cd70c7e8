"""A dashboard: panels in reading order, variables, annotations; rendered to JSON that never changes by itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from dashboards.house import DATASOURCE, GREY, LEVELS, SKY, Json, Mark
from dashboards.panels import WIDTH, Panel
from dashboards.queries import Query, query
from risk.thresholds import LEAST_ALARM_SEVERITY as ALARM

SCHEMA_VERSION = 37
"""Of Grafana 9.4; later ones bring it up to theirs when they read it."""

TAG = "undercroft"

VARIABLES = {
    "district": (
        "区 District",
        "select name_zh || ' ' || name_en as __text, district_id as __value from grafana.deployment"
        " where district_id is not null",
    ),
    "street": ("街道 Street", "select distinct street from grafana.space order by 1"),
    "kind": ("类型 Kind", "select distinct kind from grafana.space order by 1"),
    "space": (
        "地下空间 Space",
        "select name as __text, space_id as __value from grafana.space"
        " where ('*' = any(array[${street:sqlstring}]::text[]) or street = any(array[${street:sqlstring}]::text[]))"
        " and ('*' = any(array[${kind:sqlstring}]::text[]) or kind = any(array[${kind:sqlstring}]::text[]))"
        " order by 1",
    ),
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
    variables: Sequence[str] = ("district", "street", "kind", "space")
    one_space: bool = False
    span: str = "now-6h"
    refresh: str = "10s"

    def queries(self) -> list[Query]:
        """Return what it asks the database: of its panels, then of its annotations."""
        return [each for panel in self.panels for each in panel.queries] + [each.query for each in ANNOTATIONS]

    def to_json(self) -> Json:
        """Return what Grafana imports."""
        return {
            "annotations": {"list": [_annotation(each) for each in ANNOTATIONS]},
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
            "templating": {"list": [_variable(name, single=self.one_space) for name in self.variables]},
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


def _variable(name: str, *, single: bool) -> Json:
    label, sql = VARIABLES[name]
    is_single = single and name == "space"
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
