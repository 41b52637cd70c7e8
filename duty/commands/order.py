"""``undercroft order``: propose, issue, step, list, tally, show."""

from __future__ import annotations

from typing import Annotated, Any
from zoneinfo import ZoneInfo

import orjson
import typer

from duty.door.entered import at_the_door, opened
from undercroft.clock import SystemClock
from undercroft.errors import BadInput
from undercroft.groups import group
from undercroft.local_time import local, zone_of

AsJson = Annotated[bool, typer.Option("--json", help="for machines")]
Zone = Annotated[str, typer.Option(help="of the times shown")]
OrderId = Annotated[str, typer.Argument(help="as `order list` names it")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    orders = group(app, "order", "What is asked of somebody, and its confirmation.")
    orders.command("propose")(propose_orders)
    orders.command("issue")(issue_order)
    orders.command("step")(step_order)
    orders.command("list")(list_orders)
    orders.command("tally")(tally_orders)
    orders.command("show")(show_order)


def propose_orders(subject: Annotated[str, typer.Argument(help="space/<id>")], as_json: AsJson = False) -> None:
    """Show what the templates would have ordered at a space as it stands now, and who leads it (四个一)."""
    from duty.orders.acts import proposed  # noqa: PLC0415 - help starts faster
    from duty.orders.view import four  # noqa: PLC0415

    with opened("order propose", as_json=as_json) as connection:
        found = proposed(connection, subject)
    if as_json:
        typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
        return
    for entry in found:
        where = f"  出入口 at {', '.join(entry['entrances'])}" if entry["entrances"] else ""
        said = f"{entry['text_zh']} {entry['text_en']}{where}"
        typer.echo(f"{entry['proof']:<16}  {entry['within_s'] / 60:.0f} min  {said}")
    typer.echo(f"  {four(found[0]).line}" if found else f"{subject}: the templates order nothing below yellow")


def issue_order(
    subject: Annotated[str, typer.Argument(help="space/<id>")],
    proof: Annotated[str, typer.Argument(help="barrier_deployed, entrance_closed, pump_running, evacuated, checked")],
    owner: Annotated[str, typer.Argument(help="who has to do it")],
    entrance: Annotated[str, typer.Option(help="at this entrance")] = "",
    second: Annotated[
        bool, typer.Option("--second", help="on purpose beside the same order that is open there already")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Issue an order from the template of the space's kind."""
    from duty.orders.acts import order  # noqa: PLC0415
    from duty.orders.orders import Proof  # noqa: PLC0415

    if proof not in set(Proof):
        raise BadInput(f"order issue: {proof!r} is not one of {', '.join(Proof)}")
    with at_the_door("order issue", as_json=as_json) as (connection, actor, now):
        done = order(connection, actor, subject, Proof(proof), owner, now, entrance, second=second)
    typer.echo(done.as_json() if as_json else done.order_id)


def step_order(
    order_id: OrderId,
    step: Annotated[str, typer.Argument(help="take, confirm, undo (a confirmation), refuse, cancel, issue")],
    note: Annotated[str, typer.Option(help="why, or what was seen")] = "",
    as_json: AsJson = False,
) -> None:
    """Move an order on; a confirmation that the sensors contradict says so."""
    from duty.orders.acts import order_step  # noqa: PLC0415

    with at_the_door("order step", as_json=as_json) as (connection, actor, now):
        done = order_step(connection, actor, order_id, step, now, note)
    if as_json:
        typer.echo(done.as_json())
        return
    typer.echo(f"entry {done.entry_no} of the duty log")
    if done.disagreement:
        typer.echo(f"DISAGREEMENT {done.disagreement}")


def list_orders(
    every: Annotated[bool, typer.Option("--all", help="all that were confirmed or cancelled too")] = False,
    zone: Zone = "Asia/Shanghai",
    as_json: AsJson = False,
) -> None:
    """List the orders that wait for somebody, each with its clock and owner; so does one contradicted or expired."""
    from duty.orders.view import standing, waits  # noqa: PLC0415 - help starts faster
    from undercroft.store import duty_acts as store  # noqa: PLC0415

    place = zone_of(zone)
    with opened("order list", as_json=as_json) as connection:
        now = store.order_time(connection, store.acting_time(connection, SystemClock().now()))
        shown = [standing(row, now, place) for row in store.orders(connection, is_open=None if every else True)]
    orders = [order for order in shown if every or waits(order)]
    if as_json:
        typer.echo(orjson.dumps(orders, option=orjson.OPT_INDENT_2).decode())
        return
    for order in orders:
        typer.echo(_line(order, place))
    if not orders:
        typer.echo("no order" if every else "no order waits for anybody")


def tally_orders(as_json: AsJson = False) -> None:
    """Count the orders that wait and are late now, and those of the last 24 hours confirmed in time and late."""
    from duty.orders.view import TALLY_OVER  # noqa: PLC0415 - help starts faster
    from undercroft.store import duty_acts as store  # noqa: PLC0415

    with opened("order tally", as_json=as_json) as connection:
        now = store.order_time(connection, store.acting_time(connection, SystemClock().now()))
        tally = store.order_tally(connection, now, now - TALLY_OVER)
    if as_json:
        typer.echo(orjson.dumps(tally, option=orjson.OPT_INDENT_2).decode())
        return
    typer.echo(
        f"waiting {tally['waiting']}, late {tally['late']}, expired {tally['expired']};"
        f" in 24 h confirmed in time {tally['confirmed_in_time']},"
        f" late {tally['confirmed_late']}, refused {tally['refused']}; reminders {tally['reminders']}"
    )


def show_order(order_id: OrderId, zone: Zone = "Asia/Shanghai", as_json: AsJson = False) -> None:
    """Show one order and every step it took."""
    from duty.orders.view import four, standing  # noqa: PLC0415 - help starts faster
    from undercroft.store import duty_acts as store  # noqa: PLC0415

    place = zone_of(zone)
    with opened("order show", as_json=as_json) as connection:
        now = store.order_time(connection, store.acting_time(connection, SystemClock().now()))
        rows = store.orders(connection, order_id=order_id)
        if not rows:
            raise BadInput(f"order show: there is no order {order_id}; see `undercroft order list --all`")
        order, steps = standing(rows[0], now, place), store.order_history(connection, order_id)
    if as_json:
        typer.echo(orjson.dumps(order | {"steps": steps}, option=orjson.OPT_INDENT_2).decode())
        return
    typer.echo(_line(order, place))
    typer.echo(f"  {order['text_zh']} {order['text_en']}")
    typer.echo(f"  {four(order).line}")
    if order["reminders"]:
        typer.echo(f"  {order['reminders']} reminders, up to step {order['reminded_step']} of the roster")
    for step in steps:
        said = " ".join(part for part in (step["note"], step["disagreement"]) if part)
        typer.echo(
            f"  {step['at'].astimezone(place):%F %T}  {step['step']:<8} {step['author']}  {said}"
            f"  (log {step['entry_no']})"
        )


def _line(order: dict[str, Any], zone: ZoneInfo) -> str:
    from duty.orders.view import against, expiry  # noqa: PLC0415 - help starts faster

    where = order["subject"] + (f"/{order['entrance']}" if order["entrance"] else "")
    line = f"{order['order_id']}  {order['state']:<9}  {_clock(order, zone):<16}  {order['proof']:<16}  {where}"
    said = (order["owner"], against(order), expiry(order, lambda at: local(at, zone)))
    return "  ".join([line, *(part for part in said if part)])


def _clock(order: dict[str, Any], zone: ZoneInfo) -> str:
    if order["left_s"] is not None:
        minutes = abs(order["left_s"]) / 60
        return f"LATE {minutes:.0f} min" if order["is_late"] else f"{minutes:.0f} min left"
    if order["holds"] is not None:
        until = f"{order['confirmed_until'].astimezone(zone):%H:%M}"
        return f"until {until}" if order["holds"] else "EXPIRED" if order["expired"] else f"held until {until}"
    return "-"
