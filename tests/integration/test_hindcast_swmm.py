"""``undercroft hindcast swmm``: SWMM, virtual sensors and the engine's tick together."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from pydantic import TypeAdapter
from typer.testing import CliRunner

from risk.hindcast.scores import Contingency
from simulators.hindcast.report import report
from simulators.hindcast.run import StormResult, run_storm
from simulators.scenario import Scenario
from simulators.scenario_file import parse_scenario
from tests.unit.simulators.districts import a_site
from undercroft.cli import build_app
from undercroft.errors import BadInput
from undercroft.site.model import ThresholdSet

HARD = """\
[run]
name = "hard"
label = "Hard"
start = 2026-07-01T12:00:00+08:00
hours = 3

[storm]
kind = "table"
start = 2026-07-01T12:30:00+08:00
step_min = 60
rates_mm_h = [200.0]
"""
DEPLOYED = '[[act]]\nkind = "deploy_barrier"\nat = 2026-07-01T12:05:00+08:00\n'
SILENT_INSIDE = '[[fault]]\nkind = "dropout"\nat = 2026-07-01T12:00:00+08:00\ndevice = "garage-00-in"\n'


def hard(*parts: str) -> Scenario:
    return parse_scenario(HARD + "\n".join(parts), "hard.toml")


def ran(*parts: str) -> StormResult:
    return run_storm(a_site(2), hard(*parts), "hard")


def test_open_ramps_flood_and_are_foreseen() -> None:
    """200 mm in an hour on 8,000 m²: far more than any drain takes; the ramp's crest is 15 cm over the road."""
    for space in ran().spaces:
        truth = space.truth
        assert truth.first_wet_s < truth.orange_s < truth.red_s
        assert truth.barrier_open
        assert truth.alarm_orange_s <= truth.orange_s
        assert truth.alarm_red_s <= truth.red_s


def test_closed_barriers_keep_the_truth_from_red() -> None:
    """60 cm of barrier on 15 and 19 cm of crest: the street spills at 80 cm, less than 5 cm over the top."""
    spaces = ran(DEPLOYED).spaces
    assert all(space.truth.red_s != space.truth.red_s for space in spaces)
    assert not any(space.truth.barrier_open for space in spaces)


def test_a_silent_sensor_is_told_apart() -> None:
    assert [space.silent for space in ran(SILENT_INSIDE).spaces] == [True, False]


def test_parts_add_up_and_missed_reds_are_named() -> None:
    result = ran()
    told = report([result, ran(DEPLOYED)])
    parts = {part["name"]: part for part in told["parts"]}
    tables = [
        Contingency(*(parts[name]["red"][key] for key in ("hits", "misses", "false_alarms", "quiet")))
        for name in ("all", "every level sensor heard", "a level sensor silent")
    ]
    assert tables[0] == tables[1] + tables[2]
    assert (tables[0].hits, tables[0].misses) == (2, 0)
    assert parts["all"]["cases"] == 4
    assert told["missed_red"] == []
    scored = {(entry["severity"], entry["within_min"]): entry for entry in told["probabilities"]}
    assert set(scored) == {(name, within) for name in ("orange", "red") for within in (15.0, 30.0, 60.0)}
    assert all(0.0 <= entry["brier"] <= 1.0 for entry in scored.values())


def test_the_command_as_its_user_sees_it(tmp_path: Path) -> None:
    out = tmp_path / "rows.csv"
    words = ["hindcast", "swmm", "--storms", "5-years", "--json", "--out", str(out)]
    result = CliRunner().invoke(build_app("hindcast"), words)
    assert result.exit_code == 0, (result.output, result.exception)
    told = json.loads(result.stdout)
    assert (told["storms"], told["spaces"], told["parts"][0]["cases"]) == (1, 40, 40)
    assert "1/1  5-years, seed 1" in result.stderr
    with out.open() as file:
        rows = list(csv.DictReader(file))
    reds = [row for row in rows if row["red_s"]]
    assert len(rows) == 40
    assert len(reds) == told["parts"][0]["red"]["hits"] + told["parts"][0]["red"]["misses"]


def test_other_thresholds_change_the_engine_and_not_the_truth() -> None:
    """Orange with 2 m left to the crest: from the first wet reading, red as its barrier stands open; same water."""
    far = {"rule": "freeboard", "kind": "car_park", "severity": "orange", "value": 2.0, "unit": "m", "source": "test"}
    sets = [{"id": "far", "author": "t", "source": "t", "valid_from": "2026-01-01T00:00:00Z", "rows": [far]}]
    changed = run_storm(a_site(2), hard(), "hard", TypeAdapter(list[ThresholdSet]).validate_python(sets))
    for before, after in zip(ran().spaces, changed.spaces, strict=True):
        assert (before.truth.orange_s, before.truth.red_s) == (after.truth.orange_s, after.truth.red_s)
        assert after.truth.alarm_red_s < before.truth.alarm_red_s


def test_an_unknown_storm_is_named() -> None:
    result = CliRunner().invoke(build_app("hindcast"), ["hindcast", "swmm", "--storms", "7-years"])
    assert isinstance(result.exception, BadInput)
    assert "7-years: no such kind" in str(result.exception)


@pytest.mark.slow
def test_goals_for_red_on_every_kind_of_storm() -> None:
    """The third goal, the lead to orange, hangs on how long the storms of a seed are: docs/risk.md has the figures."""
    result = CliRunner().invoke(build_app("hindcast"), ["hindcast", "swmm", "--json"])
    assert result.exit_code == 0, (result.output, result.exception)
    goals = json.loads(result.stdout)["goals"]
    assert [goals["red_pod"]["met"], goals["red_missed_while_open"]["met"]] == [True, True], goals
