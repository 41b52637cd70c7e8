"""``undercroft simulate`` and ``undercroft replay``: a run through MQTT, computed or measured."""

from __future__ import annotations

import re
import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from simulators.district import district_run
from simulators.driver import play
from simulators.mqtt import publisher
from simulators.scenario import Scenario
from simulators.scenario_file import load_scenario
from simulators.stats import open_progress, shows, stats_of, write_stats
from simulators.steps import Run
from undercroft.errors import BadInput, ScenarioInvalid
from undercroft.settings import Settings
from undercroft.site import load_site, sample_site_path
from undercroft.store.run import engine_progress

CLIENT_ID = "undercroft-simulate"
_AROUND_PEAK = re.compile(r"^\s*(\d+)\s*(min|h)\s+(before|after)\s+peak\s*$")

SpeedOption = Annotated[str, typer.Option(help="Simulated seconds per second, or max.")]
StatsOption = Annotated[Path | None, typer.Option(help="Write the run's own count as JSON.")]
ProgressOption = Annotated[Path | None, typer.Option(help="Write a JSON line at every step.")]


def register(app: typer.Typer) -> None:
    """Add this part's commands."""
    app.command()(simulate)


def simulate(  # noqa: PLR0913, PLR0917 - one parameter per option
    scenario: Annotated[str, typer.Option(help="A built-in scenario, or a scenario file.")],
    speed: SpeedOption = "1",
    start: Annotated[
        str | None, typer.Option("--from", help='Minutes after the start, or "30 min before peak".')
    ] = None,
    until: Annotated[str | None, typer.Option(help='Minutes after the start, or "2 h after peak".')] = None,
    site: Annotated[Path | None, typer.Option(help="A site file instead of the sample district.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="In place of the scenario's seed.")] = None,
    stats: StatsOption = None,
    progress: ProgressOption = None,
) -> None:
    """Play a storm through MQTT, as the district's sensors would report it."""
    loaded = load_scenario(scenario)
    district = load_site(site or sample_site_path())
    from_min = minute_asked_for("--from", start, loaded, default=0)
    until_min = minute_asked_for("--until", until, loaded, default=loaded.minutes)
    if from_min >= until_min:
        raise ScenarioInvalid(f"--from is minute {from_min} of the run, --until is minute {until_min}: nothing is left")
    run = district_run(district, loaded, seed=seed, from_min=from_min, until_min=until_min)
    play_run(run, speed_asked_for(speed), stats=stats, progress=progress)


def minute_asked_for(option: str, text: str | None, scenario: Scenario, *, default: int) -> int:
    """Return the minute of the run that an option asks for, held within the run."""
    if text is None:
        return default
    if text.strip().isdecimal():
        minute = int(text)
        if minute > scenario.minutes:
            raise ScenarioInvalid(f"{option} {text}: the run is {scenario.minutes} minutes long")
        return minute
    found = _AROUND_PEAK.match(text)
    if found is None:
        raise BadInput(f'{option} {text}: expected minutes after the start, or "30 min before peak"')
    if scenario.rain().total_mm == 0:
        raise ScenarioInvalid(f"{option} {text}: scenario {scenario.run.name} has no rain, so no peak")
    away = int(found[1]) * (60 if found[2] == "h" else 1)
    minute = scenario.rain().peak_min + (away if found[3] == "after" else -away)
    return min(max(minute, 0), scenario.minutes)


def speed_asked_for(text: str) -> float | None:
    """Return simulated seconds per second; None for ``max``."""
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0.0 < speed <= 1e6:
        raise BadInput(f"--speed {text}: expected a number above 0, or max")
    return speed


def play_run(run: Run, speed: float | None, *, stats: Path | None, progress: Path | None) -> None:
    """Play a run through the broker of the settings, behind the engine of their database if there is one.

    Raises
    ------
    BadInput
        If there is no broker URL, or the database is a live one.
    """
    settings = Settings()
    if settings.mqtt_url is None:
        raise BadInput("UNDERCROFT_MQTT_URL is not set; `undercroft demo` starts a broker of its own")
    if stats is not None and not stats.absolute().parent.is_dir():
        raise BadInput(f"{stats}: --stats: there is no folder {stats.absolute().parent}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with ExitStack() as stack:
        newest_seq = None
        if settings.database_url is not None:
            newest_seq = stack.enter_context(engine_progress(settings.database_url.get_secret_value()))
        lines = stack.enter_context(open_progress(progress)) if progress is not None else None
        broker = stack.enter_context(publisher(settings.mqtt_url.get_secret_value(), CLIENT_ID))
        played = play(run, broker, speed=speed, progress=newest_seq, show=shows(lines))
    if stats is not None:
        write_stats(stats_of(run, played), stats)
