"""``undercroft nowcast``: the members of a space's nowcast in force at a time, and what drove them."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from typing import Annotated

import orjson
import typer

from risk.asof import behind
from risk.inforce import InForce, nowcast_at
from risk.past_commands import build, import_, show, use
from undercroft.errors import BadInput
from undercroft.groups import group
from undercroft.store.connection import connect


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("nowcast")(show_nowcast)
    floods = group(app, "floods", "Libraries of past floods, from which the engine foresees.")
    for name, command in (("build", build), ("import", import_), ("use", use), ("list", show)):
        floods.command(name)(command)


def show_nowcast(
    space: Annotated[str, typer.Option(help="The space.")],
    at: Annotated[str | None, typer.Option("--at", help="RFC 3339 with offset; default: the newest tick.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False,
) -> None:
    """List the members of the nowcast in force, and what drove them, worked out again from the tick log."""
    from undercroft.instants import instant_of  # noqa: PLC0415
    from undercroft.settings import Settings  # noqa: PLC0415
    from undercroft.telemetry import configure_logging  # noqa: PLC0415

    settings = Settings()
    configure_logging(settings.log_format, service="nowcast")
    url = settings.database_url
    if url is None:
        raise BadInput("nowcast: set UNDERCROFT_DATABASE_URL, or start everything with `undercroft up`")
    instant = None if at is None else instant_of(at, "--at")
    with closing(connect(url.get_secret_value(), application_name="undercroft-nowcast", autocommit=True)) as connection:
        found = nowcast_at(connection, space, instant)
    remark = "" if instant is None else behind(found.tick, instant)
    if remark:
        typer.echo(f"nowcast: {remark}", err=True)
    if as_json:
        typer.echo(orjson.dumps(asdict(found), option=orjson.OPT_INDENT_2).decode())
    else:
        _print(found)


def _print(found: InForce) -> None:
    tick, told = found.tick, found.nowcast
    typer.echo(f"as of tick {tick['tick_seq']}, {tick['tick_at']:%F %T}Z: nowcast of tick {tick['nowcast_id']}")
    if told is None:
        typer.echo("the space was dry: nothing lies ahead of it")
        return
    if not told.known:
        typer.echo("unknown: what it would start from was never heard; no time and no share of the members is known")
    inputs = told.inputs
    for e in inputs["entrances"]:
        typer.echo(
            f"outside {e['entrance']:<16} level {_or_dash(e['level_m'])} m, crest {e['crest_m']} m,"
            f" rising {_or_dash(e['rise_m_min'])} m/min, barrier {e['barrier']}, by {e['sensor'] or 'no sensor'}"
        )
    if inputs["unseen_m3_min"]:
        typer.echo(f"unseen  {inputs['unseen_m3_min']} m3/min come in by the rise inside; nothing measures outside")
    typer.echo(
        f"inside  {_or_dash(inputs['inside_m3'])} m3 of {_or_dash(inputs['orange_at_m3'])} to orange,"
        f" {_or_dash(inputs['red_at_m3'])} to red; rain {_or_dash(inputs['rain_mm_h'])} mm/h;"
        f" pumps {inputs['pump_m3_s']} m3/s {'running' if inputs['pump_running'] else 'not running'}"
    )
    if told.past:
        floods = len({(one.sensor, one.started_at) for one in told.past})
        typer.echo(
            f"past    {len(told.past)} moments of {floods} floods, library {told.library}, like the sample of"
            f" {inputs['past_sample_age_s']:g} s ago; the heaviest:"
        )
        for one in told.past[:10]:
            typer.echo(
                f"        {one.started_at} {one.sensor:<32} minute {one.minute:5.0f}  weight {one.weight:.3f}"
                f"  {one.foreseen_m:.2f} m in half an hour"
            )
    typer.echo("driver                                share  likely orange, red   within 60 min")
    for d in told.drivers:
        times = f"{_or_dash(d.orange_likely_min):>8}, {_or_dash(d.red_likely_min):<6}"
        typer.echo(
            f"{d.assumption + ' ' + d.value:<36} {d.share:6.3f}  {times}  "
            f"{_or_dash(d.orange_within_60, '.2f')} {_or_dash(d.red_within_60, '.2f')}"
        )
    typer.echo("probability          members  after   formula  what each term adds to its logit")
    for w in told.weighed:
        terms = ", ".join(f"{name} {value:+g}" for name, value in w.terms.items())
        head = f"{w.severity} within {w.within_min:g} min"
        typer.echo(f"{head:<20} {_or_dash(w.members, '.3f'):>7}  {_or_dash(w.probability):<6}  {w.formula:<7}  {terms}")
    typer.echo("member  share   rain  street  barriers  pumps  orange    red")
    for number, m in enumerate(told.members, 1):
        typer.echo(
            f"{number:>6}  {m.share:.4f}  {m.rain_persistence:<4}  {m.rise_factor:<6}  {m.barriers:<8}  {m.pumps:<5}"
            f"  {_or_dash(m.orange_min):>6}  {_or_dash(m.red_min):>5}"
        )
    if found.as_written is not None:
        typer.echo(
            "worked out again from the log: " + ("the same" if found.as_written else "DIFFERS from what was written")
        )


def _or_dash(value: float | None, form: str = "g") -> str:
    return "-" if value is None else format(value, form)
