"""Commands of this part for the ``undercroft`` command line."""

from __future__ import annotations

from typing import Annotated

import typer

from duty.options import DutyConfig
from undercroft.clock import SystemClock
from undercroft.errors import BadInput
from undercroft.settings import Settings
from undercroft.telemetry import configure_logging


def register(app: typer.Typer) -> None:
    """Add this part's commands."""
    app.command("api")(serve_api)


def serve_api(
    host: Annotated[str | None, typer.Option(help="address to listen on; default: UNDERCROFT_API_HOST")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="port, 0 takes a free one; default: UNDERCROFT_API_PORT")
    ] = None,
    duty: DutyConfig = None,
) -> None:
    """Serve the page and the HTTP interface."""
    from api.app import create_app  # noqa: PLC0415 - other commands start faster without FastAPI
    from api.server import bind, serve  # noqa: PLC0415
    from duty.file import channels_in, limits_in  # noqa: PLC0415

    settings = Settings()
    configure_logging(settings.log_format, service="api")
    if settings.database_url is None:
        raise BadInput("api: set UNDERCROFT_DATABASE_URL, or start everything with `undercroft up`")
    listening = bind(host or settings.api_host, settings.api_port if port is None else port)
    acting = None if settings.acts_database_url is None else settings.acts_database_url.get_secret_value()
    alert_token = None if settings.alert_webhook_token is None else settings.alert_webhook_token.get_secret_value()
    url, of_duty = settings.database_url.get_secret_value(), (limits_in(duty), channels_in(duty))
    app = create_app(url, SystemClock(), acting, alert_token, *of_duty)
    serve(app, listening, lambda address: typer.echo(f"undercroft api: {address}"), settings.api_trusted_proxies)
