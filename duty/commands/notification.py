"""``undercroft notifications``: what was sent to whom, whether it was taken, and in which words it was refused."""

from __future__ import annotations

from typing import Annotated, Any
from zoneinfo import ZoneInfo

import orjson
import typer

from undercroft.errors import BadInput
from undercroft.groups import group
from undercroft.local_time import zone_of

AsJson = Annotated[bool, typer.Option("--json", help="for machines")]
Zone = Annotated[str, typer.Option(help="of the times shown")]
MOST_ROWS = 1000


def register(app: typer.Typer) -> None:
    """Add the group."""
    notifications = group(app, "notifications", "Messages: who was told what, and what became of it.")
    notifications.command("list")(list_notifications)
    notifications.command("show")(show_notification)


def list_notifications(  # noqa: PLR0913, PLR0917 - one argument per option
    incident: Annotated[str | None, typer.Option(help="of this incident")] = None,
    alarm: Annotated[
        str | None, typer.Option(help="that tell of this alarm: space/<id>, device/<id>, system/<name>")
    ] = None,
    person: Annotated[str | None, typer.Option(help="to this person, as the roster names them")] = None,
    channel: Annotated[str | None, typer.Option(help="by this channel")] = None,
    state: Annotated[
        str | None,
        typer.Option(help="open, or one of queued, sending, accepted, handed_over, merged, held, failed"),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST_ROWS, help="so many of the newest")] = 50,
    zone: Zone = "Asia/Shanghai",
    as_json: AsJson = False,
) -> None:
    """List messages, newest first, each with what became of it."""
    from duty.door.entered import opened  # noqa: PLC0415 - help starts faster
    from undercroft.store import notifications as store  # noqa: PLC0415

    if state is not None and state != "open" and state not in store.STATES:
        states = ", ".join(("open", *store.STATES))
        raise BadInput(f"notifications list: --state: found {state!r}, expected one of {states}")
    if alarm is not None and "/" not in alarm:
        raise BadInput(f"notifications list: --alarm: found {alarm!r}, expected a subject such as space/futian-01")
    place = zone_of(zone)
    asked = store.Asked(incident, alarm, person, channel, store.states_of(state))
    with opened("notifications list", as_json=as_json) as connection:
        found = store.notifications(connection, asked, limit)
    if as_json:
        typer.echo(_json(found))
        return
    for row in found:
        typer.echo(_line(row, place))
    if not found:
        typer.echo("no message fits")


def show_notification(
    number: Annotated[int, typer.Argument(min=1, help="as `notifications list` names it")],
    zone: Zone = "Asia/Shanghai",
    as_json: AsJson = False,
) -> None:
    """Show one message: its text, every time, and the service's own words."""
    from duty.door.entered import opened  # noqa: PLC0415 - help starts faster
    from undercroft.store import notifications as store  # noqa: PLC0415

    place = zone_of(zone)
    with opened("notifications show", as_json=as_json) as connection:
        row = store.notification(connection, number)
    if row is None:
        raise BadInput(f"notifications show: there is no message {number}; see `undercroft notifications list`")
    if as_json:
        typer.echo(_json(row))
        return
    typer.echo(_line(row, place))
    typer.echo(f"  key {row['key']}  cause {row['cause']}  address {row['address']}  attempts {row['attempts']}")
    for name in ("decided_at", "queued_at", "first_attempt_at", "next_try_at", "settled_at"):
        if row[name] is not None:
            typer.echo(f"  {name.removesuffix('_at').replace('_', ' '):<13} {row[name].astimezone(place):%F %T}")
    if row["receipt"]:
        typer.echo(f"  receipt       {row['receipt']}")
    if row["merged_into"] is not None:
        typer.echo(f"  carried by    {row['merged_into']}")
    if row["carries"]:
        typer.echo(f"  carries       {', '.join(map(str, row['carries']))}")
    typer.echo(f"\n{row['body']}")


def _line(row: dict[str, Any], zone: ZoneInfo) -> str:
    severity = ("normal", "blue", "yellow", "orange", "red")[row["severity"]]
    when, why = f"{row['queued_at'].astimezone(zone):%m-%d %T}", f"{severity:<6}  {row['reason']:<10}"
    told = f"{row['notification_id']:>6}  {when}  {row['state']:<11}  {why}"
    also = f" (also {', '.join(row['also_for'])})" if row["also_for"] else ""
    line = f"{told}  step {row['step']} {row['person_id']}{also} by {row['channel']}  {row['incident_id']}"
    return f"{line}  {row['error']}" if row["error"] else line


def _json(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
