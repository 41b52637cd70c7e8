"""``undercroft fieldreport``: what people see on the spot, entered by hand through the one door."""

from __future__ import annotations

from typing import Annotated

import orjson
import typer

from undercroft.groups import group
from undercroft.quantities import BARRIER_STATE_BY_WORD

AsJson = Annotated[bool, typer.Option("--json", help="for machines")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    reports = group(app, "fieldreport", "What people see on the spot.")
    reports.command("add")(add_report)
    reports.command("list")(list_reports)


def add_report(  # noqa: PLR0913, PLR0917 - one argument per option
    place: Annotated[str, typer.Argument(metavar="SPACE[/ENTRANCE]", help="Where it was seen.")],
    by: Annotated[str, typer.Option(help="Who saw it.")],
    phone: Annotated[
        str | None, typer.Option(help="Of who saw it: only under the same one does a lower depth correct a depth.")
    ] = None,
    depth: Annotated[float | None, typer.Option("--depth-m", help="Water over the ground there, in metres.")] = None,
    barrier: Annotated[str | None, typer.Option(help=f"{', '.join(BARRIER_STATE_BY_WORD)}.")] = None,
    pump: Annotated[str | None, typer.Option(help="running, stopped.")] = None,
    closed: Annotated[bool | None, typer.Option("--closed/--reopened", help="To people, there or everywhere.")] = None,
    evacuated: Annotated[bool | None, typer.Option("--evacuated/--occupied", help="Nobody is left inside.")] = None,
    note: Annotated[str, typer.Option(help="Free text.")] = "",
    minutes: Annotated[float, typer.Option(help="How long it counts, at most 1440.")] = 60.0,
    at: Annotated[str | None, typer.Option("--at", help="When it was seen, RFC 3339; default: now.")] = None,
    as_json: AsJson = False,
) -> None:
    """Add a field report: a depth, a barrier state, a pump, a place closed to people or evacuated."""
    from duty.acts.acts import Act, perform  # noqa: PLC0415 - help starts faster
    from duty.door.entered import at_the_door  # noqa: PLC0415

    space, _, entrance = place.partition("/")
    said = {
        "entrance": entrance or None, "depth_m": depth, "barrier": barrier, "pump": pump, "closed": closed,
        "evacuated": evacuated, "by": by, "phone": phone, "note": note, "minutes": minutes, "observed_at": at,
    }  # fmt: skip
    body = {name: value for name, value in said.items() if value is not None}
    with at_the_door("fieldreport add", as_json=as_json) as (connection, actor, now):
        done = perform(connection, actor, Act("field_report", f"space/{space}", body), now)
    typer.echo(done.as_json() if as_json else f"field report of {place}: entry {done.entry_no} of the duty log")


def list_reports(as_json: AsJson = False) -> None:
    """List all field reports, in commit order."""
    from duty.door.entered import opened  # noqa: PLC0415
    from undercroft.store.acts import acts_of_kind  # noqa: PLC0415

    with opened("fieldreport list", as_json=as_json) as connection:
        rows = acts_of_kind(connection, "field_report")
    if as_json:
        typer.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
        return
    for row in rows:
        body = row["body"]
        place = row["subject"].removeprefix("space/") + (f"/{body['entrance']}" if body.get("entrance") else "")
        depth = "" if body.get("depth_m") is None else f"{body['depth_m']:g} m"
        pump = f"pump {body['pump']}" if body.get("pump") else ""
        back = "TAKEN BACK" if body.get("taken_back") else ""
        flags = [f"{'' if body[name] else 'not '}{name}" for name in ("closed", "evacuated") if name in body]
        said = "  ".join(
            part for part in (back, depth, body.get("barrier") or "", pump, *flags, body.get("note") or "") if part
        )
        typer.echo(f"{body.get('observed_at', '')}  {place}  {said}  by {body.get('by')}, entered by {row['author']}")
