"""``undercroft warning`` and ``undercroft fieldreport``: what sensors do not say, entered by hand."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from typing import Annotated, Any

import orjson
import typer

from risk.warnings import COLOUR_RANK
from undercroft.errors import BadInput
from undercroft.groups import group
from undercroft.quantities import BARRIER_STATE_BY_WORD
from undercroft.settings import Settings
from undercroft.site.model import Site, Space
from undercroft.store.connection import Connection

AtOption = Annotated[str | None, typer.Option("--at", help="When it happened, RFC 3339; default: now.")]
AuthorOption = Annotated[str | None, typer.Option(help="Who enters it; default: the account's name.")]
BasinOption = Annotated[list[str] | None, typer.Option("--basin", help="Only this basin; may be repeated.")]
StreetOption = Annotated[list[str] | None, typer.Option("--street", help="Only this street; may be repeated.")]
UntilOption = Annotated[str | None, typer.Option(help="Expected end, RFC 3339; it stays in force until ended.")]
JsonOption = Annotated[bool, typer.Option("--json", help="for machines")]
NameArgument = Annotated[str, typer.Argument(metavar="ID", help="Name of the warning, e.g. 2026-0701-a.")]
ColourArgument = Annotated[str, typer.Argument(metavar="COLOUR", help="yellow, orange or red.")]


def register(app: typer.Typer) -> None:
    """Add both groups."""
    warnings = group(app, "warning", "Rain warnings in force, as the weather service issued them.")
    warnings.command("enter")(enter)
    warnings.command("extend")(extend)
    warnings.command("change")(change)
    warnings.command("end")(end)
    warnings.command("list")(list_warnings)
    reports = group(app, "fieldreport", "What people see on the spot.")
    reports.command("add")(add_report)
    reports.command("list")(list_reports)


def enter(
    warning: NameArgument,
    colour: ColourArgument,
    basin: BasinOption = None,
    street: StreetOption = None,
    until: UntilOption = None,
    at: AtOption = None,
    author: AuthorOption = None,
) -> None:
    """Enter a warning; without --basin and --street it covers the district."""
    body = {"colour": _colour(colour), "basins": basin or [], "streets": street or [], "until": _time(until, "--until")}
    with _database("warning enter") as connection:
        if _body(connection, warning) is not None:
            raise BadInput(f"warning enter: {warning} is in force; use `undercroft warning change` or `extend`")
        _record_warning(connection, warning, body, at, author)


def extend(
    warning: NameArgument,
    basin: BasinOption = None,
    street: StreetOption = None,
    until: UntilOption = None,
    at: AtOption = None,
    author: AuthorOption = None,
) -> None:
    """Extend a warning to more basins or streets, or to a later expected end."""
    if not (basin or street or until):
        raise BadInput("warning extend: say --basin, --street or --until")
    with _database("warning extend") as connection:
        body = _in_force(connection, warning)
        if (basin or street) and not (body["basins"] or body["streets"]):
            raise BadInput(f"warning extend: {warning} covers the whole district already")
        body["basins"] = sorted({*body["basins"], *(basin or [])})
        body["streets"] = sorted({*body["streets"], *(street or [])})
        body["until"] = _time(until, "--until") or body.get("until")
        _record_warning(connection, warning, body, at, author)


def change(warning: NameArgument, colour: ColourArgument, at: AtOption = None, author: AuthorOption = None) -> None:
    """Change the colour of a warning in force."""
    with _database("warning change") as connection:
        body = _in_force(connection, warning) | {"colour": _colour(colour)}
        _record_warning(connection, warning, body, at, author)


def end(warning: NameArgument, at: AtOption = None, author: AuthorOption = None) -> None:
    """End a warning."""
    with _database("warning end") as connection:
        body = _in_force(connection, warning) | {"state": "ended"}
        _record_warning(connection, warning, body, at, author)


def list_warnings(
    every: Annotated[bool, typer.Option("--all", help="ended ones too")] = False, as_json: JsonOption = False
) -> None:
    """List the warnings in force."""
    from undercroft.store.acts import newest_acts  # noqa: PLC0415

    with _database("warning list") as connection:
        rows = newest_acts(connection, "rain_warning")
    shown = [row for row in rows if every or row["body"].get("state", "in_force") != "ended"]
    if as_json:
        typer.echo(orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode())
        return
    for row in shown:
        body = row["body"]
        area = ", ".join([*body.get("basins", ()), *body.get("streets", ())]) or "whole district"
        name = row["subject"].removeprefix("warning/")
        state = body.get("state", "in_force").replace("_", " ")
        typer.echo(
            f"{name}  {body.get('colour', '-'):<6}  {state:<8}  {area}  {row['acted_at']:%F %T}Z  {row['author']}"
        )


def add_report(
    place: Annotated[str, typer.Argument(metavar="SPACE[/ENTRANCE]", help="Where it was seen.")],
    by: Annotated[str, typer.Option(help="Who saw it.")],
    depth: Annotated[float | None, typer.Option("--depth-m", help="Water over the ground there, in metres.")] = None,
    barrier: Annotated[str | None, typer.Option(help=f"{', '.join(BARRIER_STATE_BY_WORD)}.")] = None,
    note: Annotated[str, typer.Option(help="Free text.")] = "",
    minutes: Annotated[float, typer.Option(min=1, max=1440, help="How long it counts.")] = 60.0,
    at: AtOption = None,
) -> None:
    """Add a field report: a depth, a barrier state, or both."""
    from risk.reports import MOST_DEPTH_M  # noqa: PLC0415
    from undercroft.store.acts import act_time, record_act  # noqa: PLC0415
    from undercroft.store.site import latest_site  # noqa: PLC0415

    if depth is None and barrier is None:
        raise BadInput("fieldreport add: say --depth-m or --barrier")
    if depth is not None and not 0.0 <= depth <= MOST_DEPTH_M:
        raise BadInput(f"fieldreport add: --depth-m {depth:g} is not between 0 and {MOST_DEPTH_M:g} m")
    if barrier is not None and barrier not in BARRIER_STATE_BY_WORD:
        raise BadInput(f"fieldreport add: --barrier {barrier!r} is not one of {', '.join(BARRIER_STATE_BY_WORD)}")
    with _database("fieldreport add") as connection:
        space, entrance = _place(latest_site(connection)[1], place)
        if barrier is not None and entrance is None:
            raise BadInput(f"fieldreport add: say which entrance: {space.id}/{space.entrances[0].id}")
        acted_at = act_time(connection, _now())
        seen_at = _instant(at, "--at") or acted_at
        body = {
            "entrance": entrance, "depth_m": depth, "barrier": barrier, "by": by, "note": note,
            "observed_at": seen_at.isoformat(), "expires_at": (seen_at + timedelta(minutes=minutes)).isoformat(),
        }  # fmt: skip
        seq = record_act(connection, "field_report", f"space/{space.id}", getpass.getuser(), acted_at, body)
    typer.echo(f"field report of {place} recorded as act {seq}")


def list_reports(as_json: JsonOption = False) -> None:
    """List all field reports, in commit order."""
    from undercroft.store.acts import acts_of_kind  # noqa: PLC0415

    with _database("fieldreport list") as connection:
        rows = acts_of_kind(connection, "field_report")
    if as_json:
        typer.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
        return
    for row in rows:
        body = row["body"]
        place = row["subject"].removeprefix("space/") + (f"/{body['entrance']}" if body.get("entrance") else "")
        depth = "" if body.get("depth_m") is None else f"{body['depth_m']:g} m"
        said = "  ".join(part for part in (depth, body.get("barrier") or "", body.get("note") or "") if part)
        typer.echo(f"{body.get('observed_at', '')}  {place}  {said}  by {body.get('by')}, entered by {row['author']}")


@contextmanager
def _database(command: str) -> Iterator[Connection]:
    from undercroft.store.connection import connect  # noqa: PLC0415

    url = Settings().database_url
    if url is None:
        raise BadInput(f"{command}: set UNDERCROFT_DATABASE_URL, or start everything with `undercroft up`")
    with closing(connect(url.get_secret_value(), application_name="undercroft-acts", autocommit=True)) as connection:
        yield connection


def _now() -> datetime:
    from undercroft.clock import SystemClock  # noqa: PLC0415

    return SystemClock().now()


def _instant(text: str | None, option: str) -> datetime | None:
    return None if text is None else instant_of(text, option)


def instant_of(text: str, option: str) -> datetime:
    """Return an instant that was typed in.

    Raises
    ------
    BadInput
        If it is not RFC 3339 with an offset.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"{option} {text!r} is not RFC 3339, e.g. 2026-07-01T08:00:00+08:00") from error
    if found.tzinfo is None:
        raise BadInput(f"{option} {text!r} has no offset, e.g. {text}+08:00")
    return found


def _time(text: str | None, option: str) -> str | None:
    found = _instant(text, option)
    return None if found is None else found.isoformat()


def _colour(colour: str) -> str:
    if colour not in COLOUR_RANK:
        raise BadInput(f"warning: colour {colour!r} is not one of {', '.join(COLOUR_RANK)}")
    return colour


def _place(site: Site, place: str) -> tuple[Space, str | None]:
    name, _, entrance = place.partition("/")
    space = next((known for known in site.spaces if known.id == name), None)
    if space is None:
        raise BadInput(f"fieldreport add: the site has no space {name!r}")
    if entrance and entrance not in {known.id for known in space.entrances}:
        known = ", ".join(known.id for known in space.entrances)
        raise BadInput(f"fieldreport add: {name} has no entrance {entrance!r}; it has {known}")
    return space, entrance or None


def _body(connection: Connection, warning: str) -> dict[str, Any] | None:
    from undercroft.store.acts import newest_acts  # noqa: PLC0415

    for row in newest_acts(connection, "rain_warning"):
        if row["subject"] == f"warning/{warning}" and row["body"].get("state", "in_force") != "ended":
            body: dict[str, Any] = {"basins": [], "streets": []} | row["body"]
            return body
    return None


def _in_force(connection: Connection, warning: str) -> dict[str, Any]:
    body = _body(connection, warning)
    if body is None:
        raise BadInput(f"warning: {warning} is not in force; see `undercroft warning list`")
    return body


def _record_warning(
    connection: Connection, warning: str, body: dict[str, Any], at: str | None, author: str | None
) -> None:
    from undercroft.store.acts import act_time, record_act  # noqa: PLC0415
    from undercroft.store.site import latest_site  # noqa: PLC0415

    _, site = latest_site(connection)
    basins = {basin.id for basin in site.basins} | {space.basin for space in site.spaces}
    streets = {space.street for space in site.spaces}
    for given, known, what in ((body["basins"], basins, "basin"), (body["streets"], streets, "street")):
        missing = sorted(set(given) - known)
        if missing:
            raise BadInput(f"warning: the site has no {what} {missing[0]!r}; it has {', '.join(sorted(known))}")
    acted_at = _instant(at, "--at") or act_time(connection, _now())
    complete = {"state": "in_force"} | body
    seq = record_act(connection, "rain_warning", f"warning/{warning}", author or getpass.getuser(), acted_at, complete)
    typer.echo(f"warning {warning}: {complete['colour']}, {complete['state'].replace('_', ' ')}; act {seq}")
