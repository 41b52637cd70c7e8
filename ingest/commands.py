"""Commands of this part for the ``undercroft`` command line."""

from __future__ import annotations

import os
import signal
import threading
from typing import Annotated

import structlog
import typer

from undercroft.clock import SystemClock
from undercroft.errors import BadInput
from undercroft.settings import Settings
from undercroft.telemetry import configure_logging


def register(app: typer.Typer) -> None:
    """Add this part's commands."""
    app.command("ingest")(run_ingest)


def run_ingest(
    share: Annotated[str | None, typer.Option(help="Share the load with other workers of this name.")] = None,
    slot: Annotated[int, typer.Option(min=0, max=999, help="Number of this worker in the share.")] = 0,
) -> None:
    """Read from the MQTT broker into the database until a signal."""
    from ingest.broker import parse_broker_url  # noqa: PLC0415 - other commands start faster without MQTT
    from ingest.service import Service, ServiceSettings, await_deployment  # noqa: PLC0415
    from ingest.share import Share  # noqa: PLC0415

    settings = Settings()
    configure_logging(settings.log_format, service="ingest")
    if settings.database_url is None or settings.mqtt_url is None:
        raise BadInput(
            "ingest: set UNDERCROFT_DATABASE_URL and UNDERCROFT_MQTT_URL, or start everything with `undercroft up`"
        )
    service_settings = ServiceSettings(
        settings.database_url.get_secret_value(),
        parse_broker_url(settings.mqtt_url.get_secret_value()),
        settings.batch_max_messages,
        settings.batch_max_wait_ms / 1000,
        None if share is None else Share(share, slot),
    )
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    deployment = await_deployment(service_settings.database_url, stop)
    if deployment is not None:
        service = Service(service_settings, deployment, SystemClock(), os.environ)
        if settings.ingest_metrics_port is not None:
            try:
                server, _ = service.metrics.serve(settings.ingest_metrics_port)
            except OSError as error:
                raise BadInput(
                    f"UNDERCROFT_INGEST_METRICS_PORT={settings.ingest_metrics_port}: {error.strerror or error}"
                ) from error
            structlog.get_logger("ingest").info("metrics", port=server.server_port)
        service.run(stop)
