"""``undercroft order``: issue, step, list, show."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
import typer

from duty.entered import at_the_door, opened
from undercroft.clock import SystemClock
from undercroft.errors import BadInput
from undercroft.groups import group

AsJson = Annotated[bool, typer.Option("--json", help="for machines")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    orders = group(app, "order", "What is asked of somebody, and its confirmation.")
    orders.command("issue")(issue_order)
    orders.command("step")(step_order)
    orders.command("list")(list_orders)
    orders.command("show")(show_order)


def issue_order(
    subject: Annotated[str, typer.Argument(help="space/<id>")],
    proof: Annotated[str, typer.Argument(help="barrier_deployed, entrance_closed, pump_running, evacuated, checked")],
    owner: Annotated[str, typer.Argument(help="who has to do it")],
    entrance: Annotated[str, typer.Option(help="at this entrance")] = "",
) -> None:
    """Issue an order from the template of the space's kind."""
    from duty.order_acts import order  # noqa: PLC0415
    from duty.orders import Proof  # noqa: PLC0415

    if proof not in set(Proof):
        raise BadInput(f"order issue: {proof!r} is not one of {', '.join(Proof)}")
    with at_the_door("order issue") as (connection, actor, now):
        typer.echo(order(connection, actor, subject, Proof(proof), owner, now, entrance).order_id)


def step_order(
    order_id: str,
    step: Annotated[str, typer.Argument(help="take, confirm, refuse, cancel, issue")],
    note: Annotated[str, typer.Option(help="why, or what was seen")] = "",
) -> None:
    """Move an order on; a confirmation that the sensors contradict says so."""
    from duty.order_acts import order_step  # noqa: PLC0415

    with at_the_door("order step") as (connection, actor, now):
        done = order_step(connection, actor, order_id, step, now, note)
    typer.echo(f"entry {done.entry_no} of the duty log")
    if done.disagreement:
        typer.echo(f"DISAGREEMENT {done.disagreement}")


def list_orders(
    every: Annotated[bool, typer.Option("--all", help="confirmed and cancelled ones too")] = False,
    as_json: AsJson = False,
) -> None:
    """List the orders that wait for somebody, each with its clock and owner."""
    from duty.order_view import standing  # noqa: PLC0415 - help starts faster
    from undercroft.store import duty_acts as store  # noqa: PLC0415

    with opened("order list") as connection:
        now = store.acting_time(connection, SystemClock().now())
        orders = [standing(row, now) for row in store.orders(connection, is_open=None if every else True)]
    if as_json:
        typer.echo(orjson.dumps(orders, option=orjson.OPT_INDENT_2).decode())
        return
    for order in orders:
        typer.echo(_line(order))
    if not orders:
        typer.echo("no order" if every else "no order waits for anybody")


def show_order(order_id: str, as_json: AsJson = False) -> None:
    """Show one order and every step it took."""
    from duty.order_view import standing  # noqa: PLC0415 - help starts faster
    from undercroft.store import duty_acts as store  # noqa: PLC0415

    with opened("order show") as connection:
        now = store.acting_time(connection, SystemClock().now())
        rows = store.orders(connection, order_id=order_id)
        if not rows:
            raise BadInput(f"order show: there is no order {order_id}; see `undercroft order list --all`")
        order, steps = standing(rows[0], now), store.order_history(connection, order_id)
    if as_json:
        typer.echo(orjson.dumps(order | {"steps": steps}, option=orjson.OPT_INDENT_2).decode())
        return
    typer.echo(_line(order))
    typer.echo(f"  {order['text_zh']} {order['text_en']}")
    for step in steps:
        said = " ".join(part for part in (step["note"], step["disagreement"]) if part)
        typer.echo(f"  {step['at']:%F %T}Z  {step['step']:<8} {step['author']}  {said}  (log {step['entry_no']})")


def _line(order: dict[str, Any]) -> str:
    where = order["subject"] + (f"/{order['entrance']}" if order["entrance"] else "")
    line = f"{order['order_id']}  {order['state']:<9}  {_clock(order):<16}  {order['proof']:<16}  {where}"
    return f"{line}  {order['owner']}" + (f"  DISAGREEMENT {order['disagreement']}" if order["disagreement"] else "")


def _clock(order: dict[str, Any]) -> str:
    if order["left_s"] is not None:
        minutes = abs(order["left_s"]) / 60
        return f"LATE {minutes:.0f} min" if order["is_late"] else f"{minutes:.0f} min left"
    if order["holds"] is not None:
        return f"until {order['confirmed_until']:%H:%M}Z" if order["holds"] else "no longer holds"
    return "-"
