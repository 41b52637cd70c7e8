"""Panels as plain JSON, with nothing that only one of Grafana 9.4 and 12 knows, unless the other ignores it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from dashboards.house import (
    AGES,
    DATASOURCE,
    GREY,
    LAST_ORDERS,
    LEVELS,
    LINES,
    LOOKS,
    MARKS,
    UNSEEN_COLOUR,
    Json,
    Mark,
    mappings,
    unit_of,
)
from dashboards.queries import Column, Query, query
from dashboards.words import WORDS, text_mappings

WIDTH = 24
NOT_FILTERED = "全系统，不随筛选变化 · Of the whole system: the variables above do not change it."
SPACE_LINK: Json = {
    "title": "单处详情 · Open this space",
    "url": "/d/uc-space?var-place=${__data.fields.space_id}&${__url_time_range}",
    "targetBlank": False,
}
"""From a row that names a space and its `space_id` to the board of that space, at the same time."""

NOTHING = "—"
"""What a cell shows that has no value, beside others that have one."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel and its place in the flow.

    Attributes
    ----------
    kind : str
        Grafana's panel type.
    title : str
        Chinese and English.
    empty : str
        What an empty panel says: why there is nothing.
    queries : tuple of Query
        One target each, A, B, C ...
    """

    kind: str
    title: str
    empty: str
    queries: tuple[Query, ...]
    options: Json
    defaults: Json = field(default_factory=dict)
    overrides: tuple[Json, ...] = ()
    width: int = WIDTH
    height: int = 8
    wire: str = "table"

    @property
    def _is_filtered(self) -> bool:
        return all(each.is_filtered for each in self.queries)

    def of_variable(self, name: str, other: str) -> Panel:
        """Return the panel that asks another variable than the one named."""
        return replace(self, queries=tuple(each.of_variable(name, other) for each in self.queries))

    def to_json(self, number: int, x: int, y: int) -> Json:
        """Return the panel for its place in a dashboard."""
        targets = [
            {
                "datasource": DATASOURCE,
                "editorMode": "code",
                "format": self.wire,
                "rawQuery": True,
                "rawSql": each.sql,
                "refId": chr(ord("A") + index),
            }
            for index, each in enumerate(self.queries)
        ]
        return {
            "datasource": DATASOURCE,
            "description": self.empty if self._is_filtered else f"{self.empty}\n\n{NOT_FILTERED}",
            "fieldConfig": {"defaults": {"noValue": self.empty, **self.defaults}, "overrides": list(self.overrides)},
            "gridPos": {"h": self.height, "w": self.width, "x": x, "y": y},
            "id": number,
            "options": self.options,
            "targets": targets,
            "title": self.title,
            "type": self.kind,
        }


def _override(column: Column, *, nothing: str | None = NOTHING, links: Sequence[Json] = ()) -> Json:
    properties: list[Json] = [{"id": "displayName", "value": column.heading}]
    if links:
        properties.append({"id": "links", "value": list(links)})
    if nothing is not None:
        properties.append({"id": "noValue", "value": nothing})
    if column.unit in MARKS:
        properties.append({"id": "mappings", "value": mappings(MARKS[column.unit])})
    elif column.unit in WORDS:
        properties.append({"id": "mappings", "value": text_mappings(column.unit)})
    elif column.kind == "number":
        properties.append({"id": "unit", "value": unit_of(column.unit)})
    is_age = column.name.endswith("age_s")
    if is_age:
        properties.append({"id": "mappings", "value": [UNSEEN_COLOUR]})
    if is_age or column.unit in MARKS:
        steps = AGES[column.look] if is_age else [{"color": GREY, "value": None}]
        properties.append({"id": "thresholds", "value": {"mode": "absolute", "steps": steps}})
        properties.append({"id": "custom.displayMode", "value": "color-text"})
        properties.append({"id": "custom.cellOptions", "value": {"type": "color-text"}})
    return {"matcher": {"id": "byName", "options": column.name}, "properties": properties}


def overrides(columns: Sequence[Column]) -> tuple[Json, ...]:
    """Return heading, unit and look of each declared column; the first opens its space where the row names one."""
    links = [SPACE_LINK] if any(column.name == "space_id" for column in columns) else []
    return tuple(_override(column, links=links if column is columns[0] else ()) for column in columns)


def _looked(column: Column, *, nothing: str | None) -> Json:
    """Return a column's override in a stat panel: its colours are stated, whatever it holds."""
    found = _override(column, nothing=nothing)
    if not any(item["id"] == "thresholds" for item in found["properties"]):
        found["properties"].append({"id": "thresholds", "value": {"mode": "absolute", "steps": LOOKS[column.look]}})
    found["properties"].append({"id": "color", "value": {"mode": "thresholds"}})
    return found


def table(name: str, title: str, empty: str, *, width: int = WIDTH, height: int = 8) -> Panel:
    """Return a table of a query, in the order that the query gives."""
    found = query(name)
    options: Json = {
        "showHeader": True,
        "cellHeight": "sm",
        "footer": {"show": False, "reducer": ["sum"], "fields": ""},
    }
    defaults: Json = {"custom": {"align": "auto", "filterable": True}}
    return Panel("table", title, empty, (found,), options, defaults, overrides(found.columns), width, height)


def stat(
    name: str, title: str, empty: str, *, width: int = 6, height: int = 4, nothing: str | None = NOTHING,
    bare: str = GREY,
) -> Panel:  # fmt: skip
    """Return the values of a query's one row, side by side.

    Parameters
    ----------
    nothing : str or None
        What a value says that is not known; None: what the empty panel says.
    bare : str
        Colour of what the panel says when it has no row at all.
    """
    found = query(name)
    options: Json = {
        "colorMode": "value",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "/.*/", "values": False},
        "textMode": "value_and_name",
    }
    defaults: Json = {
        "color": {"mode": "thresholds"},
        "thresholds": {"mode": "absolute", "steps": [{"color": bare, "value": None}]},
    }
    looks = tuple(_looked(column, nothing=nothing) for column in found.columns)
    return Panel("stat", title, empty, (found,), options, defaults, looks, width, height)


def series(  # noqa: PLR0913 - what a panel of lines may differ in
    name: str, title: str, empty: str, unit: str, *, width: int = 12, height: int = 9, limits: Sequence[float] = (),
    signs: Sequence[Mark] = (), silence_min: int = 30, steady: str = "",
) -> Panel:  # fmt: skip
    """Return lines over time; the query gives ``time, metric, value``.

    Grafana makes one table of all series, with nothing in it where one says nothing at another's time: a line goes on
    over that, and ends where the series itself is silent for longer.

    Parameters
    ----------
    limits : sequence of float
        Drawn as lines across.
    signs : sequence of Mark
        A series whose name begins with the sign of a mark has its colour and its kind of line.
    silence_min : int
        Longest silence that a line goes through. [min]
    steady : str
        A series whose name begins so is a limit: it goes on through everything, dashed.
    """
    steps: list[Json] = [{"color": "transparent", "value": None}]
    steps += [{"color": LEVELS[min(4, 3 + index)].colour, "value": limit} for index, limit in enumerate(limits)]
    custom: Json = {
        "drawStyle": "line",
        "lineInterpolation": "linear",
        "lineWidth": 2,
        "fillOpacity": 0,
        "showPoints": "auto",
        "spanNulls": silence_min * 60_000,
        "insertNulls": False,
        "thresholdsStyle": {"mode": "line" if limits else "off"},
    }
    defaults: Json = {"unit": unit_of(unit), "custom": custom, "thresholds": {"mode": "absolute", "steps": steps}}
    options: Json = {
        "legend": {"calcs": ["lastNotNull", "max"], "displayMode": "table", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    coloured = tuple(
        {
            "matcher": {"id": "byRegexp", "options": f"/^{re.escape(mark.sign)} /"},
            "properties": [
                {"id": "color", "value": {"mode": "fixed", "fixedColor": mark.colour}},
                *({"id": "custom.lineStyle", "value": LINES[mark.sign]} for _ in range(mark.sign in LINES)),
            ],
        }
        for mark in signs
    )
    if steady:
        coloured += (
            {
                "matcher": {"id": "byRegexp", "options": f"/^{re.escape(steady)} /"},
                "properties": [
                    {"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [4, 6]}},
                    {"id": "custom.spanNulls", "value": True},
                ],
            },
        )
    return Panel("timeseries", title, empty, (query(name),), options, defaults, coloured, width, height, "time_series")


def band(name: str, title: str, empty: str, unit: str, spans: Sequence[tuple[str, str, str]]) -> Panel:
    """Return lines over time of which some pairs enclose a filled band: ``(lower, upper, colour)`` by series."""
    plain = series(name, title, empty, unit, signs=(*LEVELS, *LAST_ORDERS), silence_min=10)
    properties = [
        {
            "matcher": {"id": "byName", "options": upper},
            "properties": [
                {"id": "custom.fillBelowTo", "value": lower},
                {"id": "custom.fillOpacity", "value": 20},
                {"id": "color", "value": {"mode": "fixed", "fixedColor": colour}},
            ],
        }
        for lower, upper, colour in spans
    ]
    return replace(plain, overrides=(*plain.overrides, *properties))


def timeline(name: str, title: str, empty: str, marks: str, *, width: int = 24, height: int = 8) -> Panel:
    """Return states over time as bars; the query gives ``time, metric, value`` with codes as values.

    A bar is drawn on to the next value, or to the end of the range, over whatever lies between: where a state is known
    for some time only, the query says "unknown" at the end of that time.
    """
    defaults: Json = {
        "color": {"mode": "thresholds"},
        "custom": {"fillOpacity": 80, "lineWidth": 0, "spanNulls": True},
        "mappings": mappings(MARKS[marks]),
    }
    options: Json = {
        "alignValue": "left",
        "legend": {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": True},
        "mergeValues": True,
        "rowHeight": 0.85,
        "showValue": "auto",
        "tooltip": {"mode": "single", "sort": "none"},
    }
    return Panel("state-timeline", title, empty, (query(name),), options, defaults, (), width, height, "time_series")


def spaces_map(name: str, title: str, empty: str, marks: Sequence[Mark], *, width: int = 14, height: int = 16) -> Panel:
    """Return a map with one layer per level: a layer's shape is fixed, so each level has its own shape and query."""
    found = [query(name).with_parameters({"shape": str(mark.value)}) for mark in marks]
    layers = [_layer(mark, chr(ord("A") + index)) for index, mark in enumerate(marks)]
    options: Json = {
        "basemap": {"config": {}, "name": "Layer 0", "type": "default"},
        "controls": {"mouseWheelZoom": True, "showAttribution": True, "showZoom": True},
        "layers": layers,
        "tooltip": {"mode": "details"},
        "view": {"allLayers": True, "id": "fit", "lat": 22.54, "lon": 114.06, "zoom": 13},
    }
    return Panel("geomap", title, empty, tuple(found), options, {}, overrides(found[0].columns), width, height)


def _layer(mark: Mark, ref: str) -> Json:
    style: Json = {
        "color": {"fixed": mark.colour},
        "opacity": 0.9,
        "rotation": {"fixed": 0, "max": 360, "min": -360, "mode": "mod"},
        "size": {"fixed": 5 + 2 * max(mark.value, 0), "max": 15, "min": 2},
        "symbol": {"fixed": f"img/icons/marker/{mark.shape}.svg", "mode": "fixed"},
        "text": {"field": "name", "fixed": "", "mode": "field"},
        "textConfig": {"fontSize": 11, "offsetX": 0, "offsetY": 14, "textAlign": "center", "textBaseline": "middle"},
    }
    frame: Json = {"id": "byRefName", "options": ref}
    return {
        "config": {"showLegend": True, "style": style},
        "filterData": frame,
        "query": frame,  # what 9.4 calls filterData
        "location": {"latitude": "lat", "longitude": "lon", "mode": "coords"},
        "name": f"{mark.sign} {mark.words}",
        "tooltip": True,
        "type": "markers",
    }
