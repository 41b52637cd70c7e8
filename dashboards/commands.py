"""``undercroft dashboards``: build, push and check Grafana's dashboards."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from dashboards import build as building
from undercroft.errors import BadInput

Url = Annotated[str, typer.Option(help="Grafana's address.", envvar="UNDERCROFT_GRAFANA_URL")]

_TOKEN_VARIABLE = "UNDERCROFT_GRAFANA_TOKEN"  # noqa: S105 - the name of it


def register(app: typer.Typer) -> None:
    """Add ``undercroft dashboards``."""
    commands = typer.Typer(help="Grafana dashboards as code.", no_args_is_help=True)
    commands.command("build")(_build)
    commands.command("push")(_push)
    commands.command("check")(_check)
    app.add_typer(commands, name="dashboards")


def _build(
    *, check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if files are stale.")] = False
) -> None:
    """Write the dashboards' JSON files."""
    if check:
        building.require_built()
        typer.echo("as built")
        return
    typer.echo("\n".join(f"wrote {name}" for name in building.write()) or "as built")


def _push(url: Url) -> None:
    """Write the dashboards to a Grafana; the token is read from UNDERCROFT_GRAFANA_TOKEN."""
    from dashboards import grafana  # noqa: PLC0415 - its HTTP client is slow to load

    for uid in grafana.push(grafana.client(url, _token())):
        typer.echo(f"pushed {uid}")


def _check(url: Url) -> None:
    """Show how a Grafana differs from the code; exit code 1 if it does."""
    from dashboards import grafana  # noqa: PLC0415 - its HTTP client is slow to load

    found = grafana.drift(grafana.client(url, _token()))
    for drift in found:
        typer.echo(f"{drift.uid}: {drift.words}")
    if found:
        raise typer.Exit(1)
    typer.echo("as in the code")


def _token() -> str:
    token = os.environ.get(_TOKEN_VARIABLE, "")
    if not token:
        raise BadInput(f"{_TOKEN_VARIABLE} is not set: a service account's token, role Editor")
    return token
