"""A site survives being written down: as a document, and as TOML."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.undercroft.site_text import SITE_TEXT, changed, write_site
from undercroft.site import load_site, sample_site_path, site_document, site_sha256
from undercroft.site.document import canonical_json, site_from_document
from undercroft.site.model import Site

_HEIGHTS = st.integers(-5_000, 50_000).map(lambda number: number / 1000)
_POSITIVE = st.integers(1, 50_000).map(lambda number: number / 1000)
_NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)


@st.composite
def _entrances(draw: st.DrawFn, number: int, floor_m: float) -> dict[str, Any]:
    roadway_m = round(floor_m + draw(_POSITIVE), 3)
    entrance: dict[str, Any] = {
        "id": f"e{number}",
        "name_zh": draw(_NAMES),
        "name_en": draw(_NAMES),
        "width_m": draw(st.floats(0.3, 60.0)),
        "roadway_level_m": roadway_m,
        "crest_level_m": round(roadway_m + draw(st.integers(0, 2000)) / 1000, 3),
        "barrier_needed": draw(st.booleans()),
    }
    if draw(st.booleans()):
        entrance["barrier"] = {"height_m": draw(st.sampled_from([0.5, 1.2])), "deploy_min": draw(st.integers(0, 60))}
    return entrance


@st.composite
def _spaces(draw: st.DrawFn, number: int) -> dict[str, Any]:
    floor_m = draw(_HEIGHTS)
    entrances = [draw(_entrances(i, floor_m)) for i in range(draw(st.integers(1, 3)))]
    depths = sorted(draw(st.sets(_POSITIVE, max_size=4)))
    return {
        "id": f"s{number}",
        "name_zh": draw(_NAMES),
        "name_en": f"{draw(_NAMES)} {number}",  # no two places have the same name
        "street": draw(_NAMES.filter(lambda name: '"' not in name)),
        "lat": draw(st.floats(-90, 90).filter(bool)),  # at 0, 0 is no place
        "lon": draw(st.floats(-180, 180)),
        "kind": draw(st.sampled_from(["car_park", "metro_entrance", "underpass", "mall", "civil_defence"])),
        "basin": "b",
        "floor_level_m": floor_m,
        "ceiling_height_m": max([3.0, *depths]),
        "storage": [{"depth_m": depth, "area_m2": draw(_POSITIVE)} for depth in (0, *depths)],
        "entrances": entrances,
        "devices": [
            {"id": f"s{number}-{e['id']}", "sensors": [{"quantity": "water_depth_m", "entrance": e["id"]}]}
            for e in entrances
        ],
        "stock": [{"item": "sandbag", "quantity": draw(st.integers(0, 1000))}],
        "exposure": {"people_day": draw(st.integers(0, 1000)), "power_room": draw(st.booleans())},
    }


@st.composite
def _documents(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "district": {"id": "d", "name_zh": "区", "name_en": draw(_NAMES), "datum": "local zero"},
        "basin": [{"id": "b", "name_zh": "片", "name_en": "B"}],
        "space": [draw(_spaces(number)) for number in range(draw(st.integers(1, 3)))],
    }


def _toml_value(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml_value(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml_value, value)) + "]"
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False)


def _as_toml(document: dict[str, Any]) -> str:
    return "".join(f"{key} = {_toml_value(value)}\n" for key, value in document.items())


@given(_documents())
@settings(max_examples=50, deadline=None)
def test_toml_to_site_to_document_to_site(document: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        site = load_site(write_site(Path(folder), _as_toml(document)))
        again = load_site(write_site(Path(folder), _as_toml(_without_none(site_document(site)))))

    assert site_from_document(json.loads(canonical_json(site))) == site
    assert again == site
    assert site_sha256(again) == site_sha256(site)
    assert site.spaces[0].floor_level_m == document["space"][0]["floor_level_m"]
    assert [e.name_zh for s in site.spaces for e in s.entrances] == [
        e["name_zh"] for s in document["space"] for e in s["entrances"]
    ]


def _without_none(value: Any) -> Any:
    """TOML has no null: what is None in the document is absent in a file."""
    if isinstance(value, dict):
        return {key: _without_none(inner) for key, inner in value.items() if inner is not None}
    return [_without_none(inner) for inner in value] if isinstance(value, list) else value


def _hash_of(tmp_path: Path, text: str) -> str:
    return site_sha256(load_site(write_site(tmp_path, text)))


def test_fingerprint_follows_what_is_said_not_how(tmp_path: Path) -> None:
    before = _hash_of(tmp_path, SITE_TEXT)

    assert _hash_of(tmp_path, "# a comment\n" + SITE_TEXT) == before
    assert _hash_of(tmp_path, changed("width_m = 6", "width_m = 6.0")) == before
    assert _hash_of(tmp_path, changed("width_m = 6", "width_m = 6\nbarrier_needed = true")) == before
    assert _hash_of(tmp_path, changed("2026-07-01T08:00:00+08:00", "2026-07-01T00:00:00Z")) == before
    assert _hash_of(tmp_path, changed("width_m = 6", "width_m = 6.001")) != before


def test_sample_survives() -> None:
    site: Site = load_site(sample_site_path())
    assert site_from_document(site_document(site)) == site
