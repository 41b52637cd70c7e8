"""The command on a made-up file of the same form: rows, refusals, and a future that changes nothing."""

from __future__ import annotations

import csv
import json
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

import pytest
from typer.testing import CliRunner

from risk.hindcast.floodnet_csv import read_events
from risk.nowcast.track import Track
from tests.unit.risk_nowcast.floods import season
from undercroft.cli import build_app
from undercroft.errors import BadInput

SENSORS = [("tide-1", 40.60, -73.80, "Yes"), ("tide-2", 40.60, -73.82, "Yes"), ("rain-0", 40.70, -73.90, "No")]
COLUMNS = ("sensor_id", "flood_start_time", "max_depth_inches", "flood_profile_depth_inches", "flood_profile_time_secs")


def write_sensors(path: Path) -> Path:
    rows = [("sensor_id", "latitude", "longitude", "tidally_influenced"), *SENSORS]
    path.write_text("\n".join(",".join(map(str, row)) for row in rows) + "\n")
    return path


def write_events(path: Path, floods: list[Track]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for flood in floods:
            started = datetime(2022, 1, 1) + timedelta(seconds=round(flood.started_at_s))  # noqa: DTZ001
            inches = [round(float(depth) / 0.0254, 2) for depth in flood.depth_m]
            times = [int(second) for second in flood.time_s]
            stamp = started.isoformat(timespec="milliseconds")
            writer.writerow((flood.sensor_id, stamp, max(inches), json.dumps(inches), json.dumps(times)))
    return path


def run(*arguments: object) -> str:
    result = CliRunner().invoke(build_app(), ["hindcast", "floodnet", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_one_row_per_event_verbatim_and_scores_that_add_up(tmp_path: Path) -> None:
    floods = season(5, tides=25, rains=6)
    events, sensors, out = (
        write_events(tmp_path / "e.csv", floods),
        write_sensors(tmp_path / "s.csv"),
        tmp_path / "o.csv",
    )
    text = run(events, "--sensors", sensors, "--threshold-m", 0.15, "--probability", 0.6, "--out", out, "--json")
    scores = json.loads(text)
    with out.open() as file, events.open() as given:
        rows, source = list(csv.DictReader(file)), list(csv.DictReader(given))
    assert list(rows[0]) == ["sensor_id", "flood_start_time", "first_forecast_s", "first_crossing_s"]
    assert [(r["sensor_id"], r["flood_start_time"]) for r in rows] == [
        (r["sensor_id"], r["flood_start_time"]) for r in source
    ]
    for row, event in zip(rows, source, strict=True):
        assert bool(row["first_crossing_s"]) == (float(event["max_depth_inches"]) * 0.0254 >= 0.15)
        if row["first_crossing_s"]:
            assert float(row["first_forecast_s"]) <= float(row["first_crossing_s"])
    whole, tidal, other = scores["parts"]
    for count in ("events", "crossings", "hits", "misses", "false_alarms", "quiet"):
        assert whole[count] == tidal[count] + other[count]
    waits = [float(row["first_crossing_s"]) / 60.0 for row in rows if row["first_crossing_s"]]
    assert whole["longest_median_lead_min"] == pytest.approx(median(waits), abs=1e-3)
    assert whole["hits"] + whole["misses"] + whole["false_alarms"] + whole["quiet"] == whole["events"] == len(floods)


def test_report_for_people_and_scoring_from_a_day(tmp_path: Path) -> None:
    floods = season(6, tides=12, rains=3)
    files = (
        write_events(tmp_path / "e.csv", floods), "--sensors", write_sensors(tmp_path / "s.csv"),
        "--out", tmp_path / "o.csv",
    )  # fmt: skip
    text = run(*files, "--score-from", "2022-01-08")
    with pytest.raises(BadInput, match="no event from that day"):
        run(*files, "--score-from", "2099-01-01")
    assert "events from 2022-01-08" in text
    assert "gap closed" in text
    assert "probability, chosen on earlier events" in text
    assert "probability, chosen on these events" in run(*files)


@pytest.mark.parametrize(
    ("cell", "value", "message"),
    [
        ("flood_start_time", "yesterday", "row 2"),
        ("flood_profile_time_secs", "[0, 60]", "times but"),
        ("flood_profile_depth_inches", "{}", "list of numbers"),
        ("flood_profile_depth_inches", "[", "row 2"),
        ("flood_profile_depth_inches", "[0, 50000, 2]", r"row 2: flood_profile_depth_inches: 50000 inches, expected"),
        ("flood_profile_depth_inches", "[0, -5, 2]", r"-5 inches, expected -1\.969 to 1969$"),
        ("flood_profile_depth_inches", "[0, 1e308, 2]", "1e\\+308 inches"),
        ("flood_profile_depth_inches", f"[0, 1{'0' * 400}, 2]", "row 2: int too large"),
        ("flood_profile_depth_inches", "[0, Infinity, 2]", "inf inches"),
        ("flood_profile_time_secs", "[0, 60, 1e9]", r"flood_profile_time_secs: 1e\+09 seconds, expected 0 to"),
        ("flood_profile_time_secs", "[0, 60, -1]", "-1 seconds"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, cell: str, value: str, message: str) -> None:
    row = {
        "sensor_id": "a",
        "flood_start_time": "2022-01-01T00:00:00",
        "flood_profile_depth_inches": "[0, 1, 2]",
        "flood_profile_time_secs": "[0, 60, 120]",
    } | {cell: value}
    path = tmp_path / "e.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, row.keys())
        writer.writeheader()
        writer.writerow(row)
    with pytest.raises(BadInput, match=message):
        read_events(path, write_sensors(tmp_path / "s.csv"))


def test_a_file_that_cannot_be_written_is_refused_before_anything_is_run(tmp_path: Path) -> None:
    nowhere = str(tmp_path / "none" / "x")
    events, sensors = str(tmp_path / "no.csv"), str(tmp_path / "no.csv")
    for words in (
        ["hindcast", "floodnet", events, "--sensors", sensors, "--out", nowhere],
        ["hindcast", "compare", "default", "default", "--events", events, "--sensors", sensors, "--keep", nowhere],
        ["hindcast", "swmm", "--out", nowhere],
        ["hindcast", "swmm", "--out", str(tmp_path)],
    ):
        found = CliRunner().invoke(build_app("hindcast"), words)
        assert isinstance(found.exception, BadInput), found.output
        assert str(found.exception).startswith((f"{nowhere}: --", f"{tmp_path}: --out: "))
        assert "there is no folder" in str(found.exception) or "cannot be written" in str(found.exception)
        assert "seed" not in found.output


def test_missing_files_columns_and_silly_options_are_refused(tmp_path: Path) -> None:
    sensors = write_sensors(tmp_path / "s.csv")
    with pytest.raises(BadInput, match="No such file"):
        read_events(tmp_path / "none.csv", sensors)
    with pytest.raises(BadInput, match="column flood_start_time"):
        read_events(sensors, sensors)
    for option in (
        ("--probability", 0),
        ("--threshold-m", -1),
        ("--horizon-min", 0),
        ("--horizon-min", "inf"),
    ):
        with pytest.raises(BadInput, match=str(option[0])):
            run(sensors, "--sensors", sensors, "--out", tmp_path / "o.csv", *option)


def test_unknown_samples_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "e.csv"
    path.write_text(
        "sensor_id,flood_start_time,flood_profile_depth_inches,flood_profile_time_secs\n"
        'nowhere,2022-01-01T00:00:00.000,"[0, null, NaN, 10]","[0, 60, 120, 180]"\n'
    )
    (event,) = read_events(path, write_sensors(tmp_path / "s.csv"))
    assert event.track.time_s.tolist() == [0.0, 180.0]
    assert not event.track.tidal
