"""Commands of this part for the ``undercroft`` command line."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import closing
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from duty.roster import Shift
from undercroft.errors import BadInput
from undercroft.groups import group
from undercroft.settings import Settings
from undercroft.telemetry import configure_logging

DutyConfig = Annotated[
    Path | None,
    typer.Option("--config", envvar="UNDERCROFT_DUTY_FILE", help="the duty file"),
]


def register(app: typer.Typer) -> None:
    """Add this part's commands."""
    app.command("duty")(run_duty_command)
    app.command("watch")(run_watch_command)
    roster = group(app, "roster", "Who is on duty.")
    roster.command("import")(import_roster)
    roster.command("show")(show_roster)


def database_url(command: str) -> str:
    """Return the URL of the database, or say in one line that there is none."""
    url = Settings().database_url
    if url is None:
        raise BadInput(f"{command}: set UNDERCROFT_DATABASE_URL, or start everything with `undercroft up`")
    return url.get_secret_value()


def run_duty_command(
    config: DutyConfig = None,
    key: Annotated[
        Path | None, typer.Option(envvar="UNDERCROFT_DUTY_KEY", help="sign the duty log every hour with this key")
    ] = None,
) -> None:
    """Notify people of alarms until a signal."""
    from functools import partial  # noqa: PLC0415

    from duty.file import DutyFile, load_duty_file  # noqa: PLC0415 - other commands start faster
    from duty.run import run_duty  # noqa: PLC0415
    from undercroft.clock import SystemClock  # noqa: PLC0415
    from undercroft.stack.ready import announce_ready  # noqa: PLC0415

    configure_logging(Settings().log_format, service="duty")
    duty_file = load_duty_file(config) if config else DutyFile()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    keep_signed = None
    if key is not None:
        from duty.signing import load_key, sign_hourly  # noqa: PLC0415

        keep_signed = partial(sign_hourly, load_key(key, make=True))
    run_duty(database_url("duty"), SystemClock(), stop, duty_file, os.environ, announce_ready, keep_signed)


def run_watch_command(config: DutyConfig = None) -> None:
    """Watch engine, ingest and notifier from outside, and tell the fallback of the duty file when one falls silent."""
    from duty.file import DutyFile, load_duty_file, sender_of  # noqa: PLC0415
    from duty.run import channels_of_mode  # noqa: PLC0415
    from duty.watch import run_watch  # noqa: PLC0415
    from undercroft.clock import SystemClock  # noqa: PLC0415
    from undercroft.stack.ready import announce_ready  # noqa: PLC0415
    from undercroft.store.connection import connect  # noqa: PLC0415
    from undercroft.store.migrate import mode_of  # noqa: PLC0415

    configure_logging(Settings().log_format, service="watch")
    duty_file = load_duty_file(config) if config else DutyFile()
    url, clock, stop = database_url("watch"), SystemClock(), threading.Event()
    with closing(connect(url, application_name="undercroft-watch")) as connection:
        usable = channels_of_mode(duty_file, mode_of(connection)).usable
    senders = {
        entry.id: sender_of(entry, os.environ, lambda: clock.now().timestamp())
        for entry in duty_file.channels
        if entry.id in usable
    }
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    announce_ready()
    run_watch(url, clock, stop.wait, senders, duty_file.fallback_reach())


def import_roster(
    file: Annotated[Path, typer.Argument(help="CSV: starts_at,ends_at,step,standing,person,name,phone,reach")],
    zone: Annotated[str, typer.Option(help="of times without offset")] = "Asia/Shanghai",
) -> None:
    """Replace the shifts in the time that the file covers, and name the gaps."""
    from duty.roster import Roster, parse_roster  # noqa: PLC0415
    from undercroft.store.connection import connect  # noqa: PLC0415
    from undercroft.store.duty_roster import replace_shifts  # noqa: PLC0415

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"roster: {file}: {error}") from error
    shifts = parse_roster(text, ZoneInfo(zone))
    with closing(connect(database_url("roster import"), application_name="undercroft-roster")) as connection:
        replace_shifts(connection, [shift_row(shift) for shift in shifts])
        connection.commit()
    starts_at, ends_at = shifts[0].starts_at, max(shift.ends_at for shift in shifts)
    typer.echo(f"{len(shifts)} shifts from {starts_at:%F %H:%M}Z to {ends_at:%F %H:%M}Z")
    for gap in Roster(shifts).gaps(starts_at, ends_at):
        typer.echo(f"GAP nobody at step 0 from {gap.starts_at:%F %H:%M}Z to {gap.ends_at:%F %H:%M}Z", err=True)


def shift_row(shift: Shift) -> dict[str, object]:
    """Return a shift as a row of the store."""
    return {
        "starts_at": shift.starts_at, "ends_at": shift.ends_at, "step": shift.step, "standing": shift.standing,
        "person_id": shift.person.person_id, "name": shift.person.name, "phone": shift.person.phone,
        "reach": [{"channel": reach.channel, "address": reach.address} for reach in shift.person.reach],
    }  # fmt: skip


def show_roster(
    hours: Annotated[int, typer.Option(min=1, max=24 * 31, help="how far to look")] = 48,
) -> None:
    """Show who is told first, second ... now, and the gaps ahead."""
    from datetime import timedelta  # noqa: PLC0415

    from duty.notifier import load_roster  # noqa: PLC0415
    from undercroft.clock import SystemClock  # noqa: PLC0415
    from undercroft.store.connection import connect  # noqa: PLC0415

    now = SystemClock().now()
    until = now + timedelta(hours=hours)
    with closing(connect(database_url("roster show"), application_name="undercroft-roster")) as connection:
        roster = load_roster(connection, now, until)
    for step, person in enumerate(roster.chain(now)):
        typer.echo(f"step {step}  {person.person_id:<12} {person.name}  {person.phone}")
    for gap in roster.gaps(now, until):
        typer.echo(f"GAP nobody at step 0 from {gap.starts_at:%F %H:%M}Z to {gap.ends_at:%F %H:%M}Z")
