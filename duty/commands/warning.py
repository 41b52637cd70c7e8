"""``undercroft warning``: rain warnings as the weather service issued them, entered by hand through the one door."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import orjson
import typer

from undercroft.errors import BadInput
from undercroft.groups import group
from undercroft.local_time import with_zone

AtOption = Annotated[str | None, typer.Option("--at", help="When it was issued, RFC 3339; default: now.")]
BasinOption = Annotated[list[str] | None, typer.Option("--basin", help="Only this basin; may be repeated.")]
StreetOption = Annotated[list[str] | None, typer.Option("--street", help="Only this street; may be repeated.")]
UntilOption = Annotated[str | None, typer.Option(help="Expected end, RFC 3339; it stays in force until ended.")]
NameArgument = Annotated[str, typer.Argument(metavar="ID", help="Name of the warning, e.g. 2026-0701-a.")]
ColourArgument = Annotated[str, typer.Argument(metavar="COLOUR", help="yellow, orange or red.")]
AsJson = Annotated[bool, typer.Option("--json", help="for machines")]


STATE_WORDS = {"in_force": ("生效", "in force"), "ended": ("已结束", "ended")}
COLOUR_WORDS = {
    "blue": ("蓝", "blue"), "yellow": ("黄", "yellow"), "orange": ("橙", "orange"), "red": ("红", "red"),
}  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the group."""
    warnings = group(app, "warning", "Rain warnings in force, as the weather service issued them.")
    warnings.command("enter")(enter)
    warnings.command("extend")(extend)
    warnings.command("change")(change)
    warnings.command("end")(end)
    warnings.command("list")(list_warnings)


def enter(
    warning: NameArgument,
    colour: ColourArgument,
    basin: BasinOption = None,
    street: StreetOption = None,
    until: UntilOption = None,
    at: AtOption = None,
    as_json: AsJson = False,
) -> None:
    """Enter a warning; without --basin and --street it covers the district."""
    said = {"colour": colour, "basins": basin or [], "streets": street or [], "until": until}

    def fresh(before: dict[str, Any] | None) -> dict[str, Any]:
        if before is not None:
            raise BadInput(f"warning enter: {warning} is in force; use `undercroft warning change` or `extend`")
        return said

    _say("warning enter", warning, fresh, at, as_json=as_json)


def extend(
    warning: NameArgument,
    basin: BasinOption = None,
    street: StreetOption = None,
    until: UntilOption = None,
    at: AtOption = None,
    as_json: AsJson = False,
) -> None:
    """Extend a warning to more basins or streets, or to a later expected end."""
    if not (basin or street or until):
        raise BadInput("warning extend: say --basin, --street or --until")

    def wider(before: dict[str, Any] | None) -> dict[str, Any]:
        body = _in_force(warning, before)
        if (basin or street) and not (body["basins"] or body["streets"]):
            raise BadInput(f"warning extend: {warning} covers the whole district already")
        basins, streets = {*body["basins"], *(basin or [])}, {*body["streets"], *(street or [])}
        return body | {"basins": sorted(basins), "streets": sorted(streets), "until": until or body.get("until")}

    _say("warning extend", warning, wider, at, as_json=as_json)


def change(warning: NameArgument, colour: ColourArgument, at: AtOption = None, as_json: AsJson = False) -> None:
    """Change the colour of a warning in force."""
    _say("warning change", warning, lambda before: _in_force(warning, before) | {"colour": colour}, at, as_json=as_json)


def end(warning: NameArgument, at: AtOption = None, as_json: AsJson = False) -> None:
    """End a warning."""
    _say("warning end", warning, lambda _: {"state": "ended"}, at, as_json=as_json)


def list_warnings(
    every: Annotated[bool, typer.Option("--all", help="ended ones too")] = False,
    zone: Annotated[str | None, typer.Option(help="of the times shown; default: the district's")] = None,
    as_json: AsJson = False,
) -> None:
    """List the warnings in force."""
    from duty.door.entered import opened, zone_in  # noqa: PLC0415 - help starts faster
    from undercroft.clock import SystemClock  # noqa: PLC0415
    from undercroft.store.acts import newest_acts  # noqa: PLC0415
    from undercroft.store.duty_acts import acting_time  # noqa: PLC0415

    with opened("warning list", as_json=as_json) as connection:
        rows, place = newest_acts(connection, "rain_warning"), zone_in(connection, zone)
        now = acting_time(connection, SystemClock().now())
    shown = [row for row in rows if every or row["body"].get("state", "in_force") != "ended"]
    if as_json:
        typer.echo(orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode())
        return
    for row in shown:
        body = row["body"]
        area = ", ".join([*body.get("basins", ()), *body.get("streets", ())]) or "全区 whole district"
        name = row["subject"].removeprefix("warning/")
        zh, en = STATE_WORDS[body.get("state", "in_force")]
        colour = " ".join(COLOUR_WORDS.get(body.get("colour"), ("-",)))
        until = _until_words(body, place, now)
        typer.echo(f"{name}  {colour}  {zh} {en}  {area}  {with_zone(row['acted_at'], place)}  {row['author']}{until}")


def _until_words(body: Mapping[str, Any], place: ZoneInfo, now: datetime) -> str:
    """Return the expected end, and that it is over where the warning is in force all the same."""
    if body.get("until") is None:
        return ""
    until = datetime.fromisoformat(body["until"])
    is_over = until <= now and body.get("state", "in_force") != "ended"
    over = "，已过，仍生效 past, still in force until ended" if is_over else ""
    return f"  至 until {with_zone(until, place)}{over}"


def _in_force(warning: str, before: dict[str, Any] | None) -> dict[str, Any]:
    if before is None:
        raise BadInput(f"warning: {warning} is not in force; see `undercroft warning list`")
    return before


def _say(
    command: str, warning: str, body_of: Callable[[dict[str, Any] | None], dict[str, Any]], at: str | None, *,
    as_json: bool,
) -> None:  # fmt: skip
    """Give what a warning says now to the door; ``body_of`` takes what it said before, None when not in force."""
    from duty.acts.acts import Act, in_force, perform  # noqa: PLC0415
    from duty.door.entered import at_the_door  # noqa: PLC0415

    with at_the_door(command, as_json=as_json) as (connection, actor, now):
        said = {"state": "in_force"} | body_of(in_force(connection, warning)) | ({"issued_at": at} if at else {})
        body = {name: value for name, value in said.items() if value is not None}
        done = perform(connection, actor, Act("rain_warning", f"warning/{warning}", body), now)
    state = body["state"].replace("_", " ")
    typer.echo(done.as_json() if as_json else f"warning {warning}: {state}; entry {done.entry_no} of the duty log")
