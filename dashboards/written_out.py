"""What Grafana writes into a dashboard by itself when somebody saves it, by place: facts of Grafana 9.4 and 12.2.

From `@grafana/schema` (its `default...` objects, held by a test) and, where that says nothing, from Grafana's source:
`timeseries/config.ts`, `table/module.tsx`, `state-timeline/module.tsx`, `geomap/module.tsx`, the option builders of
`@grafana/ui` (axis, legend, tooltip, hide from), `sceneVariablesSetToVariables.ts`, `DashboardModel.ts`.
`ANY` is for what says nothing, whatever it is. What stands nowhere here was done by somebody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dashboards.house import Json

ANY: Final = object()


@dataclass(frozen=True, slots=True)
class Each:
    """A list whose entries have these fields; by the entry's `type` where a kind has some of its own."""

    fields: Json
    by_type: Json | None = None

    def of(self, entry: object) -> Json:
        """Return the fields that Grafana writes into such an entry."""
        kind = entry.get("type") if isinstance(entry, dict) else None
        found: Json = (self.by_type or {}).get(str(kind), self.fields)
        return found


_STEPS: Json = {"mode": "absolute", "steps": [{"color": "green"}, {"color": "red", "value": 80}]}
_HIDE_FROM: Json = {"legend": False, "tooltip": False, "viz": False}
_LEGEND: Json = {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": True}
_TOOLTIP: Json = {"mode": "single", "sort": "none", "hideZeros": False}
_REDUCE: Json = {"calcs": ["lastNotNull"], "fields": "", "values": False}

_TARGET: Json = {
    "editorMode": "code",
    "format": "table",
    "hide": False,
    "sql": {  # of the query builder; a written query does not use it
        "columns": [{"parameters": [], "type": "function"}],
        "groupBy": [{"property": {"type": "string"}, "type": "groupBy"}],
        "limit": 50,
    },
}

_AXIS: Json = {
    "axisBorderShow": False,
    "axisCenteredZero": False,
    "axisColorMode": "text",
    "axisGridShow": True,
    "axisPlacement": "auto",
    "scaleDistribution": {"type": "linear"},
}
_CUSTOM: dict[str, Json] = {
    "stat": {},
    "geomap": {"hideFrom": _HIDE_FROM},
    "table": {
        "align": "auto",
        "cellOptions": {"type": "auto"},
        "displayMode": "auto",
        "filterable": False,
        "footer": {"reducers": []},
        "inspect": False,
        "wrapHeaderText": False,
    },
    "state-timeline": {
        "axisPlacement": "auto",
        "fillOpacity": 70,
        "hideFrom": _HIDE_FROM,
        "insertNulls": False,
        "lineWidth": 0,
        "spanNulls": False,
    },
    "timeseries": {
        **_AXIS,
        "barAlignment": 0,
        "barWidthFactor": 0.6,
        "drawStyle": "line",
        "fillOpacity": 0,
        "gradientMode": "none",
        "hideFrom": _HIDE_FROM,
        "insertNulls": False,
        "lineInterpolation": "linear",
        "lineStyle": {"fill": "solid"},
        "lineWidth": 1,
        "pointSize": 5,
        "showPoints": "auto",
        "showValues": False,
        "spanNulls": False,
        "stacking": {"group": "A", "mode": "none"},
        "thresholdsStyle": {"mode": "off"},
    },
}
_COLOUR = {"timeseries": "palette-classic", "state-timeline": "continuous-GrYlRd"}

_OPTIONS: dict[str, Json] = {
    "stat": {
        "colorMode": "value",
        "graphMode": "area",
        "justifyMode": "auto",
        "orientation": "auto",
        "percentChangeColorMode": "standard",
        "reduceOptions": _REDUCE,
        "showPercentChange": False,
        "textMode": "auto",
        "wideLayout": True,
    },
    "table": {
        "cellHeight": "sm",
        "enablePagination": False,
        "footer": {"countRows": False, "enablePagination": False, "fields": "", "reducer": ["sum"], "show": False},
        "frameIndex": 0,
        "showHeader": True,
        "showTypeIcons": False,
    },
    "timeseries": {"legend": _LEGEND, "tooltip": _TOOLTIP},
    "state-timeline": {
        "alignValue": "left",
        "legend": _LEGEND,
        "mergeValues": True,
        "perPage": 20,
        "rowHeight": 0.9,
        "showValue": "auto",
        "tooltip": _TOOLTIP,
    },
    "geomap": {
        "controls": {
            "mouseWheelZoom": True,
            "showAttribution": True,
            "showDebug": False,
            "showMeasure": False,
            "showScale": False,
            "showZoom": True,
        },
        "layers": Each(
            {
                "config": {"style": {"symbolAlign": {"horizontal": "center", "vertical": "center"}}},
                "opacity": 1,
                "tooltip": True,
            }
        ),
        "tooltip": {"mode": "details"},
        "view": {
            "allLayers": True,
            "dashboardVariable": False,
            "id": "zero",
            "lat": 0,
            "lon": 0,
            "noRepeat": False,
            "shared": False,
            "zoom": 1,
        },
    },
}


def _panel(kind: str) -> Json:
    return {
        "fieldConfig": {
            "defaults": {
                "color": {"mode": _COLOUR.get(kind, "thresholds")},
                "custom": _CUSTOM[kind],
                "thresholds": _STEPS,
            }
        },
        "hideTimeOverride": False,
        "options": _OPTIONS[kind],
        "pluginVersion": ANY,
        "repeatDirection": "h",
        "targets": Each(_TARGET),
        "transparent": False,
    }


_VARIABLE: Json = {
    "allowCustomValue": True,
    "current": {"selected": ANY},
    "global": False,
    "hide": 0,
    "id": "00000000-0000-0000-0000-000000000000",
    "includeAll": False,
    "index": -1,
    "multi": False,
    "skipUrlSync": False,
    "sort": 0,
    "state": "NotStarted",
}
_ANNOTATION: Json = {
    "builtIn": 0,
    "enable": True,
    "filter": {"exclude": False, "ids": []},
    "hide": False,
    "showIn": 0,
    "type": "dashboard",
}
_REFRESH_INTERVALS = ["5s", "10s", "30s", "1m", "5m", "15m", "30m", "1h", "2h", "1d"]

BOARD: Json = {
    "annotations": {"list": Each(_ANNOTATION)},
    "editable": True,
    "fiscalYearStartMonth": 0,
    "graphTooltip": 0,
    "links": Each({"asDropdown": False, "includeVars": False, "keepTime": False, "targetBlank": False}),
    "liveNow": False,
    "panels": Each({}, {kind: _panel(kind) for kind in _OPTIONS}),
    "preload": False,
    "style": "dark",
    "templating": {"list": Each(_VARIABLE)},
    "timepicker": {
        "hidden": False,
        "refresh_intervals": _REFRESH_INTERVALS,
        "time_options": ["5m", "15m", "1h", "6h", "12h", "24h", "2d", "7d", "30d"],
    },
    "timezone": "browser",
}
"""A dashboard with all that it holds."""

OF_THE_SERVER = ("id", "version", "schemaVersion", "iteration", "revision", "gnetId")
"""What the server counts and notes in a dashboard."""
