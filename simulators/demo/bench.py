"""``undercroft bench demo``: the limits of the main job, on the 24-hour storm over the sample district."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from simulators.bench_series import bench_series
from simulators.demo.commands import DEFAULT_SCENARIO, scenario_feed
from simulators.demo.run import RunOptions, run
from simulators.demo.view import plain_line
from undercroft.bench import Figure, print_figures
from undercroft.groups import group
from undercroft.settings import Settings

FIRST_ASSESSMENT_MOST_S = 15.0
WALL_MOST_S = 60.0
MESSAGES_LEAST = 100_000
MEMORY_MOST_MB = 1000.0
ALARM_P99_MOST_MS = 1000.0
PROBE_S = 60.0
_ISSUE = "stated limit"


def register(app: typer.Typer) -> None:
    """Add ``undercroft bench demo`` and ``undercroft bench series``."""
    bench = group(app, "bench", "Measure, each figure beside its limit.")
    bench.command("demo")(bench_demo)
    bench.command("series")(bench_series)


def bench_demo(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run the 24-hour storm at full speed on a new DATA_DIR, then the latency probe in real time."""
    feed = scenario_feed(DEFAULT_SCENARIO, "max", None, None)
    options = RunOptions(probe_s=PROBE_S, refresh_s=2.0, stay=False)
    with tempfile.TemporaryDirectory(prefix="ucb-", dir="/tmp") as folder:
        settings = Settings(data_dir=Path(folder), api_port=0)
        report = run(settings, feed, options, lambda view: typer.echo(plain_line(view), err=True))
    latency = report["latency_ms"] or {}
    figures = [
        Figure("cold_start", report["first_assessment_seconds"], "s", FIRST_ASSESSMENT_MOST_S, _ISSUE, "lower"),
        Figure("storm_24h", report["wall_seconds"], "s", WALL_MOST_S, _ISSUE, "lower"),
        Figure("messages", report["messages"]["published"], "", MESSAGES_LEAST, _ISSUE, "higher"),
        Figure("memory", report["memory_mb"], "MB", MEMORY_MOST_MB, _ISSUE, "lower"),
        Figure("publish_to_alarm_p99", latency["publish_to_alarm_p99"], "ms", ALARM_P99_MOST_MS, _ISSUE, "lower"),
    ]
    if not print_figures(figures, as_json=as_json):
        sys.exit(1)
