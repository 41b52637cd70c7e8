"""``undercroft stock``: supplies in hand, and their movements, entered by hand through the one door."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
import typer

from undercroft.groups import group

Place = Annotated[str, typer.Argument(metavar="PLACE", help="depot/<id> or space/<id>.")]
Item = Annotated[str, typer.Argument(help="sandbag, flood-panel, mobile-pump ...")]
Reason = Annotated[str, typer.Option(help="Why: delivered, sent to a space, used, came back, stock taking ...")]
AsJson = Annotated[bool, typer.Option("--json", help="for machines")]
Of = Annotated[str | None, typer.Option("--place", help="Only this depot or space, by its id.")]

MOST_LISTED = 1000


def register(app: typer.Typer) -> None:
    """Add the group."""
    stock = group(app, "stock", "Supplies in hand, and who moved what.")
    stock.command("move", context_settings={"ignore_unknown_options": True})(move)
    stock.command("count")(count)
    stock.command("list")(list_stock)
    stock.command("movements")(list_movements)


def move(
    place: Place,
    item: Item,
    quantity: Annotated[float, typer.Argument(help="How many more; below 0: how many fewer.")],
    reason: Reason,
    as_json: AsJson = False,
) -> None:
    """Say that supplies came or went."""
    _say("stock move", place, {"item": item, "quantity": quantity, "reason": reason}, as_json=as_json)


def count(
    place: Place,
    item: Item,
    quantity: Annotated[float, typer.Argument(help="How many are there.")],
    reason: Reason = "counted",
    as_json: AsJson = False,
) -> None:
    """Say that somebody counted what is there."""
    _say("stock count", place, {"item": item, "counted": quantity, "reason": reason}, as_json=as_json)


def _say(command: str, place: str, body: dict[str, Any], *, as_json: bool) -> None:
    from duty.acts.acts import Act, perform  # noqa: PLC0415 - help starts faster
    from duty.door.entered import at_the_door  # noqa: PLC0415

    with at_the_door(command, as_json=as_json) as (connection, actor, now):
        done = perform(connection, actor, Act("stock_movement", place, body), now)
    typer.echo(done.as_json() if as_json else f"{body['item']} at {place}: entry {done.entry_no} of the duty log")


def list_stock(place: Of = None, as_json: AsJson = False) -> None:
    """List what every depot and space holds: what a sensor counts, else what movements left."""
    from duty.door.entered import opened  # noqa: PLC0415
    from undercroft.store.supplies import stock_in_hand  # noqa: PLC0415

    with opened("stock list", as_json=as_json) as connection:
        held = sorted(stock_in_hand(connection, place).items())
    if as_json:
        rows = [{"place": at, "item": item, "quantity": quantity} for (at, item), quantity in held]
        typer.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
        return
    for (at, item), quantity in held:
        typer.echo(f"{quantity:>8g} {item:<20} {at}")


def list_movements(
    place: Of = None,
    zone: Annotated[str | None, typer.Option(help="of the times shown; default: the district's")] = None,
    as_json: AsJson = False,
) -> None:
    """List movements, newest first."""
    from duty.door.entered import opened, zone_in  # noqa: PLC0415
    from undercroft.local_time import with_zone  # noqa: PLC0415
    from undercroft.store.supplies import movements  # noqa: PLC0415

    with opened("stock movements", as_json=as_json) as connection:
        rows, where = movements(connection, place, MOST_LISTED), zone_in(connection, zone)
    if as_json:
        typer.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
        return
    for row in rows:
        said = f"= {row['counted']:g}" if row["quantity"] is None else f"{row['quantity']:+g}"
        what = f"{said:>8} {row['item']:<16} {row['place_id']:<24} 余 {row['quantity_left']:g} left"
        typer.echo(f"{with_zone(row['acted_at'], where)} {what}  {row['author']}: {row['reason']}")
