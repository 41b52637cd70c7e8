"""Dashboards as files: the same bytes every time, unique names, nothing that one of the two Grafanas lacks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dashboards import build as building
from dashboards.house import LEVELS, MARKS
from undercroft.errors import BadInput

PANEL_TYPES = {"stat", "table", "timeseries", "state-timeline", "geomap"}
"""Panels that Grafana 9.4 and 12 both have built in."""

DOCUMENTS: dict[str, dict[str, Any]] = {name: json.loads(text) for name, text in building.build().items()}


def test_the_committed_files_are_as_built() -> None:
    building.require_built()


def test_a_stale_a_missing_and_a_foreign_file_are_named(tmp_path: Path) -> None:
    building.write(tmp_path)
    assert building.write(tmp_path) == []
    (tmp_path / "uc-space.json").write_text("{}", encoding="utf-8")
    (tmp_path / "uc-rain.json").unlink()
    (tmp_path / "old.json").write_text("{}", encoding="utf-8")
    with pytest.raises(BadInput, match=r"uc-rain\.json, uc-space\.json, old\.json"):
        building.require_built(tmp_path)
    assert sorted(building.write(tmp_path)) == ["old.json", "uc-rain.json", "uc-space.json"]


def test_uids_and_their_dashboards_never_change() -> None:
    assert {document["uid"]: document["title"].split(" · ")[1] for document in DOCUMENTS.values()} == {
        "uc-alarms": "Alarms",
        "uc-exercise": "Exercise",
        "uc-pipeline": "Pipeline",
        "uc-quality": "Data quality",
        "uc-rain": "Rain and warnings",
        "uc-rewind": "As-of rewind",
        "uc-situation": "Situation",
        "uc-space": "Space",
        "uc-storm": "Storm review",
        "uc-supplies": "Barriers and supplies",
    }


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_panels_do_not_overlap_and_speak_both_languages(name: str) -> None:
    document = DOCUMENTS[name]
    taken: set[tuple[int, int]] = set()
    for panel in document["panels"]:
        assert panel["type"] in PANEL_TYPES
        assert panel["datasource"] == {"type": "postgres", "uid": "undercroft"}
        for text in (panel["title"], panel["fieldConfig"]["defaults"]["noValue"]):
            chinese, _, english = text.partition(" · ")
            assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese), text
            assert english.isascii() or "…" in english, text
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in document["panels"]}) == len(document["panels"])
    assert [variable["name"] for variable in document["templating"]["list"]] == ["district", "street", "kind", "space"]


def test_every_level_has_its_own_shape_colour_and_word() -> None:
    marks = MARKS["level"]
    for field in ("shape", "colour", "sign", "words"):
        assert len({getattr(mark, field) for mark in marks}) == len(marks)
    assert [mark.value for mark in LEVELS] == [0, 1, 2, 3, 4]


def test_each_map_layer_reads_its_own_query_in_either_version() -> None:
    panel = next(panel for panel in DOCUMENTS["uc-situation.json"]["panels"] if panel["type"] == "geomap")
    refs = [target["refId"] for target in panel["targets"]]
    assert [layer["filterData"]["options"] for layer in panel["options"]["layers"]] == refs
    assert [layer["query"]["options"] for layer in panel["options"]["layers"]] == refs
    assert len({layer["config"]["style"]["symbol"]["fixed"] for layer in panel["options"]["layers"]}) == len(refs)
