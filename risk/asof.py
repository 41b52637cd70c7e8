"""``undercroft asof``: exactly what staff could see at a time, from the tick log, and whether the engine says so again.

The tick in force is the newest one at or before the time. Shown are each space's newest assessment up to that tick, the
alarms as the alarm log leaves them there, and each sensor's newest reading that was committed when the tick was taken:
what arrived later, however old it was, is not there; nor what a sensor said of another place before it was moved.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import orjson
import typer

from risk.suppression import SUPPRESSED, UNSUPPRESSED
from undercroft.errors import BadInput
from undercroft.model import Severity
from undercroft.store import asof as store
from undercroft.store.connection import Connection, connect
from undercroft.store.site import site_at

Row = dict[str, Any]
ENDS = frozenset({"cleared", "stood_down"})


@dataclass(frozen=True, slots=True)
class Picture:
    """What could be seen at a tick."""

    tick: Row
    spaces: list[Row]
    alarms: list[Row]
    observations: list[Row]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("asof")(asof)


def asof(
    at: Annotated[str | None, typer.Option("--at", help="RFC 3339 with offset; default: the newest tick.")] = None,
    space: Annotated[str | None, typer.Option(help="Only this space.")] = None,
    verify: Annotated[bool, typer.Option(help="Have the engine work it out again from the log and compare.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False,
) -> None:
    """Show what staff could see at a time, or see now; of one space also whether people can get out."""
    from undercroft.instants import instant_of  # noqa: PLC0415
    from undercroft.settings import Settings  # noqa: PLC0415
    from undercroft.telemetry import configure_logging  # noqa: PLC0415

    settings = Settings()
    configure_logging(settings.log_format, service="asof")
    url = settings.database_url
    if url is None:
        raise BadInput("asof: set UNDERCROFT_DATABASE_URL, or start everything with `undercroft up`")
    with closing(connect(url.get_secret_value(), application_name="undercroft-asof", autocommit=True)) as connection:
        instant = None if at is None else instant_of(at, "--at")
        picture = picture_at(connection, instant, space)
        differing = differences(connection, picture.tick["tick_seq"]) if verify else None
    remark = "" if instant is None else behind(picture.tick, instant)
    if remark:
        typer.echo(f"asof: {remark}", err=True)
    if as_json:
        shown = {"tick": picture.tick, "spaces": picture.spaces, "alarms": picture.alarms}
        shown |= {"observations": picture.observations} | ({} if differing is None else {"differences": differing})
        typer.echo(orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode())
    else:
        _print(picture, differing, people=space is not None)
    if differing:
        raise typer.Exit(1)


def picture_at(connection: Connection, at: datetime | None, space: str | None = None) -> Picture:
    """Return what could be seen at a time; None: at the newest tick.

    Raises
    ------
    BadInput
        If the engine had not ticked yet, or knew no such space.
    """
    from risk.said_there import said_there  # noqa: PLC0415

    tick = store.newest_tick(connection) if at is None else store.tick_at(connection, at)
    when = "" if at is None else f" at {at.isoformat()}"
    if tick is None:
        raise BadInput(f"asof: the engine had not ticked yet{when}")
    seq = tick["tick_seq"]
    spaces = store.assessments(connection, seq, space)
    if space is not None and not spaces:
        raise BadInput(f"asof: nothing was known of a space {space!r}{when}")
    alarms = open_alarms(store.alarm_events(connection, seq, space))
    readings = said_there(
        store.observations(connection, tick, space), lambda version: site_at(connection, version)[1], tick["tick_at"]
    )
    return Picture(tick, spaces, alarms, readings)


def behind(tick: Row, asked: datetime) -> str:
    """Return a remark where no tick was taken for a minute before the time asked: what is shown is older; else none.

    The engine ticks at least every 5 s live, and every minute in a run.
    """
    late_min = (asked - tick["tick_at"]).total_seconds() / 60.0
    if late_min <= 1.0:
        return ""
    late = f"{late_min:.0f} min" if late_min < 120.0 else f"{late_min / 60.0:.1f} h"
    return f"the newest tick then, {tick['tick_at']:%F %T}Z, is {late} older than {asked.isoformat()}"


def open_alarms(events: list[Row]) -> list[Row]:
    """Return the alarms that an alarm log leaves open, worst first, with their last reasons."""
    known: dict[str, Row] = {}
    for event in events:
        subject = event["subject"]
        if event["kind"] == "raised":
            known[subject] = {"subject": subject, "raised_at": event["tick_at"], "reasons": []}
            known[subject] |= {"acknowledged": False, "shelved_until": None, "suppressed_by": None}
        if subject not in known or event["kind"] == "refused":
            continue
        if event["kind"] in ENDS:
            del known[subject]
            continue
        alarm = known[subject]
        alarm["severity"], alarm["occurrence"] = event["severity"], event["occurrence"]
        alarm["reasons"] = event["reasons"] or alarm["reasons"]
        if event["kind"] in {"shelved", "unshelved"}:
            alarm["shelved_until"] = event["detail"].get("until")
        if event["kind"] in {SUPPRESSED, UNSUPPRESSED}:
            alarm["suppressed_by"] = event["detail"]["by"] if event["kind"] == SUPPRESSED else None
        alarm["acknowledged"] = event["kind"] == "acknowledged" or (
            alarm["acknowledged"] and event["kind"] not in {"raised", "severity_up", "reason_added"}
        )
    return sorted(known.values(), key=lambda alarm: (-alarm["severity"], alarm["raised_at"], alarm["subject"]))


def differences(connection: Connection, tick_seq: int) -> list[str]:
    """Fold the log again up to a tick; return where it says anything but what was written then."""
    from risk.refold import refolded  # noqa: PLC0415

    after, outputs, severities = refolded(connection, tick_seq)
    said = {
        (entry.space_id, output.tick_seq): (entry.level, entry.score, entry.reasons)
        for output in outputs
        for entry in output.assessments
    }
    written = {
        (row["space_id"], row["tick_seq"]): (row["level"], row["score"], row["reasons"])
        for row in store.assessments_between(connection, after, tick_seq)
    }
    found = [
        f"assessment of {space} at tick {tick}"
        for space, tick in sorted(said.keys() | written.keys())
        if said.get((space, tick)) != written.get((space, tick))
    ]
    stored = {
        alarm["subject"]: alarm["severity"] for alarm in open_alarms(store.alarm_events(connection, tick_seq, None))
    }
    return found + [
        f"alarm of {subject}: {severities.get(subject, 0)}, written {stored.get(subject, 0)}"
        for subject in sorted(severities.keys() | stored.keys())
        if severities.get(subject, 0) != stored.get(subject, 0)
    ]


def _print(picture: Picture, differing: list[str] | None, *, people: bool) -> None:
    tick = picture.tick
    typer.echo(f"as of tick {tick['tick_seq']}, {tick['tick_at']:%F %T}Z, inputs up to {tick['up_to_commit_seq']}")
    for row in picture.spaces:
        reason = row["reasons"][0]["text_en"] if row["reasons"] else ""
        blind = "  blind" if row["blind"] else ""
        typer.echo(f"{Severity(row['level']).word:<7} {row['score']:5.1f}  {row['space_id']:<40}{blind}  {reason}")
        for told in (row["evidence"].get("people") or []) if people else ():
            typer.echo(f"people  {told['text_en']}; by {told['sensor']}, {told['age_s']:.0f} s old at the tick")
    for alarm in picture.alarms:
        mark = "acknowledged" if alarm["acknowledged"] else "open"
        if alarm["shelved_until"] is not None:
            mark += f", shelved until {alarm['shelved_until']}"
        if alarm["suppressed_by"] is not None:
            mark += f", suppressed: follows from {alarm['suppressed_by']}"
        typer.echo(f"alarm   {Severity(alarm['severity']).word:<7} {alarm['subject']:<40} {mark}")
    for row in picture.observations:
        name = f"{row['device_id']}{'/' + row['at'] if row['at'] else ''}:{row['quantity']}"
        typer.echo(f"reading {name:<40} {row['value']:g} {row['unit']}  {row['observed_at']:%F %T}Z  q{row['quality']}")
    for line in differing or ():
        typer.echo(f"DIFFERS {line}")
    if differing == []:
        typer.echo("worked out again from the log: the same")
