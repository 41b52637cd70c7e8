"""Would have fired: two threshold sets over the same floods, with tables worked out by hand."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from risk.hindcast.compare import Cases, compare, floodnet_cases
from risk.hindcast.compare_commands import sets_of
from risk.hindcast.floodnet_csv import Event
from risk.hindcast.history import each_alone
from risk.hindcast.kept import read_cases, write_cases
from risk.hydraulics.arrays import floats
from risk.nowcast.track import Track
from undercroft.cli import build_app
from undercroft.errors import BadInput

EARLY = """
[[threshold_set]]
id = "early"
author = "test"
source = "test"
valid_from = 2026-01-01T00:00:00Z
rows = [
  { rule = "inside-depth", kind = "underpass", severity = "yellow", value = 8.0, unit = "cm", source = "test" },
  { rule = "inside-depth", kind = "underpass", severity = "orange", value = 8.0, unit = "cm", source = "test" },
  # No forecast, so that the readings alone decide and can be counted by hand.
  { rule = "orange-within-30min", kind = "underpass", severity = "orange", value = 1.1, unit = "share", source = "t" },
]
"""
LATE = EARLY.replace("early", "late").replace("8.0", "15.0")


def flood(name: str, depths_cm: list[float]) -> Event:
    time_s = floats([60.0 * k for k in range(len(depths_cm))])
    at = datetime(2024, 9, 29)  # noqa: DTZ001 - the tables carry local times
    depth_m = floats([depth / 100.0 for depth in depths_cm])
    return Event(name, at.isoformat(), at, Track(name, 0.0, time_s, depth_m, 0.0, 0.0, tidal=False))


def test_tables_and_minutes_by_hand() -> None:
    crossing = np.array([600.0, np.nan, 900.0, 300.0])
    a = Cases(("x", "x", "y", "y"), crossing, np.array([600.0, np.nan, 1200.0, np.nan]))
    b = Cases(("x", "x", "y", "y"), crossing, np.array([240.0, 120.0, 780.0, 240.0]))
    told = compare(a, b, 120.0)
    assert told["all"]["a"] == {"hits": 1, "misses": 2, "false_alarms": 0, "quiet": 1}
    assert told["all"]["b"] == {"hits": 3, "misses": 0, "false_alarms": 1, "quiet": 0}
    assert (told["all"]["both_fired"], told["all"]["gained_min_sum"]) == (2, 13.0)  # 6 and 7 minutes
    assert told["spaces"]["x"]["gained_min_median"] == 6.0
    for side in ("a", "b"):
        for part in ("hits", "misses", "false_alarms", "quiet"):
            assert sum(row[side][part] for row in told["spaces"].values()) == told["all"][side][part]


def test_lower_threshold_fires_earlier_and_costs_a_false_alarm(tmp_path: Path) -> None:
    path, late = tmp_path / "early.toml", tmp_path / "late.toml"
    path.write_text(EARLY)
    late.write_text(LATE)
    floods = [
        flood("s1", [*np.arange(3.0, 16.1, 0.5).tolist(), *([16.0] * 5)]),  # 15 cm at minute 24, 8 cm at minute 10
        flood("s2", [*np.arange(3.0, 9.1, 0.5).tolist(), *([9.0] * 5), *([3.0] * 5)]),  # never 15 cm
    ]
    default = floodnet_cases(floods, each_alone(floods), sets_of(str(late), None), 0.15, 3)
    early = floodnet_cases(floods, each_alone(floods), sets_of(str(path), None), 0.15, 3)
    assert default.crossing_s.tolist()[0] == 24 * 60
    assert default.fired_s[0] == 25 * 60  # second sample at or above 15 cm
    assert early.fired_s[0] == 11 * 60  # second sample at or above 8 cm
    assert np.isnan(default.fired_s[1])
    told = compare(default, early, 120.0)["all"]
    assert told["a"] == {"hits": 1, "misses": 0, "false_alarms": 0, "quiet": 1}
    assert told["b"] == {"hits": 1, "misses": 0, "false_alarms": 1, "quiet": 0}
    assert told["gained_min_sum"] == 14.0
    foreseen = floodnet_cases(floods, each_alone(floods), sets_of("default", None), 0.15, 3)
    assert foreseen.fired_s[0] < 24 * 60, "the nowcast speaks, as in a run"


def test_different_cases_are_refused() -> None:
    a = Cases(("x",), np.array([1.0]), np.array([1.0]))
    with pytest.raises(ValueError, match="not over the same cases"):
        compare(a, Cases(("y",), np.array([1.0]), np.array([1.0])), 0.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "No such file"),
        ("x = 1", r"no \[\[threshold_set\]\]"),
        ("x = [", "early.toml"),
        (EARLY.replace('severity = "orange"', 'severity = "mauve"'), "severity"),
        (EARLY.replace("inside-depth", "inside-dept"), 'rule: found "inside-dept", expected one of'),
        (EARLY.replace('"cm"', '"mm/h"'), "expected the unit of inside-depth: m or cm"),
        (EARLY.replace("value = 8.0", "value = 800"), r"early.toml:\d+: .*value: found 800, expected 2 to 300 cm"),
        (EARLY.replace("value = 8.0", "value = 40"), "at most the 0.27 m of red that holds for underpass"),
    ],
)
def test_bad_set_files_are_named(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "early.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(BadInput, match=message):
        sets_of(str(path), None)


def table(tmp_path: Path) -> list[str]:
    """FloodNet tables with one flood of `flood`: 3 cm to 16 cm in 26 minutes."""
    events, sensors = tmp_path / "events.csv", tmp_path / "sensors.csv"
    depths = [*np.arange(3.0, 16.1, 0.5).tolist(), *([16.0] * 5)]
    times, inches = [60.0 * k for k in range(len(depths))], [round(depth / 2.54, 4) for depth in depths]
    events.write_text(
        "sensor_id,flood_start_time,flood_profile_depth_inches,flood_profile_time_secs\n"
        f's1,2024-09-29T00:00:00,"{inches}","{times}"\n'
    )
    sensors.write_text("sensor_id,latitude,longitude,tidally_influenced\ns1,40.7,-74.0,No\n")
    return ["--events", str(events), "--sensors", str(sensors)]


def told(*words: str) -> Result:
    return CliRunner().invoke(build_app("hindcast"), ["hindcast", "compare", *words])


def test_kept_cases_are_compared_as_if_they_had_been_run(tmp_path: Path) -> None:
    early, kept = tmp_path / "early.toml", tmp_path / "kept.json"
    early.write_text(EARLY)
    floods = table(tmp_path)
    direct = told("default", str(early), "--json", "--keep", str(kept), *floods)
    assert direct.exit_code == 0, (direct.output, direct.exception)
    assert "running default" in direct.stderr
    assert json.loads(direct.stdout)["all"]["gained_min_sum"] > 0.0
    later = told("default", str(kept), "--json", *floods)
    assert json.loads(later.stdout) == json.loads(direct.stdout)
    assert str(kept) not in later.stderr, "what was kept is not run"
    same = json.loads(told(str(kept), str(kept), "--json").stdout)["all"]
    assert same["a"] == same["b"]


@pytest.mark.parametrize(
    ("text", "words", "message"),
    [
        ('{"cases": 1}', [], "version: Field required"),
        ("[", [], "not JSON"),
        (None, [], "No such file"),
        (None, ["--truth-m", "nan"], "--truth-m must be above 0"),
        (None, ["--late-min", "inf"], "--late-min at least 0"),
    ],
)
def test_mistakes_are_told_before_anything_runs(
    tmp_path: Path, text: str | None, words: list[str], message: str
) -> None:
    kept = tmp_path / "kept.json"
    if text is not None:
        kept.write_text(text)
    result = told("default", str(kept), *table(tmp_path), *words)
    assert isinstance(result.exception, BadInput)
    assert message in str(result.exception)
    assert "running" not in result.stderr


def test_kept_cases_of_another_depth_or_other_floods_are_refused(tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    write_cases(kept, Cases(("s9",), np.array([60.0]), np.array([np.nan])), 0.15)
    assert "was made with --truth-m 0.15" in str(told(str(kept), "default", "--truth-m", "0.3").exception)
    assert "not over the same cases" in str(told(str(kept), "default", *table(tmp_path)).exception)


def test_a_road_without_a_name_has_no_threshold_of_its_own(tmp_path: Path) -> None:
    named = tmp_path / "named.toml"
    named.write_text(EARLY.replace('kind = "underpass"', 'space = "up"'))
    assert "space up" in str(told("default", str(named), *table(tmp_path)).exception)


def storms(path: Path, *rows: str) -> Path:
    path.write_text("storm,space,first_wet_s,orange_s,red_s,alarm_orange_s\n" + "".join(f"{row}\n" for row in rows))
    return path


def test_tables_of_generated_storms_are_compared_by_storm_and_space(tmp_path: Path) -> None:
    """a is hit 2 min before and 5 min before, 3 min gained; b is false in the first alone; rows in any order."""
    first = storms(tmp_path / "v1.csv", "s1,a,0,600,,480", "s1,b,0,,,300", "s2,a,0,600,900,")
    second = storms(tmp_path / "v2.csv", "s2,a,0,600,900,660", "s1,b,0,,,", "s1,a,0,600,,300")
    result = json.loads(told(str(first), str(second), "--json").stdout)
    assert result["all"]["cases"] == 3
    assert [result["spaces"]["a"][side]["hits"] for side in "ab"] == [1, 2]
    assert [result["spaces"]["a"][side]["misses"] for side in "ab"] == [1, 0]
    assert [result["spaces"]["b"][side]["false_alarms"] for side in "ab"] == [1, 0]
    assert result["all"]["gained_min_sum"] == 3.0


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["s1,a,0,soon,,"], "storms.csv:2: orange_s: 'soon' is not a number of seconds"),
        (["s1,a,0,-1,,"], "storms.csv:2: orange_s: '-1' is not"),
        (["s1,a,0,nan,,"], "storms.csv:2: orange_s: 'nan' is not"),
        (["s1,a,0,1,,", "s1,a"], "storms.csv:3: a in storm s1 twice"),
        (["s1,a"], "storms.csv:2: orange_s: None is not"),
    ],
)
def test_bad_tables_of_storms_are_named(tmp_path: Path, rows: list[str], message: str) -> None:
    exception = told(str(storms(tmp_path / "storms.csv", *rows)), "default").exception
    assert isinstance(exception, BadInput)
    assert message in str(exception)


def test_tables_that_are_none_and_files_that_are_not_run_are_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n")
    assert "not a table of `hindcast swmm --out`" in str(told(str(other), "default").exception)
    good = str(storms(tmp_path / "good.csv", "s1,a,0,600,,480"))
    assert "--keep writes cases that are run" in str(told(good, good, "--keep", str(tmp_path / "k.json")).exception)


@pytest.mark.parametrize("text", ["threshold_set = 5\n", "threshold_set = [5]\n", '[threshold_set]\nid = "a"\n'])
def test_threshold_sets_that_are_no_tables_are_one_line_with_the_field(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=r"a\.toml: threshold_set: expected tables"):
        sets_of(str(path), None)


def test_two_threshold_sets_of_one_id_are_refused(tmp_path: Path) -> None:
    one = '[[threshold_set]]\nid = "a"\nauthor = "li"\nsource = "plan"\nvalid_from = 2026-01-01T00:00:00Z\n'
    row = (
        '[[threshold_set.rows]]\nrule = "rain-10min"\nseverity = "yellow"\nvalue = 20.0\nunit = "mm"\nsource = "plan"\n'
    )
    path = tmp_path / "a.toml"
    path.write_text(2 * (one + row), encoding="utf-8")
    with pytest.raises(BadInput, match="expected each once, got 'a' twice"):
        sets_of(str(path), None)


@pytest.mark.parametrize("text", ["null", "[]", "5"])
def test_a_kept_file_that_is_no_object_says_so(tmp_path: Path, text: str) -> None:
    path = tmp_path / "k1.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=r"k1\.json: expected an object$"):
        read_cases(path, 0.15)
