"""``undercroft demo``: one command from nothing to a flooded district with explained alarms."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.live import Live

from simulators.demo.feed import Feed
from simulators.demo.probe import LEAST_PROBE_S
from simulators.demo.report import write_report
from simulators.demo.run import RunOptions, run
from simulators.demo.view import PlainLines, RunView, screen
from simulators.district import district_run
from simulators.minutes import minute_asked_for
from simulators.playing import speed_asked_for
from simulators.scenario_file import load_scenario
from undercroft.errors import BadInput, ScenarioInvalid
from undercroft.settings import Settings
from undercroft.site import load_site, sample_site_path
from undercroft.stack.stopping import ends_on_signal
from undercroft.writable import must_be_writable

DEFAULT_SCENARIO = "shenzhen-2023-09-07"
DEFAULT_SPEED = "240"
DEFAULT_FROM = "30 min before peak"
REFRESH_SCREEN_S = 0.5
REFRESH_LINES_S = 2.0
PROBE_S = 60.0
INTERRUPTED = 130
"""Exit status of a run that a signal ended: 128 and the number of SIGINT."""


def register(app: typer.Typer) -> None:
    """Add ``undercroft demo``."""
    app.command()(demo)


def demo(
    scenario: Annotated[str, typer.Option(help="A built-in scenario, or a scenario file.")] = DEFAULT_SCENARIO,
    speed: Annotated[str, typer.Option(help="Storm seconds per second, or max.")] = DEFAULT_SPEED,
    start: Annotated[
        str | None,
        typer.Option("--from", help=f"Minute of the run to begin at, or {DEFAULT_FROM} (the default; with max: 0)."),
    ] = None,
    site: Annotated[Path | None, typer.Option(help="A site file instead of the sample district.")] = None,
    leave: Annotated[bool, typer.Option("--exit", help="End when the storm is over.")] = False,
    headless: Annotated[bool, typer.Option(help="Plain lines instead of a live screen.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write what happened as JSON; measures latency too.")] = None,
    probe_seconds: Annotated[
        float, typer.Option(min=0.0, max=3600.0, help="Length of the latency probe of a report; 0 for none.")
    ] = PROBE_S,
) -> None:
    """Watch a rainstorm flood a district: real MQTT, real database, explained alarms."""
    feed = scenario_feed(scenario, speed, start, site)
    play(feed, leave=leave, headless=headless, report=report, probe_s=probe_seconds)


def scenario_feed(scenario: str, speed: str, start: str | None, site_path: Path | None) -> Feed:
    """Return the feed of a scenario; every mistake in its files is found here, before anything is started."""
    loaded = load_scenario(scenario)
    speed_asked_for(speed)
    site = load_site(site_path or sample_site_path())
    argv = ["simulate", "--scenario", scenario, "--speed", speed]
    if start is None and speed != "max" and loaded.rain().total_mm > 0:
        start = DEFAULT_FROM
    from_min = minute_asked_for("--from", start, loaded, default=0)
    if from_min >= loaded.minutes:
        raise ScenarioInvalid(f"--from {start}: the run is {loaded.minutes} minutes long: nothing is left")
    district_run(site, loaded, from_min=from_min)  # builds the faults of its devices, starts nothing
    if start is not None:
        argv += ["--from", start]
    if site_path is not None:
        argv += ["--site", str(site_path)]
    return Feed(loaded.run.name, site, tuple(argv))


def play(feed: Feed, *, leave: bool, headless: bool, report: Path | None, probe_s: float) -> None:
    """Play a feed through the whole chain, show it, and write its report where one is asked for.

    Raises
    ------
    BadInput
        If the report's folder does not exist, the probe is too short, or the database cannot be used.
    """
    must_be_writable(report, "--report")
    if 0.0 < probe_s < LEAST_PROBE_S:
        raise BadInput(
            f"--probe-seconds {probe_s:g}: expected 0, or at least {LEAST_PROBE_S:g}: no space turns red in less"
        )
    refresh_s = REFRESH_LINES_S if headless else REFRESH_SCREEN_S
    options = RunOptions(probe_s=probe_s if report is not None else 0.0, refresh_s=refresh_s, stay=not leave)
    settings = Settings()

    def keep(found: dict[str, Any]) -> None:
        if report is not None:
            write_report(found, report)

    with ends_on_signal() as stopped, _shown(headless=headless) as show:
        result = run(settings, feed, options, show, keep)
    if stopped.is_set():
        typer.echo("stopped", err=True)
        sys.exit(INTERRUPTED)
    keep(result)
    counts = result["observations"]
    typer.echo(
        f"{result['scenario']}: {result['messages']['published']} messages, {counts['expected']} readings expected, "
        f"{counts['stored']} stored, {counts['dead_lettered']} dead letters, {len(result['alarms'])} alarms, "
        f"{result['wall_seconds']} s, alarm log {result['alarm_log_sha256'][:12]}"
    )


@contextmanager
def _shown(*, headless: bool) -> Iterator[Callable[[RunView], None]]:
    if headless:
        lines = PlainLines()
        yield lines.show
        return
    with Live(console=Console(), refresh_per_second=4, screen=False, transient=False) as live:
        yield lambda view: live.update(screen(view))
