"""The dashboards' JSON against Grafana's own TypeScript types, of 12 and of 9.4."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dashboards.build import build

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
