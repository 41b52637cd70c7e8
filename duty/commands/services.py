"""Commands of this part for the ``undercroft`` command line."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from duty.commands import roster as roster_commands
from duty.options import DutyConfig, database_url
from duty.senders.base import Sender
from undercroft.errors import BadInput
from undercroft.local_time import zone_of
from undercroft.model import Mode
from undercroft.settings import Settings
from undercroft.telemetry import configure_logging


def register(app: typer.Typer) -> None:
    """Add this part's commands."""
    app.command("duty")(run_duty_command)
    app.command("watch")(run_watch_command)
    roster_commands.register(app)


def run_duty_command(
    config: DutyConfig = None,
    key: Annotated[
        Path | None, typer.Option(envvar="UNDERCROFT_DUTY_KEY", help="sign the duty log every hour with this key")
    ] = None,
) -> None:
    """Notify people of alarms until a signal."""
    from functools import partial  # noqa: PLC0415

    from duty.file import DutyFile, load_duty_file  # noqa: PLC0415 - other commands start faster
    from duty.notify.run import run_duty  # noqa: PLC0415
    from undercroft.clock import SystemClock  # noqa: PLC0415
    from undercroft.stack.ready import announce_ready  # noqa: PLC0415

    configure_logging(Settings().log_format, service="duty")
    duty_file = load_duty_file(config) if config else DutyFile()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    keep_signed = None
    if key is not None:
        from duty.log.signing import keep_hourly, load_key  # noqa: PLC0415

        if key.exists():
            load_key(key, make=False)
        keep_signed = partial(keep_hourly, key)
    run_duty(database_url("duty"), SystemClock(), stop, duty_file, os.environ, announce_ready, keep_signed)


def run_watch_command(
    config: DutyConfig = None,
    mode: Annotated[Mode, typer.Option(help="what the database is taken for until it has answered once")] = Mode.LIVE,
    zone: Annotated[str, typer.Option(help="of the times in the messages")] = "Asia/Shanghai",
    tell_nobody: Annotated[
        bool, typer.Option("--tell-nobody", help="watch for the log alone, without a fallback")
    ] = False,
) -> None:
    """Watch engine, ingest and notifier from outside, and tell the fallback of the duty file when one falls silent."""
    from duty.file import DutyFile, load_duty_file, sender_of  # noqa: PLC0415
    from duty.notify.run import channels_of_mode  # noqa: PLC0415
    from duty.watch.watch import run_watch  # noqa: PLC0415
    from undercroft.clock import SystemClock  # noqa: PLC0415
    from undercroft.stack.ready import announce_ready  # noqa: PLC0415

    configure_logging(Settings().log_format, service="watch")
    place = zone_of(zone)
    duty_file = load_duty_file(config) if config else DutyFile()
    if not duty_file.fallback and not tell_nobody:
        named = config or "without a duty file"
        raise BadInput(f"watch: {named}: no fallback: nobody can be told; name one, or say --tell-nobody")
    url, clock, stop = database_url("watch"), SystemClock(), threading.Event()

    def senders_of(mode: Mode) -> Mapping[str, Sender]:
        usable = channels_of_mode(duty_file, mode).usable
        return {
            entry.id: sender_of(entry, os.environ, lambda: clock.now().timestamp())
            for entry in duty_file.channels
            if entry.id in usable
        }

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run_watch(url, clock, stop.wait, senders_of, duty_file.fallback_reach(), announce_ready, mode, zone=place)
