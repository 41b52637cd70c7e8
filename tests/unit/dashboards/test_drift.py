"""What counts as changed by hand, and what Grafana writes by itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from dashboards.build import build
from dashboards.drift import differences

BOARDS = {document["uid"]: document for document in map(json.loads, build().values())}

CUSTOM = "fieldConfig.defaults.custom"

Change = Callable[[dict[str, Any]], object]


def of_kind(kind: str) -> tuple[dict[str, Any], int]:
    """Return a dashboard with a panel of a kind, and its place there."""
    for document in BOARDS.values():
        for index, panel in enumerate(document["panels"]):
            if panel["type"] == kind:
                return document, index
    raise AssertionError(kind)


def defaults_of(panel: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = panel["fieldConfig"]["defaults"]
    return found


def custom(panel: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = defaults_of(panel).setdefault("custom", {})
    return found


@pytest.mark.parametrize(
    ("kind", "change", "place"),
    [
        ("stat", lambda panel: panel["targets"][0].update(hide=True), "targets[0].hide"),
        ("stat", lambda panel: panel.update(timeShift="1d"), "timeShift"),
        ("stat", lambda panel: panel.update(timeFrom="1h"), "timeFrom"),
        ("stat", lambda panel: panel.update(transformations=[{"id": "limit", "options": {}}]), "transformations"),
        ("stat", lambda panel: panel.update(transparent=True), "transparent"),
        ("stat", lambda panel: panel.update(repeat="space"), "repeat"),
        ("stat", lambda panel: panel.update(maxDataPoints=1), "maxDataPoints"),
        ("stat", lambda panel: panel["fieldConfig"].update(displayName="x"), "fieldConfig.displayName"),
        ("stat", lambda panel: panel["options"].update(limit=1), "options.limit"),
        ("stat", lambda panel: panel["options"].update(wideLayout=False), "options.wideLayout"),
        ("stat", lambda panel: panel["options"]["reduceOptions"].update(limit=1), "options.reduceOptions.limit"),
        ("stat", lambda panel: panel["fieldConfig"]["defaults"].update(min=0), "fieldConfig.defaults.min"),
        ("table", lambda panel: panel["options"].update(showHeader=False), "options.showHeader"),
        ("table", lambda panel: panel["options"].update(frameIndex=1), "options.frameIndex"),
        ("table", lambda panel: panel["options"].update(showTypeIcons=1), "options.showTypeIcons"),
        ("table", lambda panel: custom(panel).update(hidden=True), f"{CUSTOM}.hidden"),
        ("timeseries", lambda panel: custom(panel).update(axisGridShow=False), f"{CUSTOM}.axisGridShow"),
        ("timeseries", lambda panel: custom(panel).update(hideFrom={"viz": True}), f"{CUSTOM}.hideFrom"),
        ("timeseries", lambda panel: custom(panel).pop("spanNulls"), f"{CUSTOM}.spanNulls"),
        ("state-timeline", lambda panel: panel["options"].update(perPage=1), "options.perPage"),
        ("state-timeline", lambda panel: panel["options"].pop("rowHeight"), "options.rowHeight"),
        ("geomap", lambda panel: panel["options"]["layers"][0].update(opacity=0), "options.layers[0].opacity"),
        ("geomap", lambda panel: panel["options"]["view"].update(maxZoom=2), "options.view.maxZoom"),
    ],
)  # fmt: skip
def test_what_somebody_does_to_a_panel_is_shown(kind: str, change: Change, place: str) -> None:
    wanted, index = of_kind(kind)
    stored = saved_by_12(wanted)
    assert differences(wanted, stored) == []
    change(stored["panels"][index])
    assert differences(wanted, stored) == [f"panels[{index}].{place}"]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda board: board.update(liveNow=True), "liveNow"),
        (lambda board: board.update(editable=True), "editable"),
        (lambda board: board.pop("editable"), "editable"),
        (lambda board: board.update(refresh=""), "refresh"),
        (lambda board: board.pop("refresh"), "refresh"),
        (lambda board: board.update(timezone="utc"), "timezone"),
        (lambda board: board.update(preload=True), "preload"),
        (lambda board: board.update(hideControls=True), "hideControls"),
        (lambda board: board.update(snapshot={"a": 1}), "snapshot"),
        (lambda board: board["time"].update({"to": "now-1d"}), "time.to"),
        (lambda board: board["timepicker"].update(nowDelay="1d"), "timepicker.nowDelay"),
        (lambda board: board["timepicker"].update(hidden=True), "timepicker.hidden"),
        (lambda board: board["templating"]["list"].append({"name": "mine"}), "templating.list"),
        (lambda board: board["templating"].update(enable=False), "templating.enable"),
        (lambda board: board["templating"]["list"][0].update(hide=2), "templating.list[0].hide"),
        (
            lambda board: board["templating"]["list"][0]["current"].update(value=["x"]),
            "templating.list[0].current.value[0]",
        ),
        (lambda board: board["annotations"]["list"].pop(), "annotations.list"),
        (lambda board: board["annotations"]["list"][1].update(filter={"ids": [1]}), "annotations.list[0].filter"),
        (lambda board: board["annotations"]["list"][1].update(enable=False), "annotations.list[0].enable"),
    ],
)  # fmt: skip
def test_what_somebody_does_to_the_dashboard_itself_is_shown(change: Change, place: str) -> None:
    wanted = BOARDS["uc-situation"]
    stored = saved_by_12(wanted)
    change(stored)
    assert differences(wanted, stored) == [place]


BUILT_IN = {
    "builtIn": 1, "datasource": {"type": "grafana", "uid": "-- Grafana --"}, "enable": True, "hide": True,
    "iconColor": "rgba(0, 211, 255, 1)", "name": "Annotations & Alerts", "type": "dashboard",
}  # fmt: skip


def saved_by_12(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return a dashboard as Grafana 12 leaves it when somebody presses save, by its source and dashboards in public.

    `transformSceneToSaveModel` strips nulls; `sceneVariablesSetToVariables` drops a variable's defaults and `selected`;
    `DashboardModel.addBuiltInAnnotationQuery` adds one; each panel's defaults are filled in when its plugin is loaded.
    """
    board = deepcopy(wanted)
    board |= {"id": 7, "version": 3, "schemaVersion": 41, "preload": False, "revision": 1}
    board["timepicker"] = {}
    board["annotations"]["list"].insert(0, deepcopy(BUILT_IN))
    for variable in board["templating"]["list"]:
        variable["current"].pop("selected")
        for name in ("hide", "skipUrlSync", "sort"):
            variable.pop(name)
        if not variable["multi"]:
            variable.pop("multi")
        variable["allowCustomValue"] = True
    for panel in board["panels"]:
        _filled_by_12(panel)
    return board


def _filled_by_12(panel: dict[str, Any]) -> None:
    panel["pluginVersion"] = "12.2.1"
    defaults = defaults_of(panel)
    defaults.setdefault("mappings", [])
    defaults.setdefault("color", {"mode": "palette-classic" if panel["type"] == "timeseries" else "thresholds"})
    if "thresholds" in defaults:
        defaults["thresholds"]["steps"][0]["value"] = 0
    else:
        steps = [{"color": "green", "value": 0}, {"color": "red", "value": 80}]
        defaults["thresholds"] = {"mode": "absolute", "steps": steps}
    hide_from = {"legend": False, "tooltip": False, "viz": False}
    if panel["type"] == "timeseries":
        filled = {
            "axisBorderShow": False, "axisCenteredZero": False, "axisColorMode": "text", "axisLabel": "",
            "axisPlacement": "auto", "barAlignment": 0, "barWidthFactor": 0.6, "gradientMode": "none",
            "hideFrom": hide_from, "pointSize": 5, "scaleDistribution": {"type": "linear"}, "showValues": False,
            "stacking": {"group": "A", "mode": "none"},
        }  # fmt: skip
        defaults["custom"] = filled | custom(panel)
        panel["options"]["tooltip"]["hideZeros"] = False
    if panel["type"] == "state-timeline":
        defaults["custom"] = {"axisPlacement": "auto", "hideFrom": hide_from, "insertNulls": False} | custom(panel)
        panel["options"] |= {"perPage": 20}
    if panel["type"] == "stat":
        panel["options"] |= {"percentChangeColorMode": "standard", "showPercentChange": False, "wideLayout": True}
    if panel["type"] == "table":
        defaults["custom"] = {"cellOptions": {"type": "auto"}, "footer": {"reducers": []}, "inspect": False} | custom(
            panel
        )
        panel["options"].pop("footer")  # 12.2 holds it by column
        panel["options"] |= {"enablePagination": False}
    if panel["type"] == "geomap":
        panel["options"]["controls"] |= {"showDebug": False, "showMeasure": False, "showScale": False}
        defaults["custom"] = {"hideFrom": hide_from}


def saved_by_9_4(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return a dashboard as Grafana 9.4 leaves it (`DashboardModel.getSaveModelClone`, `PanelModel.getSaveModel`)."""
    board = deepcopy(wanted)
    board |= {"id": 7, "version": 3, "schemaVersion": 37, "style": "dark", "gnetId": None, "iteration": 1700000000000}
    board["annotations"]["list"].insert(0, deepcopy(BUILT_IN))
    for variable in board["templating"]["list"]:
        variable |= {"error": None, "description": ""}
    for panel in board["panels"]:
        panel["pluginVersion"] = "9.4.7"
        steps = [{"color": "green", "value": None}, {"color": "red", "value": 80}]
        panel["fieldConfig"]["defaults"].setdefault("mappings", [])
        panel["fieldConfig"]["defaults"].setdefault("thresholds", {"mode": "absolute", "steps": steps})
        panel["targets"][0] |= {
            "hide": False,
            "sql": {
                "columns": [{"parameters": [], "type": "function"}],
                "groupBy": [{"property": {"type": "string"}, "type": "groupBy"}],
                "limit": 50,
            },
        }
    return board


@pytest.mark.parametrize("saved", [saved_by_12, saved_by_9_4])
def test_what_grafana_writes_by_itself_is_no_difference(saved: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    for document in BOARDS.values():
        assert differences(document, saved(document)) == [], document["uid"]


def test_the_names_of_the_plugin_before_and_since_grafana_10_are_one() -> None:
    wanted = BOARDS["uc-space"]
    stored = json.loads(json.dumps(wanted).replace('"type": "postgres"', '"type": "grafana-postgresql-datasource"'))
    assert stored != wanted
    assert differences(wanted, stored) == []
    stored["panels"][0]["datasource"]["uid"] = "other"
    assert differences(wanted, stored) == ["panels[0].datasource.uid"]
