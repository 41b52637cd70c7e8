"""``undercroft db hold``: what retention must keep, placed and released by whoever has the owner's URL."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from undercroft.clock import SystemClock
from undercroft.errors import BadInput
from undercroft.instants import instant_of
from undercroft.settings import Settings
from undercroft.store.holds import Hold, Wanted, list_holds, place_hold, release_holds

Incident = Annotated[str | None, typer.Option(help="The incident whose data it is about.")]
By = Annotated[str, typer.Option(help="Who asks for it; it stands with the hold.")]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


def holds() -> typer.Typer:
    """Return the group."""
    made = typer.Typer(help="What retention keeps for an incident; needs the owner's URL.", no_args_is_help=True)
    made.command("add")(_add)
    made.command("list")(_list)
    made.command("drop")(_drop)
    return made


def _add(
    reason: Annotated[str, typer.Option(help="Why it is kept.")],
    by: By,
    incident: Incident = None,
    since: Annotated[str | None, typer.Option("--from", help="RFC 3339; default: a day before the incident.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="RFC 3339; default: a day after the incident.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Keep the data of an incident, or of a stretch of time, until the hold is dropped."""
    wanted = Wanted(
        reason=_said(reason, "--reason"),
        author=_said(by, "--by"),
        incident_id=incident,
        held_from=None if since is None else instant_of(since, "--from"),
        held_to=None if until is None else instant_of(until, "--to"),
    )
    number = place_hold(_url(), wanted, SystemClock().now())
    typer.echo(json.dumps({"hold_id": number}) if as_json else f"hold {number} is in force")


def _list(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Released ones too.")] = False,
    as_json: Json = False,
) -> None:
    """Show the holds in force; an open incident of a place is one by itself for 60 days."""
    holds = list_holds(_url(), SystemClock().now(), released_too=everything)
    if as_json:
        typer.echo(json.dumps([asdict(hold) for hold in holds], default=str, ensure_ascii=False))
        return
    typer.echo("\n".join(_line(hold) for hold in holds) or "nothing is held")


def _drop(
    hold: Annotated[int | None, typer.Argument(metavar="[NUMBER]", help="Of `undercroft db hold list`.")] = None,
    *,
    by: By,
    incident: Incident = None,
    as_json: Json = False,
) -> None:
    """Release a hold, or all holds of an incident; retention takes what has become old within the hour."""
    if (hold is None) == (incident is None):
        raise BadInput("name a hold by its number, or an incident with --incident")
    released = release_holds(_url(), _said(by, "--by"), SystemClock().now(), hold_id=hold, incident_id=incident)
    typer.echo(json.dumps({"released": released}) if as_json else f"released: {', '.join(map(str, released))}")


def _line(hold: Hold) -> str:
    until = "" if hold.held_to is None else f"{hold.held_to:%F %H:%MZ}"
    about = f" {hold.incident_id}" if hold.incident_id else ""
    stretch = f"{hold.held_from:%F %H:%MZ} to {until or '...'}"
    if hold.hold_id is None:
        return f"-{about}: {hold.held_from:%F %H:%MZ} to ...: the incident is open; it holds by itself until {until}"
    released = "" if hold.released_at is None else f"; released {hold.released_at:%F} by {hold.released_by}"
    return f"{hold.hold_id}{about}: {stretch}: {hold.reason} ({hold.author}, {hold.placed_at:%F}){released}"


def _said(text: str, option: str) -> str:
    if not text.strip():
        raise BadInput(f"{option} says nothing")
    return text.strip()


def _url() -> str:
    url = Settings().database_url
    if url is None:
        raise BadInput("UNDERCROFT_DATABASE_URL is not set")
    return url.get_secret_value()
