"""``undercroft canary``: one device that speaks through the whole chain."""

from __future__ import annotations

import signal
import threading
from contextlib import closing

import typer

from undercroft.errors import BadInput
from undercroft.settings import Settings
from undercroft.telemetry import configure_logging

CLIENT_ID = "undercroft-canary"


def register(app: typer.Typer) -> None:
    """Add ``undercroft canary``."""
    app.command("canary")(run_canary)


def run_canary() -> None:
    """Speak as the site's canary device every 10 s, and raise an alarm when its readings stop coming through.

    While the site names no such device, wait for a site that does.
    """
    from ingest.broker import parse_broker_url  # noqa: PLC0415 - other commands start faster without MQTT
    from ingest.canary import Canary, await_voice  # noqa: PLC0415
    from ingest.speaking import speaking_client  # noqa: PLC0415
    from undercroft.clock import SystemClock  # noqa: PLC0415
    from undercroft.model import Mode  # noqa: PLC0415
    from undercroft.stack.ready import announce_ready  # noqa: PLC0415
    from undercroft.store.connection import connect  # noqa: PLC0415
    from undercroft.store.migrate import mode_of  # noqa: PLC0415

    settings = Settings()
    configure_logging(settings.log_format, service="canary")
    if settings.database_url is None or settings.mqtt_url is None:
        raise BadInput("canary: set UNDERCROFT_DATABASE_URL and UNDERCROFT_MQTT_URL, or start all with `undercroft up`")
    url = settings.database_url.get_secret_value()
    with closing(connect(url, application_name="undercroft-canary", autocommit=True)) as connection:
        if mode_of(connection) is not Mode.LIVE:
            raise BadInput("canary: this database is an exercise, in which only the run's driver speaks")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    voice = await_voice(url, stop)
    if voice is None:
        return
    with speaking_client(parse_broker_url(settings.mqtt_url.get_secret_value()), CLIENT_ID) as publish:
        announce_ready()
        Canary(url, voice, publish, SystemClock()).run(stop)
