"""A measured flood day through the whole chain: every flood past 15 cm has its orange alarm in time."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from simulators.commands import floods_of_day
from simulators.truth import Crossing, crossings
from tests.integration.test_demo import a_data_dir, assert_explained, assert_whole, command, environment

DAY = "2023-09-29"
THRESHOLD_M = 0.15
ORANGE = 3
TICK = timedelta(seconds=60)


@pytest.fixture(scope="module")
def floodnet_files() -> tuple[Path, Path]:
    folder = os.environ.get("UNDERCROFT_FLOODNET_DIR")
    if not folder:
        pytest.skip("UNDERCROFT_FLOODNET_DIR is not set: no measured floods")
    return Path(folder) / "flood-events.csv", Path(folder) / "sensor-metadata.csv"


@pytest.fixture(scope="module")
def report(floodnet_files: tuple[Path, Path]) -> dict[str, Any]:
    events, sensors = floodnet_files
    with a_data_dir() as data_dir:
        argv = ["replay", "floodnet", str(events), "--sensors", str(sensors), "--day", DAY, "--speed", "max"]
        # The report lies beside the server's own folder, which must be empty at first.
        out = data_dir.with_suffix(".json")
        done = subprocess.run(
            command(*argv, "--exit", "--headless", "--report", str(out), "--probe-seconds", "4"),
            env=environment(data_dir),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        result: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
        out.unlink()
        return result


@pytest.fixture(scope="module")
def deep_floods(floodnet_files: tuple[Path, Path]) -> list[Crossing]:
    return crossings(floods_of_day(*floodnet_files, DAY).events, THRESHOLD_M)


def orange_from(report: dict[str, Any], space_id: str) -> list[tuple[datetime, datetime | None]]:
    """Return the stretches of time in which the space's alarm was orange or red."""
    stretches: list[tuple[datetime, datetime | None]] = []
    for alarm in report["alarms"]:
        if alarm["subject"] != f"space/{space_id}":
            continue
        since: datetime | None = None
        for event in alarm["events"]:
            at = datetime.fromisoformat(event["at"])
            if event["severity"] >= ORANGE and since is None:
                since = at
            elif event["severity"] < ORANGE and since is not None:
                stretches.append((since, at))
                since = None
        if since is not None:
            stretches.append((since, None))
    return stretches


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_reading_of_the_day_is_stored_once(report: dict[str, Any]) -> None:
    assert_whole(report)
    assert_explained(report, severity=ORANGE)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_flood_past_15_cm_is_orange_at_its_second_sample_and_a_tick(
    report: dict[str, Any], deep_floods: list[Crossing]
) -> None:
    assert len(deep_floods) >= 20  # 2023-09-29 was New York's worst day since the sensors stand
    late = []
    for flood in deep_floods:
        if flood.second_at is None:
            continue
        due = flood.second_at + TICK
        stretches = orange_from(report, flood.space_id)
        if not any(start <= due and (end is None or end >= flood.first_at) for start, end in stretches):
            late.append((flood.space_id, flood.second_at))
    assert late == []


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_orange_where_no_flood_came_near(report: dict[str, Any], floodnet_files: tuple[Path, Path]) -> None:
    floods = floods_of_day(*floodnet_files, DAY)
    near = {crossing.space_id for crossing in crossings(floods.events, THRESHOLD_M / 2)}
    orange = {alarm["subject"].removeprefix("space/") for alarm in report["alarms"] if alarm["severity"] >= ORANGE}
    assert orange <= near


def lead_times_min(report: dict[str, Any], deep_floods: list[Crossing]) -> list[float]:
    """Minutes from orange to the first sample at 15 cm; negative is late."""
    found = []
    for flood in deep_floods:
        starts = [start for start, end in orange_from(report, flood.space_id) if end is None or end >= flood.first_at]
        if starts:
            found.append((flood.first_at - min(starts)).total_seconds() / 60)
    return found
