"""``undercroft devices``, ``undercroft quality``: what devices sent, and what people say of readings."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer

from ingest.timestamps import rfc3339_us
from undercroft.clock import SystemClock
from undercroft.errors import BadInput, PayloadInvalid
from undercroft.quality import Quality, QualityTest
from undercroft.settings import Settings
from undercroft.store.connection import Connection, connect
from undercroft.store.devices import SPANS, DeviceReport, fetch_device_reports, fetch_run_time
from undercroft.store.observations import instant
from undercroft.store.quality import Correction, flag_readings, list_flags, undo_flag

JsonOption = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
AuthorOption = Annotated[str | None, typer.Option(help="Who does it; default: the account's name.")]
ReasonOption = Annotated[str, typer.Option(help="Why; kept with the correction.")]


def register(app: typer.Typer) -> None:
    """Add ``undercroft devices`` and ``undercroft quality``."""
    app.command("devices")(devices)
    group = typer.Typer(
        help="Flags of readings: correct one (flag), take that back (undo), list them.", no_args_is_help=True
    )
    group.command("flag")(flag)
    group.command("undo")(undo)
    group.command("list")(list_corrections)
    app.add_typer(group, name="quality")


def devices(
    device: Annotated[str | None, typer.Option(help="Only this device.")] = None, as_json: JsonOption = False
) -> None:
    """Show messages expected and received by serial number, over the last hour and day."""
    with _connected() as connection:
        now = fetch_run_time(connection) or SystemClock().now()
        reports = fetch_device_reports(connection, now, device)
    if device is not None and not reports:
        raise BadInput(f"there is no device {device}")
    if as_json:
        typer.echo(json.dumps([_entry(report) for report in reports], indent=2, default=str))
        return
    for report in reports:
        typer.echo(_line(report))


def flag(
    sensor: Annotated[str, typer.Argument(help="device:quantity, or device/probe:quantity.")],
    since: Annotated[str, typer.Option("--from", help="First reading, RFC 3339.")],
    reason: ReasonOption,
    until: Annotated[str | None, typer.Option("--to", help="Last reading; default: only the first.")] = None,
    quality: Annotated[str, typer.Option(help="good, unknown, suspect, fail or missing.")] = "fail",
    author: AuthorOption = None,
) -> None:
    """Correct the flag of readings; the values stay."""
    correction = Correction(
        *_sensor(sensor), _time(since), _time(until or since), _quality(quality), _author(author), _said(reason)
    )
    if correction.observed_to < correction.observed_from:
        raise BadInput("--to is before --from")
    with _connected() as connection:
        acted_at = SystemClock().now()
        now = fetch_run_time(connection) or acted_at
        number, readings = flag_readings(connection, correction, acted_at, now)
    typer.echo(f"correction {number}: {correction.subject} is {quality} for {readings} readings")


def undo(
    correction: Annotated[int, typer.Argument(help="Number from the list.")],
    reason: ReasonOption,
    author: AuthorOption = None,
) -> None:
    """Take a correction back."""
    with _connected() as connection:
        undo_flag(connection, correction, _author(author), _said(reason), SystemClock().now())
    typer.echo(f"correction {correction} is undone")


def list_corrections(
    device: Annotated[str | None, typer.Option(help="Only this device.")] = None,
    tests: Annotated[bool, typer.Option("--tests", help="Those of tests too, not only of people.")] = False,
    most: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """List flags that were given after the reading was stored."""
    with _connected() as connection:
        rows = list_flags(connection, device_id=device, by_person=None if tests else True, most=most)
    for row in rows:
        row["tests"] = [test.name for test in QualityTest if test & row["quality_tests"]]
        row["quality"] = Quality(row["quality"]).name.lower()
    if as_json:
        typer.echo(json.dumps(rows, indent=2, default=str))
        return
    for row in rows:
        place = f"{row['device_id']}/{row['at']}" if row["at"] else row["device_id"]
        state = " (undone)" if row["undone"] else ""
        typer.echo(
            f"{row['quality_flag_id']}  {place}:{row['quantity']}  {row['observed_from']:%Y-%m-%dT%H:%M:%SZ} to "
            f"{row['observed_to']:%Y-%m-%dT%H:%M:%SZ}  {row['quality']}  {row['author']}: {row['reason']}{state}"
        )


def _entry(report: DeviceReport) -> dict[str, object]:
    spans = {span: {**asdict(counts), "missing": counts.missing} for span, counts in report.spans.items()}
    return {**asdict(report), "spans": spans}


def _line(report: DeviceReport) -> str:
    parts = [f"{report.device_id:<28}"]
    parts.append("silent for a day" if report.silent_s is None else f"heard {report.silent_s:.0f} s ago")
    if report.delay_s is not None and abs(report.delay_s) > 60:
        parts.append(f"clock {report.delay_s:+.0f} s behind")
    for span in SPANS:
        if (counts := report.spans.get(span)) is not None:
            parts.append(
                f"{span}: {counts.received} of {counts.expected}, {counts.restarts} restarts, {counts.repeats} repeats"
            )
    return "  ".join(parts)


def _sensor(text: str) -> tuple[str, str, str]:
    place, colon, quantity = text.partition(":")
    device_id, _, at = place.partition("/")
    if not colon or not device_id or not quantity:
        raise BadInput(f"{text!r} is not device:quantity or device/probe:quantity")
    return device_id, at, quantity


def _time(text: str) -> datetime:
    try:
        return instant(rfc3339_us(text))
    except PayloadInvalid as error:
        raise BadInput(f"{text!r} is not an RFC 3339 time with an offset") from error


def _quality(word: str) -> Quality:
    try:
        return Quality[word.upper()]
    except KeyError:
        raise BadInput(f"quality {word!r} is none of {', '.join(q.name.lower() for q in Quality)}") from None


def _said(reason: str) -> str:
    if not reason.strip():
        raise BadInput("a correction needs a reason")
    return reason.strip()


def _author(author: str | None) -> str:
    return author or getpass.getuser()


@contextmanager
def _connected() -> Iterator[Connection]:
    settings = Settings()
    if settings.database_url is None:
        raise BadInput("set UNDERCROFT_DATABASE_URL")
    url = settings.database_url.get_secret_value()
    with closing(connect(url, application_name="undercroft-quality", autocommit=True)) as connection:
        yield connection
