"""Panels as plain JSON, with nothing that only one of Grafana 9.4 and 12 knows, unless the other ignores it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from dashboards.house import AGE_STEPS, DATASOURCE, LEVELS, MARKS, Json, Mark, mappings, unit_of
from dashboards.queries import Column, Query, query

WIDTH = 24


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
            "description": self.empty,
            "fieldConfig": {"defaults": {"noValue": self.empty, **self.defaults}, "overrides": list(self.overrides)},
            "gridPos": {"h": self.height, "w": self.width, "x": x, "y": y},
            "id": number,
            "options": self.options,
            "targets": targets,
            "title": self.title,
            "type": self.kind,
        }


def _override(column: Column) -> Json:
    properties: list[Json] = [{"id": "displayName", "value": column.heading}]
    if column.unit in MARKS:
        properties.append({"id": "mappings", "value": mappings(MARKS[column.unit])})
        properties.append({"id": "custom.displayMode", "value": "color-text"})
        properties.append({"id": "custom.cellOptions", "value": {"type": "color-text"}})
    elif column.kind == "number":
        properties.append({"id": "unit", "value": unit_of(column.unit)})
    if column.name.endswith("age_s"):
        properties.append({"id": "thresholds", "value": {"mode": "absolute", "steps": AGE_STEPS}})
        properties.append({"id": "custom.displayMode", "value": "color-text"})
        properties.append({"id": "custom.cellOptions", "value": {"type": "color-text"}})
    return {"matcher": {"id": "byName", "options": column.name}, "properties": properties}


def overrides(columns: Sequence[Column]) -> tuple[Json, ...]:
    """Return heading, unit and look of each declared column."""
    return tuple(_override(column) for column in columns)


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


def stat(name: str, title: str, empty: str, *, width: int = 6, height: int = 4) -> Panel:
    """Return the values of a query's one row, side by side."""
    found = query(name)
    options: Json = {
        "colorMode": "value",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "/.*/", "values": False},
        "textMode": "value_and_name",
    }
    return Panel("stat", title, empty, (found,), options, {}, overrides(found.columns), width, height)


def series(
    name: str, title: str, empty: str, unit: str, *, width: int = 12, height: int = 9, limits: Sequence[float] = ()
) -> Panel:
    """Return lines over time; the query gives ``time, metric, value``. Limits are drawn as lines."""
    steps: list[Json] = [{"color": "transparent", "value": None}]
    steps += [{"color": LEVELS[min(4, 3 + index)].colour, "value": limit} for index, limit in enumerate(limits)]
    custom: Json = {
        "drawStyle": "line",
        "lineInterpolation": "linear",
        "lineWidth": 2,
        "fillOpacity": 0,
        "showPoints": "auto",
        "spanNulls": False,
        "insertNulls": False,
        "thresholdsStyle": {"mode": "line" if limits else "off"},
    }
    defaults: Json = {"unit": unit_of(unit), "custom": custom, "thresholds": {"mode": "absolute", "steps": steps}}
    options: Json = {
        "legend": {"calcs": ["lastNotNull", "max"], "displayMode": "table", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return Panel("timeseries", title, empty, (query(name),), options, defaults, (), width, height, "time_series")


def band(name: str, title: str, empty: str, unit: str, spans: Sequence[tuple[str, str, str]]) -> Panel:
    """Return lines over time of which some pairs enclose a filled band: ``(lower, upper, colour)`` by series."""
    plain = series(name, title, empty, unit)
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
    return replace(plain, overrides=tuple(properties))


def timeline(name: str, title: str, empty: str, marks: str, *, width: int = 24, height: int = 8) -> Panel:
    """Return states over time as bars; the query gives ``time, metric, value`` with codes as values."""
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
