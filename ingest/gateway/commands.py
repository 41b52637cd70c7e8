"""``undercroft gateway``: stations that do not speak MQTT."""

from __future__ import annotations

import re
import signal
import socket
import uuid
from contextlib import closing
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated

import structlog
import typer

from undercroft.clock import SystemClock
from undercroft.errors import BadInput
from undercroft.groups import group
from undercroft.model import Mode
from undercroft.settings import Settings
from undercroft.site.load import load_site
from undercroft.site.model import DecoderKind
from undercroft.stack.ready import announce_ready
from undercroft.telemetry import configure_logging
from undercroft.topic_filters import filter_matches

_STATION = re.compile(r"[0-9]{6}[0-9a-f]{4}")
_LOOPBACK = ("127.0.0.0/8", "::1/128")


def register(app: typer.Typer) -> None:
    """Add this part's commands."""
    gateways = group(app, "gateway", "Take the frames of stations that do not speak MQTT, and publish them.")
    gateways.command("sl651")(run_sl651)


def run_sl651(
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where stations connect to.")] = "127.0.0.1:6510",
    site: Annotated[Path | None, typer.Option(help="Let in the stations that this site file's decoders name.")] = None,
    station: Annotated[list[str] | None, typer.Option(help="Let in this station: ten hexadecimal digits.")] = None,
    network: Annotated[list[str] | None, typer.Option(help="Where stations may connect from. [default: here]")] = None,
    connections: Annotated[int, typer.Option(min=1, max=5000, help="At most so many at the same time.")] = 200,
    topic: Annotated[str, typer.Option(help="Topic of the frames.")] = "sl651/v1/{station}",
    ending: Annotated[str, typer.Option(help="Confirmations end with EOT (sleep), ESC (stay on line) or ACK.")] = "EOT",
) -> None:
    """Confirm stations of SL 651-2014 once the broker of UNDERCROFT_MQTT_URL has their frames."""
    from ingest.broker import parse_broker_url  # noqa: PLC0415 - other commands start faster without MQTT
    from ingest.foreign.sl651_frame import Ending  # noqa: PLC0415
    from ingest.gateway.descriptors import make_room  # noqa: PLC0415
    from ingest.gateway.sl651 import Gateway, Limits, Rules  # noqa: PLC0415
    from ingest.gateway.uplink import connected_uplink  # noqa: PLC0415

    settings = Settings()
    configure_logging(settings.log_format, service="gateway")
    if settings.mqtt_url is None:
        raise BadInput("gateway: set UNDERCROFT_MQTT_URL: the broker that gets the frames")
    if ending not in Ending.__members__:
        raise BadInput(f"--ending {ending}: expected one of {', '.join(Ending.__members__)}")
    stations = allowed_stations(site, station or ())
    if "{station}" not in topic or "+" in topic or "#" in topic:
        raise BadInput(f"--topic {topic}: expected a topic with {{station}} in it and no wildcard")
    if site is not None:
        check_topic(topic, stations, site)
    try:
        networks = tuple(ip_network(text) for text in network or _LOOPBACK)
    except ValueError as error:
        raise BadInput(f"--network: {error}") from error
    make_room(connections)
    rules = Rules(stations, networks, topic, Ending[ending])
    broker = parse_broker_url(settings.mqtt_url.get_secret_value())
    with (
        closing(_listening(listen)) as listener,
        connected_uplink(broker, f"undercroft-gateway-{uuid.uuid4().hex[:8]}") as uplink,
    ):
        gateway = Gateway(listener, uplink, rules, Limits(connections=connections), SystemClock())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: gateway.stop())
        log = structlog.get_logger("gateway")
        host, port = listener.getsockname()[:2]
        log.info("listening", host=host, port=port, stations=len(stations))
        announce_ready()
        gateway.run()
        log.info("stopped", **dict(sorted(gateway.counts.items())))


def allowed_stations(site: Path | None, named: tuple[str, ...] | list[str]) -> frozenset[str]:
    """Return the addresses that are let in, from a site file's decoders and by name.

    Raises
    ------
    BadInput
        If there is none, or one is no address.
    """
    keys = [text.lower() for text in named]
    for wrong in (key for key in keys if _STATION.fullmatch(key) is None):
        raise BadInput(f"--station {wrong}: expected six digits of the area and four hexadecimal digits")
    if site is not None:
        decoders = [decoder for decoder in load_site(site).decoders if decoder.kind is DecoderKind.SL651]
        keys += [entry.key.lower() for decoder in decoders for entry in decoder.devices]
    if not keys:
        raise BadInput("gateway: no station may send: give --station, or --site with an sl651 decoder that names some")
    return frozenset(keys)


def check_topic(topic: str, stations: frozenset[str], site: Path) -> None:
    """See that ingest will read what is published.

    Raises
    ------
    BadInput
        If a station's topic falls under no filter of the site file's ``sl651`` decoders.
    """
    loaded = load_site(site)
    prefix = f"{Mode.EXERCISE.topic_root}/v1/{loaded.district.id}/foreign/"
    filters = [decoder.topic for decoder in loaded.decoders if decoder.kind is DecoderKind.SL651]
    for station in sorted(stations):
        published = topic.replace("{station}", station)
        if not any(filter_matches(text, published.removeprefix(prefix)) for text in filters):
            read = ", ".join(filters) or "none"
            raise BadInput(f"--topic: nobody would read {published}; the sl651 decoders of {site.name} read {read}")


def _listening(text: str) -> socket.socket:
    host, _, port = text.rpartition(":")
    host = host.strip("[]")
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, int(port)), family=family, backlog=128)
    except (ValueError, OverflowError):
        raise BadInput(f"--listen {text}: expected HOST:PORT") from None
    except OSError as error:
        raise BadInput(f"--listen {text}: {error.strerror or error}") from error
