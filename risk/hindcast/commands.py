"""``undercroft hindcast``: how good the forecasts would have been."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from risk.hindcast.compare_commands import compare
from risk.hindcast.floodnet import report, run_hindcast
from risk.hindcast.floodnet_csv import read_events, write_alarms
from risk.nowcast.outside import Target
from undercroft.errors import BadInput
from undercroft.groups import group
from undercroft.writable import must_be_writable


def register(app: typer.Typer) -> None:
    """Add the ``hindcast`` commands."""
    hindcast = group(app, "hindcast", "Score alarms and forecasts on storms of the past and on generated ones.")
    hindcast.command("floodnet")(floodnet)
    hindcast.command("compare")(compare)


def floodnet(
    events: Annotated[Path, typer.Argument(help="FloodNet flood events, CSV.")],
    sensors: Annotated[Path, typer.Option(help="FloodNet sensor metadata, CSV.")],
    out: Annotated[Path, typer.Option(help="Where to write one row per event.")],
    threshold_m: Annotated[float, typer.Option(help="Depth that is forecast. [m]")] = 0.15,
    horizon_min: Annotated[float, typer.Option(help="Within how long. [min]")] = 30.0,
    probability: Annotated[float, typer.Option(help="Alarm when the probability reaches this.")] = 0.5,
    score_from: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Score only events from this day; the rest is history."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the scores as JSON.")] = False,
) -> None:
    """Run the nowcast over observed street floods, in time order, and score it beside simple alarms."""
    _must(0.0 < threshold_m <= 10.0, "--threshold-m must be above 0 and at most 10")
    _must(0.0 < horizon_min <= 1440.0, "--horizon-min must be above 0 and at most 1440, a day")
    _must(0.0 < probability <= 1.0, "--probability must be above 0 and at most 1")
    must_be_writable(out, "--out")
    rows = read_events(events, sensors)
    if score_from is not None:
        is_any = any(row.started_at.date() >= score_from.date() for row in rows)
        _must(is_any, f"--score-from {score_from:%Y-%m-%d}: {events} has no event from that day")
    hindcast = run_hindcast(rows, Target(threshold_m, horizon_min * 60.0))
    alarms, crossings = hindcast.alarms_s(probability), hindcast.crossings_s()
    try:
        write_alarms(out, zip(rows, alarms.tolist(), crossings.tolist(), strict=True))
    except OSError as error:
        raise BadInput(f"{out}: {error.strerror}") from error
    scores = report(hindcast, probability, score_from.date() if score_from else None)
    typer.echo(json.dumps(scores, indent=2) if as_json else _text(scores))


def _must(claim: bool, message: str) -> None:
    if not claim:
        raise BadInput(message)


def _text(scores: dict[str, Any]) -> str:
    """Return the report as lines for people."""
    lines = [
        f"Depth {scores['threshold_m']} m within {scores['horizon_min']:g} min, alarm at probability "
        f"{scores['probability']:g}, events from {scores['score_from'] or 'the first'}"
    ]
    for part in scores["parts"]:
        lines += [
            "",
            f"{part['name']}: {part['events']} events, {part['crossings']} crossings: hits {part['hits']}, misses "
            f"{part['misses']}, false alarms {part['false_alarms']}, quiet {part['quiet']}",
            f"  POD {part['pod']}  FAR {part['far']}  CSI {part['csi']} (90 %: {part['csi_90_percent'][0]} to "
            f"{part['csi_90_percent'][1]})  Brier {part['brier']}",
            f"  lead of hits, min (10, 25, 50, 75, 90 %): {part['lead_min']}; median if every flood were foreseen "
            f"at its first sample: {part['longest_median_lead_min']}",
            f"  median lead  simple CSI  nowcast CSI  gap closed  (simple alarm; probability, chosen on "
            f"{'earlier' if part['frontier'][0]['held_out'] else 'these'} events; its median lead here)",
        ]
        lines += [_frontier_line(row) for row in part["frontier"]]
        lines.append("  forecast  observed  cases  events  within max(0.1, 2 SE)")
        lines += [
            f"  {row['forecast']:8.2f}  {row['observed']:8.2f}  {row['cases']:5d}  {row['events']:6d}  "
            f"{'yes' if row['reliable'] else 'NO'}"
            for row in part["reliability"]
        ]
    return "\n".join(lines)


def _frontier_line(row: dict[str, Any]) -> str:
    closed = "-" if row["gap_closed"] is None else f"{row['gap_closed']:.2f}"
    return (
        f"  >= {row['lead_min']:4.0f} min   {row['simple_csi']:10.3f}  {row['csi']:11.3f}  {closed:>10}"
        f"  ({row['simple']}; {row['probability']}; {row['median_lead_min']} min)"
    )
