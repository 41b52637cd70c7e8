"""The JSON Schema in the repository is that of the models, and says about the sample what the models say."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.unit.undercroft.site_text import SITE_TEXT, changed
from undercroft.site.lines import Path
from undercroft.site.load import sample_site_path
from undercroft.site.schema import expected_at, fields_at, packaged_schema_text, schema_text, site_schema


def _document(text: str) -> dict[str, Any]:
    return json.loads(json.dumps(tomllib.loads(text), default=lambda value: value.isoformat()))  # type: ignore[no-any-return]


def _errors(text: str) -> list[Path]:
    validator = Draft202012Validator(json.loads(packaged_schema_text()))
    return [tuple(error.absolute_path) for error in validator.iter_errors(_document(text))]


def test_schema_file_is_up_to_date() -> None:
    assert packaged_schema_text() == schema_text(), "write it again: undercroft.site.schema.schema_text()"
    Draft202012Validator.check_schema(json.loads(packaged_schema_text()))


def test_sample_and_the_small_site_fit_the_schema() -> None:
    assert _errors(sample_site_path().read_text(encoding="utf-8")) == []
    assert _errors(SITE_TEXT) == []


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("width_m = 6", 'width_m = "6"', ("space", 0, "entrances", 0, "width_m")),
        ("width_m = 6", "width_m = 6\nwdth_m = 6", ("space", 0, "entrances", 0)),
        ('kind = "car_park"', 'kind = "garage"', ("space", 0, "kind")),
        ("lat = 22.5", "lat = 91", ("space", 0, "lat")),
        ('id = "s1"', 'id = "S1"', ("space", 0, "id")),
    ],
)
def test_schema_refuses_what_the_models_refuse(old: str, new: str, path: Path) -> None:
    assert _errors(changed(old, new)) == [path]


def _field_paths(path: Path = ()) -> Iterator[Path]:
    for name in fields_at(path):
        yield (*path, name)
        yield from _field_paths((*path, name))
        yield from _field_paths((*path, name, 0))


def test_every_field_is_expected_to_be_something() -> None:
    paths = list(_field_paths())
    assert ("space", 0, "entrances", 0, "barrier", "height_m") in paths
    assert [path for path in paths if expected_at(path) == "nothing here"] == []
    assert expected_at(("space", 0, "colour")) == "nothing here"


def test_no_field_may_be_null() -> None:
    assert '"null"' not in json.dumps(site_schema())


def test_every_number_has_a_least_and_a_most() -> None:
    def numbers(node: Any, path: str) -> Iterator[str]:
        if isinstance(node, list):
            for item in node:
                yield from numbers(item, path)
        if not isinstance(node, dict):
            return
        if node.get("type") in {"number", "integer"}:
            bounded = "maximum" in node and ("minimum" in node or "exclusiveMinimum" in node)
            yield f"{path}: {'bounded' if bounded else 'unbounded'}"
        for name, child in node.items():
            yield from numbers(child, f"{path}.{name}" if path else name)

    found = list(numbers(site_schema(), ""))
    assert len(found) > 20
    assert [line for line in found if "unbounded" in line] == []
