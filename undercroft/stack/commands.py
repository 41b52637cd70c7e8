"""``undercroft up``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from undercroft.model import Mode
from undercroft.settings import Settings
from undercroft.stack.stopping import ends_on_signal
from undercroft.stack.up import UpOptions, run_up
from undercroft.telemetry import configure_logging

Port = Annotated[int | None, typer.Option(min=0, max=65535, help="Default: the usual one, or the next free one.")]


def register(app: typer.Typer) -> None:
    """Add ``undercroft up``."""
    app.command()(up)


def up(
    mode: Annotated[Mode, typer.Option(help="What the database is for.")] = Mode.LIVE,
    site: Annotated[
        Path | None, typer.Option(help="Site file to put in force; default: what the database has, else the sample.")
    ] = None,
    mqtt_port: Port = None,
    api_port: Port = None,
) -> None:
    """Run the whole system; servers are embedded where no URL is set. SIGINT and SIGTERM end it."""
    settings = Settings()
    configure_logging(settings.log_format, service="up")
    with ends_on_signal() as stay:
        run_up(settings, UpOptions(mode, site, mqtt_port, api_port), typer.echo, stay)
