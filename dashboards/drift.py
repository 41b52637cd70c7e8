"""How a stored dashboard differs from the one in the code: what is changed, what is gone, what somebody added. Pure.

Grafana keeps a dashboard as it was pushed. Who saves it in the browser makes it write out defaults too: these, and what
is empty, are no difference. Anything else that was added is one: a filter, a hidden query, a shift in time hide alarms.
"""

from __future__ import annotations

import json

from dashboards.house import Json

_OF_THE_SERVER = ("id", "version", "schemaVersion", "iteration")
_WRITTEN_OUT: dict[str, tuple[object, ...]] = {
    "pluginVersion": (),
    "axisColorMode": ("text",), "axisPlacement": ("auto",), "barWidthFactor": (0.6,), "gradientMode": ("none",),
    "pointSize": (5,), "scaleDistribution": ({"type": "linear"},), "lineStyle": ({"fill": "solid"},),
    "stacking": ({"group": "A", "mode": "none"},), "thresholdsStyle": ({"mode": "off"},), "showPoints": ("auto",),
    "cellOptions": ({"type": "auto"},), "align": ("auto",), "cellHeight": ("sm",), "wideLayout": (True,),
    "percentChangeColorMode": ("standard",), "mode": ("single", "absolute", "thresholds"), "maxVizHeight": (300,),
    "minVizHeight": (16, 75), "minVizWidth": (8, 75), "namePlacement": ("auto",), "sizing": ("auto",),
    "barAlignment": (-1, 0, 1), "drawStyle": ("line",), "lineInterpolation": ("linear",), "lineWidth": (1,),
    "editorMode": ("code", "builder"), "calcs": (["lastNotNull"],), "placement": ("bottom",), "displayMode": ("list",),
    "perPage": (20,), "textMode": ("auto",), "graphMode": ("area",), "colorMode": ("value",), "justifyMode": ("auto",),
    "orientation": ("auto",), "valueMode": ("color",), "rowHeight": (0.9,), "alignValue": ("left",),
}  # fmt: skip
"""Defaults of @grafana/schema by the name of the field; of `pluginVersion` any."""


def differences(wanted: Json, stored: Json) -> list[str]:
    """Return where a stored dashboard is not as in the code.

    Examples
    --------
    >>> differences({"panels": [{"title": "a"}]}, {"panels": [{"title": "a", "timeShift": "1d", "hide": False}]})
    ['panels[0].timeShift']
    """
    return [
        place
        for key, value in _as_json(wanted).items()
        if key not in _OF_THE_SERVER
        for place in _between(value, _as_json(stored).get(key), key)
    ]


def _as_json(document: Json) -> Json:
    plain: Json = json.loads(json.dumps(document))
    return plain


def _between(wanted: object, stored: object, path: str) -> list[str]:
    if isinstance(wanted, dict) and isinstance(stored, dict):
        changed = [place for key in wanted for place in _between(wanted[key], stored.get(key), f"{path}.{key}")]
        added = [key for key in stored if key not in wanted and not _is_written_out(key, stored[key])]
        return [*changed, *(f"{path}.{key}" for key in added)]
    if isinstance(wanted, list) and isinstance(stored, list) and len(wanted) == len(stored):
        pairs = zip(wanted, stored, strict=True)
        return [place for index, (a, b) in enumerate(pairs) for place in _between(a, b, f"{path}[{index}]")]
    return [] if wanted == stored else [path]


def _is_written_out(key: str, value: object) -> bool:
    """Tell whether a field says nothing: it is empty, a default of Grafana's, or holds only such fields."""
    if not value or key == "pluginVersion" or value in _WRITTEN_OUT.get(key, ()):
        return True
    return isinstance(value, dict) and all(_is_written_out(name, inner) for name, inner in value.items())
