"""Dashboards as files: the same bytes every time, unique names, nothing that one of the two Grafanas lacks."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from dashboards import build as building
from dashboards.house import BLIND, GREY, LEVELS, MARKS, SKY
from dashboards.words import WORDS
from duty.model import Reason
from duty.orders.orders import OrderState, Proof
from risk.output import CLEARED, RAISED, REASON_ADDED, SEVERITY_DOWN, SEVERITY_UP
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
    last = "place" if name == "uc-space.json" else "space"
    assert [variable["name"] for variable in document["templating"]["list"]] == ["district", "street", "kind", last]


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


def shown_colour(panel: dict[str, Any], column: str, value: float | None) -> str:
    """Return the colour of a value in a stat panel, as Grafana finds it: mapping, threshold, its own green and red."""
    properties = next(
        {item["id"]: item["value"] for item in override["properties"]}
        for override in panel["fieldConfig"]["overrides"]
        if override["matcher"]["options"] == column
    )
    for mapping in properties.get("mappings", ()):
        if mapping["type"] == "special" and value is None:
            return str(mapping["options"]["result"]["color"])
        if mapping["type"] == "value" and value is not None and f"{value:g}" in mapping["options"]:
            return str(mapping["options"][f"{value:g}"]["color"])
    thresholds = properties.get(
        "thresholds", {"steps": [{"value": None, "color": "green"}, {"value": 80, "color": "red"}]}
    )
    low = float("-inf")
    reached = [s["color"] for s in thresholds["steps"] if (low if s["value"] is None else s["value"]) <= (value or 0)]
    return str(reached[-1])


def test_a_line_goes_on_where_only_other_series_spoke_and_ends_in_silence() -> None:
    """Grafana puts series of unlike times into one table with gaps; without a span each point would stand alone."""
    found = {}
    for document in DOCUMENTS.values():
        for panel in (panel for panel in document["panels"] if panel["type"] == "timeseries"):
            found[panel["title"].split(" · ")[1]] = panel["fieldConfig"]["defaults"]["custom"]["spanNulls"] / 60_000
    assert set(found.values()) == {10, 30}
    assert {name for name, minutes in found.items() if minutes == 10} == {
        "Rain", "Minutes to orange and red", "Nowcast band",
    }  # fmt: skip
    crests = stats("uc-space", "Levels and crests")["fieldConfig"]["overrides"]
    assert {"id": "custom.spanNulls", "value": True} in crests[0]["properties"], "two points at the ends of the range"
    assert re.search(crests[0]["matcher"]["options"].strip("/"), "门槛 Crest 北 North")


def test_a_code_is_shown_in_both_languages() -> None:
    """Every state that an order, a message or the engine's alarm can have, and what may be asked for, has its words."""
    assert set(WORDS["order"]) == set(OrderState)
    assert set(WORDS["proof"]) == set(Proof)
    assert set(WORDS["message_reason"]) == set(Reason)
    assert {RAISED, SEVERITY_UP, SEVERITY_DOWN, REASON_ADDED, CLEARED} < set(WORDS["alarm_event"])
    for words in WORDS.values():
        for zh, en in words.values():
            assert any("\u4e00" <= letter <= "\u9fff" for letter in zh), (zh, en)
            assert en.isascii(), (zh, en)
            assert "{" not in zh + en
    shown = {
        override["matcher"]["options"]: item["value"][0]["options"]
        for override in stats("uc-alarms", "owners and who leads")["fieldConfig"]["overrides"]
        for item in override["properties"]
        if item["id"] == "mappings"
    }
    assert shown["state"]["confirmed"]["text"] == "已确认 confirmed"
    assert shown["proof"]["pump_running"]["text"] == "启泵 run pumps"


def test_lines_of_levels_differ_without_their_colour() -> None:
    for uid, title in (("uc-space", "Minutes to orange and red"), ("uc-situation", "Yellow or worse")):
        styles = [
            (item["value"]["fill"], override["matcher"]["options"])
            for override in stats(uid, title)["fieldConfig"]["overrides"]
            for item in override["properties"]
            if item["id"] == "custom.lineStyle"
        ]
        assert styles == [("dot", "/^▲ /"), ("dash", "/^★ /"), ("solid", "/^✚ /")]


def stats(uid: str, title: str) -> dict[str, Any]:
    return next(panel for panel in DOCUMENTS[f"{uid}.json"]["panels"] if panel["title"].endswith(title))


GREEN, ORANGE, RED, NEUTRAL = "#009E73", "#E69F00", "#D55E00", "text"


@pytest.mark.parametrize(
    ("uid", "title", "column", "value", "colour"),
    [
        ("uc-situation", "Spaces per level", "red", 3, LEVELS[4].colour),
        ("uc-situation", "Spaces per level", "red", 0, GREY),
        ("uc-situation", "Spaces per level", "orange", 1, LEVELS[3].colour),
        ("uc-situation", "Spaces per level", "normal", 480, LEVELS[0].colour),
        ("uc-situation", "Spaces per level", "not_judged", 500, BLIND.colour),
        ("uc-situation", "Spaces per level", "blind_share", 0.5, BLIND.colour),
        ("uc-situation", "Spaces per level", "worst_age_s", None, GREY),
        ("uc-situation", "State of the data", "state", 0, GREEN),
        ("uc-situation", "State of the data", "state", 2, RED),
        ("uc-situation", "State of the data", "state", 3, RED),
        ("uc-situation", "State of the data", "state", 6, SKY),
        ("uc-situation", "Age of the data", "tick_age_s", 10, GREEN),
        ("uc-situation", "Age of the data", "tick_age_s", 400, ORANGE),
        ("uc-situation", "Age of the data", "tick_age_s", None, GREY),
        ("uc-alarms", "Load", "raised", 200, NEUTRAL),
        ("uc-alarms", "Load", "worst_10_min", 1, GREEN),
        ("uc-alarms", "Load", "worst_10_min", 10, RED),
        ("uc-alarms", "Load", "unacknowledged", 1, ORANGE),
        ("uc-alarms", "Orders", "late", 1, RED),
        ("uc-alarms", "Orders", "oldest_late_age_s", 200, ORANGE),
        ("uc-alarms", "Orders", "oldest_late_age_s", 901, RED),
        ("uc-alarms", "Orders", "oldest_late_age_s", None, GREY),
        ("uc-alarms", "Reports", "longest_missing_age_s", 60, ORANGE),
        ("uc-alarms", "Messages", "oldest_waiting_age_s", 1000, RED),
        ("uc-alarms", "Load", "oldest_open_age_s", 10, ORANGE),
        ("uc-alarms", "Open alarms", "age_s", 10, ORANGE),
        ("uc-alarms", "their clocks", "missing_age_s", 2000, RED),
        ("uc-quality", "Silent sensors", "age_s", 10, ORANGE),
        ("uc-space", "Thresholds", "valid_age_s", 10, NEUTRAL),
        ("uc-rewind", "Readings known then", "age_s", 10, GREEN),
        ("uc-supplies", "Barriers", "coverage", 0.4, RED),
        ("uc-supplies", "Barriers", "coverage", 1, GREEN),
        ("uc-supplies", "Barriers", "needed", 90, NEUTRAL),
        ("uc-pipeline", "Now", "stored", 100_000, NEUTRAL),
        ("uc-pipeline", "Now", "dead_letters", 1, ORANGE),
    ],
)
def test_a_value_has_the_colour_of_what_it_means(
    uid: str, title: str, column: str, value: float | None, colour: str
) -> None:
    assert shown_colour(stats(uid, title), column, value) == colour


def test_no_stat_leaves_its_colours_to_grafana() -> None:
    for document in DOCUMENTS.values():
        for panel in (panel for panel in document["panels"] if panel["type"] == "stat"):
            assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"][0]["color"] in {GREY, RED}
            for override in panel["fieldConfig"]["overrides"]:
                assert {"thresholds", "color"} <= {item["id"] for item in override["properties"]}, panel["title"]


def test_annotations_have_the_levels_colours_and_stay_with_the_chosen_space() -> None:
    listed = {entry["name"]: entry for entry in DOCUMENTS["uc-space.json"]["annotations"]["list"]}
    for level in (2, 3, 4):
        mark = LEVELS[level]
        entry = next(entry for name, entry in listed.items() if name.startswith(mark.sign) and mark.words in name)
        assert entry["iconColor"] == mark.colour
        assert f"e.severity = {level}" in entry["rawQuery"]
    assert any("order_step" in entry["rawQuery"] for entry in listed.values())
    for entry in listed.values():
        assert ".space_id = any(array[${place:sqlstring}]" in entry["rawQuery"]
        assert "${space:" not in entry["rawQuery"]


def test_a_link_between_boards_never_puts_all_spaces_where_one_stands() -> None:
    """Boards' links carry every variable by name: one name may not be "All" on one board and one value on another."""
    kinds: dict[str, set[tuple[bool, bool]]] = {}
    for document in DOCUMENTS.values():
        assert document["links"][0]["includeVars"]
        for variable in document["templating"]["list"]:
            kinds.setdefault(variable["name"], set()).add((variable["includeAll"], variable["multi"]))
        asked = set(re.findall(r"\$\{(\w+):", json.dumps(document)))
        assert asked <= {variable["name"] for variable in document["templating"]["list"]}, document["uid"]
    assert {name: len(found) for name, found in kinds.items()} == dict.fromkeys(kinds, 1)
    assert kinds["place"] == {(False, False)}


@pytest.mark.parametrize(
    ("uid", "title"),
    [("uc-situation", "Worst 25"), ("uc-situation", "Map"), ("uc-quality", "Blind spaces"), ("uc-storm", "times")],
)
def test_a_listed_space_opens_its_own_board(uid: str, title: str) -> None:
    panel = stats(uid, title)
    first = panel["fieldConfig"]["overrides"][0]
    assert first["matcher"]["options"] == "name"
    (links,) = [item["value"] for item in first["properties"] if item["id"] == "links"]
    (asked,) = re.findall(
        r"^/d/uc-space\?var-place=\$\{__data\.fields\.(\w+)\}&\$\{__url_time_range\}$", links[0]["url"]
    )
    assert all(f"s.{asked}\n" in target["rawSql"] for target in panel["targets"])


def test_a_panel_that_the_variables_do_not_change_says_so() -> None:
    for document in DOCUMENTS.values():
        for panel in document["panels"]:
            is_filtered = all("${" in target["rawSql"] for target in panel["targets"])
            assert is_filtered != ("不随筛选变化" in panel["description"]), panel["title"]
