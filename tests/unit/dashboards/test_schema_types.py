"""The dashboards' JSON, and what we take for Grafana's defaults, against Grafana's own package of 12 and of 9.4."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dashboards.build import build
from dashboards.drift import differences
from dashboards.house import Json

NPM = Path(__file__).parents[2] / "npm"
PACKAGES = {"12": "@grafana/schema", "9.4": "grafana-schema-9"}
PANEL_TYPES = {
    "stat": "stat/panelcfg/x/StatPanelCfg_types.gen",
    "table": "table/panelcfg/x/TablePanelCfg_types.gen",
    "timeseries": "timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen",
    "state-timeline": "statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen",
    "geomap": "geomap/panelcfg/x/GeomapPanelCfg_types.gen",
}
HEAD = """
type Words<T> = T extends string ? `${T}` : T extends (infer U)[] ? Words<U>[]
    : T extends object ? { [K in keyof T]: Words<T[K]> } : T;
"""
"""An enum's members are written as their strings in JSON."""


def reduced(document: dict[str, Any], version: str) -> dict[str, Any]:
    """Return a dashboard without what its type leaves to the data source's plugin, or does not know at all."""
    document["id"] = 0  # the type wants a number; Grafana takes null for "new"
    for annotation in document["annotations"]["list"]:
        del annotation["target"], annotation["rawQuery"]
    for variable in document["templating"]["list"]:
        del variable["definition"]
    if version != "12":
        # Types of its run-time state, not of the files it reads: they want fields that it sets itself.
        for unlike_the_file in ("timepicker", "weekStart", "panels", "templating", "annotations"):
            del document[unlike_the_file]
    else:
        for panel in document["panels"]:
            for layer in panel["options"].get("layers", ()):
                del layer["query"]  # what 9.4 calls filterData
            for legacy in ("footer", "showHeader", "cellHeight"):
                panel["options"].pop(legacy, None)
    return document


def typed_source(version: str) -> str:
    """Return TypeScript that states each dashboard, and each panel's options, as literals of Grafana's types."""
    package = PACKAGES[version]
    lines = [f'import type {{ Dashboard }} from "{package}";', HEAD]
    names = {kind: f"Options{number}" for number, kind in enumerate(PANEL_TYPES)} if version == "12" else {}
    for kind, name in names.items():
        path = f"./node_modules/{package}/dist/types/raw/composable/{PANEL_TYPES[kind]}"
        lines.append(f'import type {{ Options as {name} }} from "{path}";')
    for number, text in enumerate(build().values()):
        document = reduced(json.loads(text), version)
        lines.append(f"export const d{number}: Partial<Words<Dashboard>> = {json.dumps(document)};")
        for index, panel in enumerate(document.get("panels", ())):
            options = f"Partial<Words<{names[panel['type']]}>>"
            lines.append(f"export const o{number}_{index}: {options} = {json.dumps(panel['options'])};")
    return "\n".join(lines) + "\n"


@pytest.mark.slow
@pytest.mark.parametrize("version", sorted(PACKAGES))
def test_dashboards_have_grafanas_types(version: str, tmp_path: Path) -> None:
    compiler = NPM / "node_modules/.bin/tsc"
    if not compiler.exists():
        pytest.skip("TypeScript and @grafana/schema are missing: run `npm ci` in tests/npm")
    (tmp_path / "node_modules").symlink_to(NPM / "node_modules")
    source = tmp_path / "dashboards.ts"
    source.write_text(typed_source(version), encoding="utf-8")
    command = [str(compiler), "--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "esnext"]
    done = subprocess.run(
        [*command, "--moduleResolution", "bundler", str(source)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[:4000]


DEFAULTS = """
import {createRequire} from 'node:module'
const here = process.argv[1]
const require = createRequire(here + '/package.json')
const panels = {}
for (const [type, file] of Object.entries(JSON.parse(process.argv[2]))) {
  panels[type] = {...await import(`${here}/node_modules/@grafana/schema/dist/esm/raw/composable/${file}.js`)}
}
console.log(JSON.stringify({'12': require('@grafana/schema'), '9.4': require('grafana-schema-9'), panels}))
"""


def grafanas_defaults() -> Json:
    """Return the `default...` objects of both versions, and of 12 those of our kinds of panels."""
    if not (NPM / "node_modules/@grafana/schema").exists():
        pytest.skip("@grafana/schema is missing: run `npm ci` in tests/npm")
    command = ["node", "--input-type=module", "--eval", DEFAULTS, str(NPM), json.dumps(PANEL_TYPES)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: Json = json.loads(done.stdout)
    return found


def test_grafanas_own_defaults_are_no_difference() -> None:
    found = grafanas_defaults()
    for version in PACKAGES:
        of = found[version]
        board = of["defaultDashboard"] | {
            "annotations": {"list": [of["defaultAnnotationQuery"]]},
            "templating": {"list": [of["defaultVariableModel"]]},
            "timepicker": of.get("defaultTimePickerConfig", {}),
            "links": [of["defaultDashboardLink"]],
            "panels": [{"type": type_, **of["defaultPanel"]} for type_ in found["panels"]],
        }
        assert board["editable"] is True
        lists = {"annotations": {"list": [{}]}, "templating": {"list": [{}]}, "links": [{}]}
        assert differences(lists | {"panels": [{"type": type_} for type_ in found["panels"]]}, board) == [], version
        custom = {"type": "table", "fieldConfig": {"defaults": {"custom": of["defaultTableFieldOptions"]}}}
        assert differences({"panels": [{"type": "table"}]}, {"panels": [custom]}) == []
    for type_, of in found["panels"].items():
        options = of.get("defaultOptions", {}) | ({"view": of["defaultMapViewConfig"]} if type_ == "geomap" else {})
        custom = {"defaults": {"custom": of.get("defaultFieldConfig", {})}}
        assert options or type_ == "timeseries"
        panel = {"type": type_, "options": options, "fieldConfig": custom}
        assert differences({"panels": [{"type": type_}]}, {"panels": [panel]}) == []
