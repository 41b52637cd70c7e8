"""``undercroft incident``: list, draft a report, list reports, those that are due, hand in, CAP, load."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import orjson
import typer

from duty.options import DutyConfig, database_url
from undercroft.clock import SystemClock
from undercroft.drill import say_drill
from undercroft.errors import BadInput
from undercroft.groups import group
from undercroft.local_time import local, zone_of
from undercroft.store.connection import Connection, connect


def register(app: typer.Typer) -> None:
    """Add these commands."""
    incidents = group(app, "incident", "Incidents: reports, CAP, alarm load.")
    incidents.command("list")(list_incidents)
    incidents.command("report")(draft_report)
    incidents.command("reports")(list_reports)
    incidents.command("due")(list_due)
    incidents.command("submit")(submit_report)
    incidents.command("cap")(export_cap)
    incidents.command("caps")(list_caps)
    incidents.command("load")(show_load)


AsJson = Annotated[bool, typer.Option("--json", help="for machines")]
IncidentId = Annotated[str, typer.Argument(help="as `incident list` names it")]
Serial = Annotated[int, typer.Argument(help="0 for the one by phone, else as `incident reports` numbers it")]
Plain = Annotated[bool, typer.Option("--plain/--no-plain", help="as text without marks, to be read out or pasted")]
Zone = Annotated[str, typer.Option(help="of the times shown")]
Out = Annotated[Path | None, typer.Option(help="write here instead of to standard output")]


@contextmanager
def _opened(command: str, *, as_json: bool) -> Iterator[tuple[Connection, datetime]]:
    from undercroft.store.duty_acts import acting_time  # noqa: PLC0415 - help starts faster

    with closing(connect(database_url(command), application_name="undercroft-paper", autocommit=True)) as connection:
        say_drill(connection, as_json=as_json)
        yield connection, acting_time(connection, SystemClock().now())


def _put(text: bytes, out: Path | None) -> None:
    if out is None:
        typer.echo(text.decode(), nl=False)
        return
    try:
        out.write_bytes(text)
    except OSError as error:
        raise BadInput(f"{out}: {error.strerror}") from error


def _as_json(value: object) -> None:
    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode())


def list_incidents(zone: Zone = "Asia/Shanghai", as_json: AsJson = False) -> None:
    """List the newest incidents."""
    from undercroft.store import duty_reports as store  # noqa: PLC0415

    place = zone_of(zone)
    with _opened("incident list", as_json=as_json) as (connection, _):
        rows = store.incidents(connection)
    if as_json:
        _as_json(rows)
        return
    for row in rows:
        state = "open" if row["closed_at"] is None else f"until {local(row['closed_at'], place)}"
        typer.echo(f"{row['incident_id']:<40} worst {row['worst']}  {state}  {row['name_zh']} {row['name_en']}")


def draft_report(
    incident_id: IncidentId, plain: Plain = False, out: Out = None, zone: Zone = "Asia/Shanghai",
    config: DutyConfig = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Draft the next report (初报 续报 终报) from logged facts; it is kept and printed, never sent."""
    from duty.door.entered import at_the_door  # noqa: PLC0415
    from duty.file import limits_in  # noqa: PLC0415
    from duty.reports import reports  # noqa: PLC0415
    from duty.reports.acts import draft_report as draft  # noqa: PLC0415

    place, limits = zone_of(zone), limits_in(config)
    with at_the_door("incident report", as_json=as_json) as (connection, actor, now):
        drafted = draft(connection, actor, incident_id, now, limits, place)
    text, tally = drafted.row["text"], drafted.tally
    if as_json:
        _as_json({"report": drafted.row, "tally": tally})
        return
    _put((reports.plain(text) if plain else text).encode(), out)
    typer.echo(f"on time {tally.on_time}, late {tally.late}, missing {tally.missing}", err=True)


def list_reports(
    incident_id: IncidentId, config: DutyConfig = None, zone: Zone = "Asia/Shanghai", as_json: AsJson = False
) -> None:
    """List the reports of an incident: handed in, drafted, still to come, and how many are late and missing."""
    from duty.file import limits_in  # noqa: PLC0415
    from duty.reports import paper  # noqa: PLC0415

    limits, place = limits_in(config), zone_of(zone)
    with _opened("incident reports", as_json=as_json) as (connection, now):
        case = paper.load_case(connection, incident_id)
    left, (_, tally) = paper.to_come(case, now, limits), paper.asked_for(case, now, limits)
    drafted = {row["serial"] for row in case.reports}
    if as_json:
        items = [{name: value for name, value in row.items() if name != "text"} for row in case.reports]
        to_come = [{**asdict(entry), "is_drafted": entry.serial in drafted} for entry in left]
        _as_json({"incident_id": incident_id, "tally": tally, "to_come": to_come, "items": items})
        return
    for row in case.reports:
        if row["submitted_at"]:
            due = f"due {local(row['due_at'], place)}  " if row["due_at"] else ""
            handed_in = f"handed in {local(row['submitted_at'], place)} by {row['submitted_by']}"
            typer.echo(f"{row['serial']:>3}  {row['kind']:<9}  {due}{handed_in}")
    for entry in left:
        state = "draft" if entry.serial in drafted else "to come"
        due = f"due {local(entry.due_at, place)}"
        typer.echo(f"{entry.serial:>3}  {entry.kind.value:<9}  {due}  {state}, {_left(entry.due_at, now)}")
    typer.echo(f"on time {tally.on_time}, late {tally.late}, missing {tally.missing}")


def _left(due_at: datetime, now: datetime) -> str:
    minutes = (due_at - now).total_seconds() / 60
    return f"{minutes:.0f} min left" if minutes >= 0 else f"MISSING for {-minutes:.0f} min"


def list_due(zone: Zone = "Asia/Shanghai", as_json: AsJson = False) -> None:
    """List what has to be handed in of every incident, what is missing first, and count it, as the notifier does."""
    from duty.late.report_lateness import TALLY_OVER  # noqa: PLC0415
    from duty.reports.reports import ReportKind, title_of  # noqa: PLC0415
    from undercroft.store import duty_late as store  # noqa: PLC0415

    place = zone_of(zone)
    with _opened("incident due", as_json=as_json) as (connection, now):
        items, tally = store.reports_due(connection, now), store.report_tally(connection, now, now - TALLY_OVER)
    if as_json:
        _as_json({"now": now, "tally": tally, "items": items})
        return
    for row in items:
        zh, en = title_of(ReportKind(row["kind"]), row["serial"])
        state = f"draft by {row['author']}" if row["drafted_at"] else "to come"
        told = f", {row['reminders']} reminders" if row["reminders"] else ""
        typer.echo(
            f"{_left(row['due_at'], now):<20}  {row['incident_id']}  {row['serial']:>3} {zh} {en}, {state},"
            f" due {local(row['due_at'], place)}{told}"
        )
    typer.echo(
        f"missing {tally['missing']}, to come {tally['to_come']}; in 24 h on time {tally['on_time']},"
        f" late {tally['late']}; reminders {tally['reminders']}"
    )


def submit_report(incident_id: IncidentId, serial: Serial, as_json: AsJson = False) -> None:
    """Record that you handed a report in; number 0 is the first one, by phone."""
    from duty.acts.acts import Act, perform  # noqa: PLC0415
    from duty.door.entered import at_the_door  # noqa: PLC0415

    with at_the_door("incident submit", as_json=as_json) as (connection, actor, now):
        done = perform(connection, actor, Act("submit_report", f"incident/{incident_id}", {"serial": serial}), now)
    typer.echo(done.as_json() if as_json else f"entry {done.entry_no} of the duty log")


def export_cap(  # noqa: PLR0913, PLR0917 - one argument per option
    incident_id: IncidentId,
    sender: Annotated[str, typer.Argument(help="who sends it, a domain or address of yours, e.g. flood.example.org")],
    area_code: Annotated[str, typer.Option(help="GB/T 2260 code of the area")] = "440304",
    sender_name: Annotated[str | None, typer.Option(help="name to show, English")] = None,
    sender_name_zh: Annotated[str | None, typer.Option(help="name to show, Chinese")] = None,
    reference: Annotated[
        list[str] | None,
        typer.Option(metavar="SENDER,IDENTIFIER,SENT", help="an earlier message; makes an Update, at the end a Cancel"),
    ] = None,
    out: Out = None, zone: Zone = "Asia/Shanghai",
) -> None:  # fmt: skip
    """Write the incident as CAP 1.2, status Draft, or Exercise in a drill; to stderr, the reference for the next."""
    from duty.door.entered import at_the_door  # noqa: PLC0415
    from duty.reports import cap  # noqa: PLC0415
    from duty.reports.cap_acts import export_cap as export  # noqa: PLC0415

    place = zone_of(zone)
    origin = cap.origin_of(sender, sender_name_zh, sender_name, area_code, place, reference or [])
    with at_the_door("incident cap", as_json=True) as (connection, actor, now):
        made = export(connection, actor, incident_id, origin, now)
    _put(made.row["xml"].encode(), out)
    typer.echo(f"--reference {made.row['reference']}", err=True)


def list_caps(incident_id: IncidentId, as_json: AsJson = False) -> None:
    """List the CAP messages that were made of an incident, each with the reference that a later one names it by."""
    from undercroft.store import duty_cap as store  # noqa: PLC0415

    with _opened("incident caps", as_json=as_json) as (connection, _):
        rows = store.messages(connection, incident_id)
    if as_json:
        _as_json([{name: value for name, value in row.items() if name != "xml"} for row in rows])
        return
    for row in rows:
        typer.echo(f"{row['kind']:<7} by {row['author']}  --reference {row['reference']}")
    if not rows:
        typer.echo("no CAP message was made of this incident")


def show_load(
    incident_id: IncidentId,
    operators: Annotated[int, typer.Option(min=1, help="how many share the load")] = 1,
    as_json: AsJson = False,
) -> None:
    """Show the alarm load of an incident against EEMUA 191 and ISA-18.2."""
    from duty.incidents.load import MANAGEABLE_PER_WINDOW, load_of  # noqa: PLC0415
    from duty.incidents.rows import event_of  # noqa: PLC0415
    from duty.reports import paper  # noqa: PLC0415

    with _opened("incident load", as_json=as_json) as (connection, now):
        case = paper.load_case(connection, incident_id)
    load = load_of(
        [event_of(row) for row in case.events], case.row["opened_at"], case.row["closed_at"] or now, operators
    )
    if as_json:
        _as_json(load)
        return
    typer.echo(f"alarms {load.alarms}; per 10 min and operator {load.per_window_per_operator:.2f}"
               f" (manageable {MANAGEABLE_PER_WINDOW:g}); peak {load.peak_window} in 10 min")  # fmt: skip
    typer.echo(f"flood {load.flood_share:.1%} of the time{', now' if load.flood_now else ''}")
    slowest = "-" if load.ack_slowest_s is None else f"{load.ack_slowest_s:.0f} s"
    typer.echo(f"slowest acknowledgement {slowest}; never acknowledged {load.never_acknowledged}")
    for subject, times in load.top:
        typer.echo(f"{times:4}  {subject}{'  chattering' if subject in load.chattering else ''}")
