"""Commands of this part for the ``undercroft`` command line."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import orjson
import typer

from undercroft.errors import BadInput
from undercroft.groups import group
from undercroft.settings import Settings
from undercroft.telemetry import configure_logging


def register(app: typer.Typer) -> None:
    """Add this part's commands."""
    app.command("risk")(run_risk)
    group(app, "bench", "Figures beside their limits, measured now.").command("engine")(bench_engine)
    alarms = group(app, "alarms", "The alarms and their log.")
    alarms.command("export")(export_alarms)
    alarms.command("list")(list_alarms)


def _database_url(command: str) -> str:
    url = Settings().database_url
    if url is None:
        raise BadInput(f"{command}: set UNDERCROFT_DATABASE_URL, or start everything with `undercroft up`")
    return url.get_secret_value()


def run_risk() -> None:
    """Run the risk engine over a database until a signal."""
    from risk.run import StopFlag, run_engine  # noqa: PLC0415 - other commands start faster without numpy
    from undercroft.clock import SystemClock  # noqa: PLC0415
    from undercroft.stack.ready import announce_ready  # noqa: PLC0415

    configure_logging(Settings().log_format, service="risk")
    stop = StopFlag()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run_engine(_database_url("risk"), SystemClock(), stop, announce_ready)


def bench_engine(
    as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False,
    spaces: Annotated[int, typer.Option(min=100, help="spaces of the site")] = 10_000,
) -> None:
    """Measure tick, nowcast and commit to alarm over 10,000 spaces; exit code 1 when a figure misses its limit."""
    from risk.bench import nowcast_figures, tick_figures  # noqa: PLC0415
    from risk.bench_chain import chain_figures  # noqa: PLC0415
    from risk.bench_past import past_figures  # noqa: PLC0415
    from undercroft.bench import print_figures  # noqa: PLC0415
    from undercroft.clock import SystemClock  # noqa: PLC0415

    clock = SystemClock().monotonic_s
    figures = [
        *tick_figures(clock, time.process_time, spaces),
        *nowcast_figures(clock, time.process_time, spaces),
        *past_figures(clock, time.process_time, spaces),
        *chain_figures(spaces),
    ]
    if not print_figures(figures, as_json=as_json):
        raise typer.Exit(1)


def export_alarms(
    canonical: Annotated[bool, typer.Option("--canonical", help="the form that two runs are compared by")] = False,
    out: Annotated[Path | None, typer.Option(help="write here instead of to standard output")] = None,
) -> None:
    """Print the alarm log as JSON Lines; with --out also say its SHA-256."""
    from risk.canonical import canonical_log, log_sha256  # noqa: PLC0415
    from undercroft.store.connection import connect  # noqa: PLC0415
    from undercroft.store.engine import alarm_events  # noqa: PLC0415

    if not canonical:
        raise BadInput("alarms export: say --canonical; there is no other form")
    with closing(connect(_database_url("alarms export"), application_name="undercroft-alarms")) as connection:
        text = canonical_log(alarm_events(connection))
    if out is None:
        typer.echo(text.decode(), nl=False)
        return
    try:
        out.write_bytes(text)
    except OSError as error:
        raise BadInput(f"alarms export: {out}: {error.strerror}") from error
    typer.echo(log_sha256(text))


def list_alarms(
    as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False,
    every: Annotated[bool, typer.Option("--all", help="ended ones too")] = False,
    zone: Annotated[str | None, typer.Option(help="of the times shown; default: the district's")] = None,
) -> None:
    """List the open alarms with their reasons, worst first."""
    from undercroft.drill import say_drill  # noqa: PLC0415
    from undercroft.local_time import zone_of  # noqa: PLC0415
    from undercroft.store.connection import connect  # noqa: PLC0415
    from undercroft.store.engine import alarms  # noqa: PLC0415
    from undercroft.store.site import district_timezone  # noqa: PLC0415

    with closing(connect(_database_url("alarms list"), application_name="undercroft-alarms")) as connection:
        say_drill(connection, as_json=as_json)
        rows = alarms(connection, open_only=not every)
        place = zone_of(zone or district_timezone(connection))
    if as_json:
        typer.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
        return
    for row in rows:
        typer.echo(_alarm_lines(row, place))
    if not rows:
        typer.echo("没有未结束的报警 no alarm is open" if not every else "没有报警 no alarm")


def _alarm_lines(row: Mapping[str, Any], place: ZoneInfo) -> str:
    """Return an alarm in two lines: what, where, since when and whose; then its first reason.

    Where a milder reason came since, a third comes before it: what made it so grave, and when.
    """
    from risk.wording import LEVELS_ZH  # noqa: PLC0415
    from undercroft.local_time import with_zone  # noqa: PLC0415
    from undercroft.model import Severity  # noqa: PLC0415

    taken = "已接警 taken" if row["acknowledged"] else "无人接警 nobody has taken it"
    state = f"未结束 open, {taken}" if row["active"] else "已结束 ended"
    word = f"{LEVELS_ZH[row['severity']]} {Severity(row['severity']).word}"
    named = f" {row['name_zh']} {row['name_en']}" if row["name_zh"] else ""
    lines = [_words_of(row["reasons"][0])] if row["reasons"] else []
    worst = max((why["severity"] for why in row["reasons"]), default=0)
    if row["active"] and row["severity_reasons"] and worst < row["severity"]:
        since = with_zone(row["severity_since"], place)
        lines.insert(0, f"{word} 始于 since {since}:  {_words_of(row['severity_reasons'][0])}")
    head = f"{word}  {row['subject']}{named}  {with_zone(row['raised_at'], place)}  {state}"
    return "\n    ".join([head, *lines])


def _words_of(reason: Mapping[str, Any]) -> str:
    return f"{reason['text_zh']}  {reason['text_en']}"
