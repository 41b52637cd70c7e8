"""The JSON Schema of ``site.toml``, made from the models, and what it expects at a path, in words."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from undercroft.site.lines import Path
from undercroft.site.model import Site

Schema = dict[str, Any]

SCHEMA_FILE = "site.schema.json"


@cache
def site_schema() -> Schema:
    """Return the schema. TOML has no null, so an optional field may be absent but never null."""
    schema = _without_null(Site.model_json_schema(by_alias=True))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Undercroft site file (site.toml)",
    }


def _without_null(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_null(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {key: _without_null(value) for key, value in node.items() if not (key == "default" and value is None)}
    variants = kept.get("anyOf")
    if variants is not None:
        real = [variant for variant in variants if variant != {"type": "null"}]
        if len(real) == 1:
            del kept["anyOf"]
            kept = {**real[0], **kept}
    return kept


def schema_text() -> str:
    """Return the text of the schema file."""
    return json.dumps(site_schema(), ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def packaged_schema_text() -> str:
    """Return the schema file as it is shipped."""
    return (files("undercroft.site") / SCHEMA_FILE).read_text(encoding="utf-8")


def expected_at(path: Path) -> str:
    """Say in words what belongs at a path."""
    schema = site_schema()
    for step in path:
        schema = _child(schema, step)
    return _in_words(schema)


def _resolved(schema: Schema) -> Schema:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    return {**site_schema()["$defs"][reference.rsplit("/", 1)[-1]], **schema}


def _child(schema: Schema, step: str | int) -> Schema:
    schema = _resolved(schema)
    if isinstance(step, int):
        items: Schema = schema.get("items", {})
        return items
    child: Schema = schema.get("properties", {}).get(step, {})
    return child


def fields_at(path: Path) -> list[str]:
    """Name the fields that a table at this path may have."""
    schema = site_schema()
    for step in path:
        schema = _child(schema, step)
    return list(_resolved(schema).get("properties", {}))


def _in_words(schema: Schema) -> str:  # noqa: PLR0911 - one line per JSON type
    schema = _resolved(schema)
    if "enum" in schema:
        return "one of " + ", ".join(schema["enum"])
    match schema.get("type"):
        case "number":
            return "a number" + _range_in_words(schema)
        case "integer":
            return "a whole number" + _range_in_words(schema)
        case "boolean":
            return "true or false"
        case "array":
            return "a list" + (f" of at least {schema['minItems']}" if "minItems" in schema else "")
        case "object":
            return "a table"
        case "string":
            return _text_in_words(schema)
    return "nothing here"


def _range_in_words(schema: Schema) -> str:
    if "minimum" in schema and "maximum" in schema:
        return f" from {schema['minimum']:g} to {schema['maximum']:g}"
    if "minimum" in schema:
        return f" of at least {schema['minimum']:g}"
    if "exclusiveMinimum" in schema:
        most = f", at most {schema['maximum']:g}" if "maximum" in schema else ""
        return f" above {schema['exclusiveMinimum']:g}{most}"
    return ""


def _text_in_words(schema: Schema) -> str:
    if "pattern" in schema:
        return "1 to 40 lower-case letters, digits and '-', not starting with '-'"
    if schema.get("format") == "date-time":
        return "a date and time with offset, such as 2026-07-01T00:00:00+08:00"
    if "maxLength" in schema:
        return f"a text of {schema.get('minLength', 0)} to {schema['maxLength']} characters"
    return "a text"
