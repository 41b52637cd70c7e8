"""``undercroft record`` and ``undercroft replay FILE``."""

from __future__ import annotations

import signal
import threading
import uuid
from pathlib import Path
from typing import Annotated

import structlog
import typer
from typer.core import TyperGroup

from simulators.playing import has_broker, play_run, speed_asked_for
from undercroft.errors import BadInput
from undercroft.groups import group
from undercroft.settings import Settings
from undercroft.site import load_site, sample_site_path
from undercroft.stack.beside import running_beside
from undercroft.telemetry import configure_logging
from undercroft.topic_filters import is_sound_filter

_PLAY = "recording"


class _FileFirst(TyperGroup):
    """``replay FILE`` is ``replay recording FILE``."""

    def resolve_command(self, ctx, args):  # type: ignore[no-untyped-def]
        """Put the command's name before a file."""
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            args = [_PLAY, *args]
        return super().resolve_command(ctx, args)


def register(app: typer.Typer) -> None:
    """Add this part's commands."""
    app.command("record")(record)
    replays = group(app, "replay", "Play what was measured or recorded through MQTT.")
    replays.info.cls = _FileFirst
    replays.command(_PLAY)(replay_recording)


def record(
    out: Annotated[Path, typer.Option(help="A new file, JSON Lines.")],
    filters: Annotated[
        list[str] | None, typer.Option("--filter", help="MQTT topic filter; default: flood/v1/# and exercise/v1/#.")
    ] = None,
) -> None:
    """Keep what a broker delivers, bit for bit, until a signal.

    That of UNDERCROFT_MQTT_URL; without it, that of the `up` that runs in UNDERCROFT_DATA_DIR.
    """
    from simulators.recording.recorder import DEFAULT_FILTERS, Recorder  # noqa: PLC0415 - help without MQTT
    from undercroft.clock import SystemClock  # noqa: PLC0415

    settings = Settings()
    configure_logging(settings.log_format, service="record")
    mqtt_url = _broker_to_hear(settings)
    for wrong in (text for text in filters or () if not is_sound_filter(text)):
        raise BadInput(f"--filter {wrong}: expected an MQTT topic filter")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    client_id = f"undercroft-record-{uuid.uuid4().hex[:8]}"
    recorder = Recorder(mqtt_url, tuple(filters or DEFAULT_FILTERS), client_id, SystemClock())
    messages = recorder.run(out, stop)
    structlog.get_logger("record").info("stopped", messages=messages)


def _broker_to_hear(settings: Settings) -> str:
    if settings.mqtt_url is not None:
        return settings.mqtt_url.get_secret_value()
    found = running_beside(settings.data_dir)
    if found is None:
        raise BadInput(
            "record: set UNDERCROFT_MQTT_URL, the broker to listen to: no `undercroft up` with a broker of its own runs"
            f" in {settings.data_dir}"
        )
    return found.mqtt_url


def replay_recording(
    file: Annotated[Path, typer.Argument(help="A recording of `undercroft record`.")],
    speed: Annotated[str, typer.Option(help="Recorded seconds per second, or max.")] = "1",
    site: Annotated[Path | None, typer.Option(help="A site file instead of the sample district.")] = None,
    stats: Annotated[Path | None, typer.Option(help="Write the run's own count as JSON.")] = None,
    progress: Annotated[Path | None, typer.Option(help="Write a JSON line at every step.")] = None,
    leave: Annotated[bool, typer.Option("--exit", help="Whole chain: end when the recording is over.")] = False,
    headless: Annotated[bool, typer.Option(help="Whole chain: plain lines instead of a live screen.")] = False,
    report: Annotated[Path | None, typer.Option(help="Whole chain: write what happened as JSON.")] = None,
) -> None:
    """Play a recording into an exercise.

    It is played to the broker of UNDERCROFT_MQTT_URL, else to the exercise that `up` runs in UNDERCROFT_DATA_DIR;
    without either the whole chain is started, as by `demo`.
    """
    from simulators.recording.replay import recording_run  # noqa: PLC0415 - help without it

    loaded = load_site(site or sample_site_path())
    pace = speed_asked_for(speed)
    is_beside = has_broker()
    its_site = None if is_beside and site is None else loaded.district.id
    run = recording_run(file, its_site, loaded.district.id)
    if is_beside:
        play_run(run, pace, stats=stats, progress=progress)
        return
    from simulators.demo.commands import play as play_whole_chain  # noqa: PLC0415 - only where it is needed
    from simulators.demo.feed import Feed  # noqa: PLC0415

    words = ["replay", _PLAY, str(file.absolute()), "--speed", speed]
    words += ["--site", str(site.absolute())] if site is not None else []
    play_whole_chain(Feed(run.name, loaded, tuple(words)), leave=leave, headless=headless, report=report, probe_s=0.0)
