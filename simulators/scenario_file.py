"""Scenario files: built-in ones by name, others by path, and their mistakes told by line and field."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from simulators.scenario import Scenario
from undercroft.errors import ScenarioInvalid
from undercroft.site.lines import LineIndex
from undercroft.site.lines import Path as KeyPath
from undercroft.toml_text import parse_toml, read_text

SCHEMA_FILE = "scenario.schema.json"
_UNKNOWN = "extra_forbidden"


def builtin_scenarios() -> list[str]:
    """Name the scenarios that come with the product."""
    folder = files("simulators") / "scenarios"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def load_scenario(name_or_file: str) -> Scenario:
    """Return a built-in scenario by name, or the one in a file.

    Raises
    ------
    ScenarioInvalid
        If there is no such scenario, or the file is not one; one line names file, line, field and what was expected.
    """
    if name_or_file in builtin_scenarios():
        text = (files("simulators") / "scenarios" / f"{name_or_file}.toml").read_text(encoding="utf-8")
        return parse_scenario(text, f"{name_or_file}.toml")
    path = Path(name_or_file)
    if not name_or_file.strip() or not path.exists():
        known = ", ".join(builtin_scenarios())
        raise ScenarioInvalid(f"{name_or_file.strip() or 'no name'}: no such scenario or file; built in are {known}")
    return parse_scenario(read_text(path, ScenarioInvalid), str(path))


def parse_scenario(text: str, file: str) -> Scenario:
    """Return the scenario in a TOML text; ``file`` is its name in messages."""
    document = parse_toml(text, file, ScenarioInvalid)
    try:
        scenario = Scenario.model_validate(document)
    except ValidationError as error:
        raise ScenarioInvalid(_one_line(error, LineIndex(text), file)) from error
    for path in scenario.misplaced_times():
        expected = f"a time within the {scenario.run.hours} hours from {scenario.run.start}"
        raise ScenarioInvalid(f"{file}:{LineIndex(text).line_of(path)}: {_field(path)}: expected {expected}")
    return scenario


def _one_line(error: ValidationError, lines: LineIndex, file: str) -> str:
    # A misspelt name leaves the right one missing, too: the line that holds it is the one to mend.
    first, *_ = sorted(error.errors(include_url=False), key=lambda details: details["type"] != _UNKNOWN)
    path = _document_path(first["loc"])
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    got = "" if first["type"] in {"missing", "value_error", _UNKNOWN} else f", got {_shortened(first['input'])}"
    expected = "not a name that is known here" if first["type"] == _UNKNOWN else first["msg"]
    expected = expected.removeprefix("Value error, ")
    return f"{file}:{lines.line_of(path)}: {_field(path) or 'scenario'}: {expected}{got}{more}"


def _document_path(location: tuple[int | str, ...]) -> KeyPath:
    """Drop the tags that pydantic puts into the path of a part told apart by its ``kind``."""
    if location[:1] == ("storm",):
        return ("storm", *location[2:])
    if location[:1] in {("act",), ("fault",)}:
        return (*location[:2], *location[3:])
    return location


def _field(path: KeyPath) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def _shortened(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def schema_text() -> str:
    """Return the text of the JSON Schema of scenario files."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Scenario.model_json_schema(by_alias=True),
        "title": "Undercroft scenario file",
    }
    return json.dumps(schema, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def packaged_schema_text() -> str:
    """Return the schema file as it is shipped."""
    return (files("simulators") / SCHEMA_FILE).read_text(encoding="utf-8")
