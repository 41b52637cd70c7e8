"""The main job, end to end, as its user runs it: a storm over real MQTT becomes explained alarms."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

ENGINE = r"undercroft risk$"
DATABASE = r"bin/postgres "
SHORT_STORM = """
[run]
name = "short-storm"
label = "A cloudburst for tests"
start = 2026-07-01T12:00:00+08:00
hours = 2
seed = 7

[storm]
kind = "table"
start = 2026-07-01T12:20:00+08:00
step_min = 10
rates_mm_h = [60, 120, 180, 150, 60, 20]
"""


@contextmanager
def a_data_dir() -> Iterator[Path]:
    """A short path: a Unix socket lies in it."""
    with tempfile.TemporaryDirectory(prefix="ucd-", dir="/tmp") as folder:
        yield Path(folder)


def environment(data_dir: Path, **extra: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("UNDERCROFT_")}
    return {**kept, "UNDERCROFT_DATA_DIR": str(data_dir), "UNDERCROFT_API_PORT": "0", **extra}


def command(*words: str) -> list[str]:
    return [sys.executable, "-P", "-m", "undercroft", *words]


def run_demo(
    data_dir: Path, scenario: str, *words: str, kill: str = "", kill_after: int = 0, **extra: str
) -> dict[str, Any]:
    """Run the demonstration; kill -9 what ``kill`` names, once, when so many readings are stored."""
    report = data_dir.parent / f"{data_dir.name}-report.json"
    argv = command("demo", "--scenario", scenario, "--speed", "max", "--exit", "--headless", "--report", str(report))
    lines = []
    killed = False
    with subprocess.Popen(
        [*argv, *words], env=environment(data_dir, **extra), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if kill and not killed and stored_in(line) >= kill_after:
                kill_one(process.pid, kill)
                killed = True
    output = "".join(lines)
    assert process.returncode == 0, output
    assert killed or not kill, output
    result: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    report.unlink()
    return result


def stored_in(line: str) -> int:
    words = line.replace(",", "").split()
    return int(words[words.index("stored") - 1]) if "stored" in words and "published" in words else -1


def kill_one(pid: int, pattern: str) -> None:
    children = psutil.Process(pid).children()
    found = [child for child in children if re.search(pattern, " ".join(child.cmdline()))]
    assert len(found) == 1
    found[0].send_signal(signal.SIGKILL)


def assert_whole(report: dict[str, Any]) -> None:
    counts = report["observations"]
    assert counts["expected"] > 0
    assert counts["stored"] == counts["expected"]
    assert counts["dead_lettered"] == counts["conflicts"] == 0
    assert report["messages"]["received"] - report["messages"]["redelivered"] == report["messages"]["published"]


def assert_explained(report: dict[str, Any], severity: int) -> None:
    found = [alarm for alarm in report["alarms"] if alarm["severity"] >= severity]
    assert found
    for alarm in found:
        assert alarm["reasons"], alarm
        for reason in alarm["reasons"]:
            assert reason["rule"], reason
            assert reason["source"], reason
            assert reason["threshold"] is not None or reason["rule"].startswith("blind"), reason


@pytest.fixture(scope="module")
def short_storm(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("scenario") / "short-storm.toml"
    path.write_text(SHORT_STORM, encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def short_report(short_storm: str) -> dict[str, Any]:
    with a_data_dir() as data_dir:
        return run_demo(data_dir, short_storm, "--probe-seconds", "4")


def test_everything_published_is_stored_once(short_report: dict[str, Any]) -> None:
    assert_whole(short_report)


def test_alarms_say_why(short_report: dict[str, Any]) -> None:
    assert_explained(short_report, severity=3)


def test_report_has_the_promised_form(short_report: dict[str, Any]) -> None:
    assert set(short_report) >= {
        "scenario",
        "wall_seconds",
        "simulated_seconds",
        "messages",
        "observations",
        "alarms",
        "latency_ms",
        "memory_mb",
        "alarm_log_sha256",
    }
    assert short_report["simulated_seconds"] == 2 * 3600
    assert set(short_report["latency_ms"]) == {
        "publish_to_store_p50",
        "publish_to_store_p99",
        "publish_to_alarm_p50",
        "publish_to_alarm_p99",
    }
    assert all(value > 0 for value in short_report["latency_ms"].values())


@pytest.mark.slow
def test_alarm_log_is_the_same_with_other_batches_on_the_same_data_dir_and_after_kill_9(
    short_storm: str, short_report: dict[str, Any]
) -> None:
    with a_data_dir() as data_dir:
        small = run_demo(data_dir, short_storm, "--probe-seconds", "0", UNDERCROFT_BATCH_MAX_MESSAGES="7")
        third = small["observations"]["stored"] // 3
        killed = run_demo(data_dir, short_storm, "--probe-seconds", "0", kill=ENGINE, kill_after=third)
    assert small["alarm_log_sha256"] == short_report["alarm_log_sha256"]
    assert killed["alarm_log_sha256"] == short_report["alarm_log_sha256"]
    assert_whole(small)
    assert_whole(killed)


@pytest.mark.slow
def test_a_run_goes_on_through_kill_9_of_the_database(short_storm: str, short_report: dict[str, Any]) -> None:
    third = short_report["observations"]["stored"] // 3
    with a_data_dir() as data_dir:
        killed = run_demo(data_dir, short_storm, "--probe-seconds", "0", kill=DATABASE, kill_after=third)
    assert killed["alarm_log_sha256"] == short_report["alarm_log_sha256"]
    assert killed["observations"]["stored"] == killed["observations"]["expected"]


def refused(*words: str) -> str:
    """Run a demonstration that cannot be: nothing is started, and one line says why."""
    with a_data_dir() as data_dir:
        done = subprocess.run(
            command("demo", *words, "--exit", "--headless"),
            env=environment(data_dir),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert not list(data_dir.iterdir())
    assert done.returncode == 2
    (line,) = done.stderr.strip().splitlines()
    return line


def test_a_wrong_speed_is_found_before_anything_starts() -> None:
    assert refused("--speed", "zero") == "undercroft: --speed zero: expected a number above 0, or max"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[run", "broken.toml:1: not valid TOML"),
        (SHORT_STORM.replace("hours = 2", "hours = -3"), "run.hours"),
        (SHORT_STORM.replace("[storm]", "[strom]"), "broken.toml:9: strom: not a name that is known here"),
    ],
)
def test_broken_scenario_is_one_line_and_exit_code_2(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "broken.toml"
    path.write_text(text, encoding="utf-8")
    line = refused("--scenario", str(path))
    assert expected in line
    assert "broken.toml" in line


@pytest.mark.slow
def test_impatient_signals_leave_nothing_behind(short_storm: str) -> None:
    with a_data_dir() as data_dir:
        with subprocess.Popen(
            command("demo", "--scenario", short_storm, "--speed", "60", "--headless"),
            env=environment(data_dir),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            next(line for line in process.stdout if stored_in(line) > 0)
            started = psutil.Process(process.pid).children(recursive=True)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
                process.send_signal(number)
            _, said = process.communicate(timeout=60)
        assert (process.returncode, said.strip().splitlines()[-1]) == (130, "stopped")
        assert not (data_dir / "pg" / "postmaster.pid").exists()
        assert not [child for child in started if child.is_running()]


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_night_of_7_september_2023_is_the_same_every_time() -> None:
    with a_data_dir() as data_dir:
        first = run_demo(data_dir, "shenzhen-2023-09-07", "--probe-seconds", "10")
        assert first["messages"]["published"] >= 100_000
        assert first["simulated_seconds"] == 24 * 3600
        assert_whole(first)
        assert_explained(first, severity=4)
        half = first["observations"]["stored"] // 2
        again = run_demo(
            data_dir,
            "shenzhen-2023-09-07",
            "--probe-seconds",
            "0",
            kill=ENGINE,
            kill_after=half,
            UNDERCROFT_BATCH_MAX_MESSAGES="61",
        )
    assert again["alarm_log_sha256"] == first["alarm_log_sha256"]
    assert_whole(again)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_dry_day_raises_nothing() -> None:
    with a_data_dir() as data_dir:
        report = run_demo(data_dir, "dry-day", "--probe-seconds", "0")
    assert_whole(report)
    assert report["alarms"] == []
