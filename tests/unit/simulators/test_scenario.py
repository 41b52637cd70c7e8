"""Scenario files: what is refused, and how it is said."""

from __future__ import annotations

import json
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from simulators.scenario import NestedStorm, TableStorm
from simulators.scenario_file import (
    builtin_scenarios,
    load_scenario,
    packaged_schema_text,
    parse_scenario,
    schema_text,
)
from undercroft.errors import ScenarioInvalid

GOOD = """\
[run]
name = "small"
label = "A small storm"
start = 2026-07-01T12:00:00+08:00
hours = 3

[storm]
kind = "chicago"
start = 2026-07-01T12:30:00+08:00
return_period_years = 5

[[act]]
kind = "deploy_barrier"
at = 2026-07-01T12:45:00+08:00

[[fault]]
kind = "stuck"
device = "tank-1"
at = 2026-07-01T12:45:00+08:00

[expect]
red_spaces_at_least = 1
"""


def test_good_file_is_read() -> None:
    scenario = parse_scenario(GOOD, "x.toml")
    assert scenario.minutes == 180
    assert scenario.rain().start_min == 30
    assert scenario.rain().total_mm == pytest.approx(98.7, abs=0.05)  # 120 min, 5 years
    assert scenario.expect.red_spaces_at_least == 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[storm]", "[storms]", "x.toml:7: storms: not a name that is known here (and 1 more)"),
        ("hours = 3", "hours = 0", "x.toml:5: run.hours: Input should be greater than or equal to 1, got 0"),
        ("hours = 3", 'hours = "2 h"', "x.toml:5: run.hours: Input should be a valid integer"),
        ('label = "A small storm"\n', "", "x.toml:1: run.label: Field required"),
        ('kind = "chicago"', 'kind = "drizzle"', "x.toml:7: storm: Input tag 'drizzle'"),
        (
            "return_period_years = 5",
            "return_period_years = 5\nwetness = 1",
            "x.toml:11: storm.wetness: not a name that is known",
        ),
        ("start = 2026-07-01T12:00:00+08:00", "start = 2026-07-01T12:00:00", "x.toml:4: run.start: Input should have"),
        ("start = 2026-07-01T12:00:00+08:00", "start = 2026-07-01T12:00:30+08:00", "x.toml:4: run.start: a run starts"),
        ('"deploy_barrier"', '"deploy_barrier"\nshare = 1.5', "x.toml:14: act[0].share: Input should be less"),
        ('device = "tank-1"', 'device = "Tank 1"', "x.toml:18: fault[0].device: String should match pattern"),
        (
            "12:45:00+08:00\n\n[[fault",
            "18:45:00+08:00\n\n[[fault",
            "x.toml:14: act[0].at: expected a time within the 3 hours from 2026",
        ),
        ("hours = 3", "hours = ", "x.toml:5: not valid TOML: Invalid value"),
        ("red_spaces_at_least = 1", "red_spaces_at_least = -1", "x.toml:22: expect.red_spaces_at_least"),
    ],
)
def test_mistakes_are_told_in_one_line(old: str, new: str, said: str) -> None:
    text = GOOD.replace(old, new, 1)
    assert text != GOOD
    with pytest.raises(ScenarioInvalid) as caught:
        parse_scenario(text, "x.toml")
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_maxima_must_nest() -> None:
    nested: dict[str, Any] = {
        "kind": "nested",
        "start": "2026-07-01T12:00:00+08:00",
        "peak_at": "2026-07-01T12:30:00+08:00",
        "hours": 2,
    }
    for maxima in ([[2, 80.0]], [[1, 80.0], [2, 70.0]], [[1, 80.0]]):
        with pytest.raises(ValueError, match="maxima_mm"):
            NestedStorm.model_validate({**nested, "maxima_mm": maxima})


def test_missing_file_names_what_is_built_in() -> None:
    with pytest.raises(ScenarioInvalid, match=r"storm\.toml: no such scenario or file; built in are dry-day, shenzhen"):
        load_scenario("storm.toml")


def test_file_that_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_bytes(b"[run]\n# \xff\n")
    with pytest.raises(ScenarioInvalid, match=r"s\.toml:2: found byte 0xff, expected UTF-8 text"):
        load_scenario(str(path))
    with pytest.raises(ScenarioInvalid, match="cannot be read: Is a directory"):
        load_scenario(str(tmp_path))


@pytest.mark.parametrize("name", ["", " "])
def test_no_name_is_no_scenario(name: str) -> None:
    with pytest.raises(ScenarioInvalid, match="no such scenario or file; built in are dry-day"):
        load_scenario(name)


def test_rain_beyond_nature_is_a_slip() -> None:
    table = {"kind": "table", "start": "2026-07-01T12:00:00+08:00", "step_min": 5}
    with pytest.raises(ValueError, match="less than or equal to 2000"):
        TableStorm.model_validate({**table, "rates_mm_h": [10.0, 1e9]})
    assert TableStorm.model_validate({**table, "rates_mm_h": [2000.0]}).rates_mm_h == (2000.0,)


def test_built_in_scenarios_keep_to_the_shipped_schema() -> None:
    assert packaged_schema_text() == schema_text()
    schema = json.loads(schema_text())
    for name in builtin_scenarios():
        text = (files("simulators") / "scenarios" / f"{name}.toml").read_text(encoding="utf-8")
        document = json.loads(json.dumps(tomllib.loads(text), default=lambda value: value.isoformat()))
        jsonschema.validate(document, schema, format_checker=jsonschema.FormatChecker())


def test_built_in_scenarios_cover_a_day_and_say_that_they_are_reconstructed() -> None:
    assert builtin_scenarios() == ["dry-day", "shenzhen-2023-09-07", "shenzhen-2023-09-07-envelope"]
    for name in builtin_scenarios():
        scenario = load_scenario(name)
        assert scenario.run.name == name
        assert scenario.run.hours == 24
        assert ("reconstructed" in scenario.run.label) == (name != "dry-day")
