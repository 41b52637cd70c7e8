"""``undercroft simulate`` and ``undercroft replay``: a run through MQTT, computed or measured."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from simulators.district import district_run
from simulators.floodnet import NEW_YORK, FloodDay, flood_day, floodnet_run, floodnet_site, read_events, read_sensors
from simulators.minutes import minute_asked_for
from simulators.playing import has_broker, play_run, speed_asked_for
from simulators.scenario_file import load_scenario
from simulators.site_toml import site_toml
from undercroft.errors import BadInput, ScenarioInvalid
from undercroft.groups import group
from undercroft.site import load_site, sample_site_path

SpeedOption = Annotated[str, typer.Option(help="Simulated seconds per second, or max.")]
StatsOption = Annotated[Path | None, typer.Option(help="Write the run's own count as JSON.")]
ProgressOption = Annotated[Path | None, typer.Option(help="Write a JSON line at every step.")]


def register(app: typer.Typer) -> None:
    """Add this part's commands."""
    app.command()(simulate)
    group(app, "replay", "Play what was measured or recorded through MQTT.").command("floodnet")(replay_floodnet)


def simulate(
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


def replay_floodnet(
    events: Annotated[Path, typer.Argument(help="Flood events, NYC Open Data aq7i-eu5q as CSV.")],
    sensors: Annotated[Path, typer.Option(help="Sensor table, NYC Open Data kb2e-tjy3 as CSV.")],
    day: Annotated[str, typer.Option(help="New York day, such as 2023-09-29.")],
    speed: SpeedOption = "1",
    stats: StatsOption = None,
    progress: ProgressOption = None,
    site_out: Annotated[Path | None, typer.Option(help="Write the district as a site file, and play nothing.")] = None,
    timezone: Annotated[str, typer.Option(help="Zone of the times in the events file.")] = NEW_YORK.key,
    leave: Annotated[bool, typer.Option("--exit", help="Whole chain: end when the day is over.")] = False,
    headless: Annotated[bool, typer.Option(help="Whole chain: plain lines instead of a live screen.")] = False,
    report: Annotated[Path | None, typer.Option(help="Whole chain: write what happened as JSON.")] = None,
    probe_seconds: Annotated[
        float, typer.Option(min=0.0, max=3600.0, help="Whole chain: length of the report's latency probe; 0 for none.")
    ] = 60.0,
) -> None:
    """Play the measured street floods that overlap a day, each sensor as a road underpass.

    It is played to the broker of UNDERCROFT_MQTT_URL, else to the exercise that `up` runs in UNDERCROFT_DATA_DIR;
    without either the whole chain is started, as by `demo`.
    """
    floods = floods_of_day(events, sensors, day, timezone)
    speed_asked_for(speed)
    if site_out is not None:
        _write(site_out, site_toml(floodnet_site(floods.events, floods.sensors)))
        return
    if has_broker():
        play_run(floodnet_run(floods), speed_asked_for(speed), stats=stats, progress=progress)
        return
    from simulators.demo.commands import play as play_whole_chain  # noqa: PLC0415 - only where it is needed
    from simulators.demo.feed import Feed  # noqa: PLC0415

    words = ("replay", "floodnet", str(events), "--sensors", str(sensors), "--day", day)
    feed = Feed(
        f"floodnet-{day}",
        floodnet_site(floods.events, floods.sensors),
        (*words, "--timezone", timezone, "--speed", speed),
    )
    play_whole_chain(feed, leave=leave, headless=headless, report=report, probe_s=probe_seconds)


def floods_of_day(events: Path, sensors: Path, day: str, timezone: str = NEW_YORK.key) -> FloodDay:
    """Return the floods of a New York day from the two files; every mistake in them is found here."""
    try:
        wanted = date.fromisoformat(day)
    except ValueError as error:
        raise BadInput(f"--day {day}: expected a day such as 2023-09-29") from error
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise BadInput(f"--timezone {timezone}: expected a zone such as America/New_York or UTC") from error
    return flood_day(read_events(events, zone), read_sensors(sensors), wanted)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{path}: cannot be written: {error.strerror or error}") from error
