"""``undercroft dispatch`` and ``undercroft priority``: who sends what where, what comes first. Both only read."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from math import ceil, isfinite
from typing import Annotated, Any

import orjson
import typer

from undercroft.drill import say_drill
from undercroft.errors import BadInput
from undercroft.model import Severity
from undercroft.settings import Settings
from undercroft.store.connection import Connection, connect

JsonOption = Annotated[bool, typer.Option("--json", help="for machines")]
Row = dict[str, Any]


def register(app: typer.Typer) -> None:
    """Add both commands."""
    app.command("dispatch")(show_dispatch)
    app.command("priority")(show_priority)


@contextmanager
def _opened(command: str, *, as_json: bool) -> Iterator[Connection]:
    url = Settings().database_url
    if url is None:
        raise BadInput(f"{command}: set UNDERCROFT_DATABASE_URL, or start everything with `undercroft up`")
    with closing(
        connect(url.get_secret_value(), application_name="undercroft-priority", autocommit=True)
    ) as connection:
        say_drill(connection, as_json=as_json)
        yield connection


def _newest(connection: Connection, command: str) -> tuple[Row, list[Row]]:
    """Return the newest tick and the newest assessment of every space, worst first."""
    from undercroft.store import asof, engine  # noqa: PLC0415

    tick = engine.last_tick(connection)
    if tick is None:
        raise BadInput(f"{command}: the engine has not ticked yet")
    return tick, asof.assessments(connection, tick["tick_seq"], None)


def show_dispatch(
    every: Annotated[bool, typer.Option("--all", help="also for spaces that nothing threatens now")] = False,
    as_json: JsonOption = False,
) -> None:
    """Propose which depot sends what where before it is too late, and say what cannot be met."""
    from risk.supplies.plan import supply_plan  # noqa: PLC0415
    from risk.supplies.solve import TRAVEL_GAP  # noqa: PLC0415
    from undercroft.store.site import latest_site  # noqa: PLC0415
    from undercroft.store.supplies import stock_in_hand  # noqa: PLC0415

    with _opened("dispatch", as_json=as_json) as connection:
        tick, assessments = _newest(connection, "dispatch")
        site, stock = latest_site(connection)[1], stock_in_hand(connection)
    with prints_to_stderr():
        found = supply_plan(site, {row["space_id"]: row for row in assessments}, stock, every=every)
    if as_json:
        told = {"tick": tick, "needs": [_finite(asdict(need)) for need in found.needs]}
        told |= {"work": [asdict(work) for work in found.work]}
        told |= {"shipments": [_finite(asdict(shipment)) for shipment in found.plan.shipments]}
        told |= {"unmet": [asdict(unmet) for unmet in found.plan.unmet]}
        told |= _finite({"travel_gap": found.plan.travel_gap})
        told |= {"entrances_without_barrier": ["/".join(place) for place in found.coverage.missing]}
        typer.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
        return
    typer.echo(f"as of {tick['tick_at']:%F %T}Z; a proposal, people order")
    for sent in found.plan.shipments:
        leave = _leave(sent.leave_within_min, sent.late_min)
        way = f"{sent.depot} -> {sent.space}"
        typer.echo(
            f"send    {sent.quantity:>5} {sent.item:<12} {way:<50} {sent.arrives_min:.0f} min on the way, {leave}"
        )
    for left in found.plan.unmet:
        typer.echo(f"unmet   {left.quantity:>5} {left.item:<12} {left.space:<50} {left.why.value.replace('_', ' ')}")
    if found.plan.travel_gap > TRAVEL_GAP:
        typer.echo("note    the search was cut short: another plan may send as much with less travel")
    for work in found.work:
        boards = f", or {work.panels} flood panels in {work.panel_minutes:.0f} min" if work.panels else ""
        typer.echo(f"close   {work.people:>5} people       {work.space:<50} {work.minutes:.0f} min{boards}")
    coverage = found.coverage
    typer.echo(
        f"barriers: {coverage.needed - len(coverage.missing)} of {coverage.needed} entrances that need one have one"
    )
    for space, entrance in coverage.missing:
        typer.echo(f"none    {space}/{entrance}")


@contextmanager
def prints_to_stderr() -> Iterator[None]:
    """Send what C code prints to stderr meanwhile: HiGHS leaves remarks on stdout, which machines read as JSON."""
    sys.stdout.flush()
    stdout = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        ctypes.CDLL(None).fflush(None)
        os.dup2(stdout, 1)
        os.close(stdout)


def _leave(within_min: float, late_min: float) -> str:
    if late_min > 0.0:
        return f"leave now, comes {ceil(late_min)} min late"
    if not isfinite(within_min):
        return "no hurry"
    return "leave now" if within_min < 1.0 else f"leave within {within_min:.0f} min"


def _finite(row: Row) -> Row:
    return {name: None if isinstance(value, float) and not isfinite(value) else value for name, value in row.items()}


def show_priority(as_json: JsonOption = False) -> None:
    """Show the ten most urgent spaces, and how their ranks move with each weight 20 % up and down."""
    from risk.sensitivity import STEP, sensitivity_of  # noqa: PLC0415

    with _opened("priority", as_json=as_json) as connection:
        tick, assessments = _newest(connection, "priority")
    if not assessments:
        raise BadInput("priority: nothing is assessed yet")
    found = sensitivity_of(assessments)
    if as_json:
        told = {"tick": tick, "step": STEP, "top": [asdict(standing) for standing in found.top]}
        told |= {"entering": [dict(zip(("factor", "weight", "space"), row, strict=True)) for row in found.entering]}
        typer.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
        return
    levels = {entry["space_id"]: Severity(entry["level"]).word for entry in assessments}
    typer.echo(f"as of {tick['tick_at']:%F %T}Z; ranks with each weight {STEP:.0%} up and down, one at a time")
    for one in found.top:
        ranks = f"{one.rank:>2} ({one.best_rank}-{one.worst_rank})"
        scores = f"{one.score:5.1f} ({one.least_score:.1f}-{one.most_score:.1f})"
        typer.echo(f"{ranks:<10} {scores:<19} {levels[one.space]:<7} {one.space}")
    for factor, weight, space in found.entering:
        typer.echo(f"{space} enters the ten with {factor} at {weight:g}")
