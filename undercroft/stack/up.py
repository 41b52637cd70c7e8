"""``undercroft up``: the whole system on one machine, until a signal ends it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from undercroft.clock import SystemClock
from undercroft.doctor.commands import NO_DUTY_FILE
from undercroft.doctor.duty import check_duty_file
from undercroft.doctor.finding import Verdict
from undercroft.errors import BadInput, StackFailed
from undercroft.model import Mode
from undercroft.settings import Settings
from undercroft.site import load_site, sample_site_path
from undercroft.site.model import Site
from undercroft.site.places import devices_of, is_canary
from undercroft.stack.beside import Beside, leave_beside
from undercroft.stack.byhand import given_broker_options, publish_line, write_client_options
from undercroft.stack.embedded import DatabaseUrls, EmbeddedStack
from undercroft.stack.ports import free_port_from, is_free
from undercroft.stack.process import ProcessSpec
from undercroft.stack.supervisor import Supervisor, service_argv
from undercroft.store.commands import EMBEDDED_URL_FILE
from undercroft.store.connection import connect
from undercroft.store.retention import retain_hourly
from undercroft.store.site import import_site, latest_site
from undercroft.store.site_standing import StandsOn

READY_TIMEOUT_S = 60.0
_AUTHOR = "undercroft up"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class UpOptions:
    """What the command line asks for.

    Attributes
    ----------
    site_path : Path or None
        Site file to put in force; None: the one in the database, else the sample.
    mqtt_port, api_port : int or None
        A port that has to be free; None: the usual one or the next free one.
    """

    mode: Mode
    site_path: Path | None = None
    mqtt_port: int | None = None
    api_port: int | None = None


def run_up(settings: Settings, options: UpOptions, say: Say, stay: threading.Event) -> None:
    """Start everything, tell where it is, and stay until the event is set or an exception ends it.

    Raises
    ------
    StackFailed
        If a server or a process does not start, or a port that was asked for is taken.
    BadInput
        If the database is of the other mode, or the site file is wrong.
    """
    given_site = load_site(options.site_path) if options.site_path else None
    port = _api_port(settings, options.api_port)
    with EmbeddedStack(settings, mqtt_port=options.mqtt_port) as stack, Supervisor() as supervisor:
        urls = stack.open_database(f"undercroft_{options.mode.value}", options.mode)
        site = _site_in_force(urls.owner, given_site, say)
        _say_servers(stack, say)
        if options.api_port is None and settings.api_port not in {0, port}:
            say(f"port {settings.api_port} is taken; the page is on {port}")
        if stack.has_embedded_database and stack.data_dir is not None:
            stack.data_dir.write_private(stack.data_dir.path / EMBEDDED_URL_FILE, urls.owner + "\n")
        if stack.broker is not None and stack.data_dir is not None:
            database_url = urls.simulator if stack.has_embedded_database else None
            leave_beside(stack.data_dir, Beside(options.mode.value, stack.mqtt_url("simulator"), database_url))
        specs = _services(settings, stack, urls, port)
        if options.mode is Mode.LIVE and any(is_canary(device) for _, device in devices_of(site)):
            specs.append(_canary(stack, urls))
        told = _told(options.mode)
        if options.mode is Mode.LIVE and not told:
            specs.append(_dead_man(site, urls))
        for spec in specs:
            supervisor.start(spec)
        for spec in specs:
            supervisor.wait_ready(spec.name, READY_TIMEOUT_S)
        say(f"mode      {options.mode.value}")
        if not _acts_url(settings, stack, urls):
            say("acts      none over HTTP: UNDERCROFT_ACTS_DATABASE_URL names no login for them")
        for line in told:
            say(f"duty      {line}")
        if any(spec.name == "watch" for spec in specs):
            say("watch     tells the fallback when a part falls silent; run one elsewhere, too")
        say(f"page      http://{settings.api_host}:{port}/")
        _say_publishing(stack, site, options.mode, say)
        say("running; Ctrl-C ends it")
        retain_hourly(urls.owner, SystemClock(), say, stay.wait)


def _services(settings: Settings, stack: EmbeddedStack, urls: DatabaseUrls, api_port: int) -> list[ProcessSpec]:
    mqtt = {"UNDERCROFT_MQTT_URL": stack.mqtt_url("ingest")}
    page = {
        "UNDERCROFT_API_HOST": settings.api_host,
        "UNDERCROFT_API_PORT": str(api_port),
        "UNDERCROFT_ACTS_DATABASE_URL": _acts_url(settings, stack, urls),
        "UNDERCROFT_ALERT_WEBHOOK_TOKEN": _said(settings.alert_webhook_token),
    }
    key = {} if stack.data_dir is None else {"UNDERCROFT_DUTY_KEY": str(stack.data_dir.path / "duty-log.key")}
    own = {
        "ingest": (urls.ingest, mqtt), "risk": (urls.engine, {}), "duty": (urls.duty, key), "api": (urls.api, page)
    }  # fmt: skip
    return [
        ProcessSpec(name, service_argv(name), {"UNDERCROFT_DATABASE_URL": url, **more})
        for name, (url, more) in own.items()
    ]


def _acts_url(settings: Settings, stack: EmbeddedStack, urls: DatabaseUrls) -> str:
    """Return by which login the API passes acts on; empty: it only reads. The owner's is for nobody to act by."""
    return urls.acts if stack.has_embedded_database else _said(settings.acts_database_url)


def _said(secret: SecretStr | None) -> str:
    return "" if secret is None else secret.get_secret_value()


def _canary(stack: EmbeddedStack, urls: DatabaseUrls) -> ProcessSpec:
    environment = {"UNDERCROFT_DATABASE_URL": urls.ingest, "UNDERCROFT_MQTT_URL": stack.mqtt_url("operator")}
    return ProcessSpec("canary", service_argv("canary"), environment)


def _dead_man(site: Site, urls: DatabaseUrls) -> ProcessSpec:
    """Return the process that tells the fallback when engine, ingest, notifier or database fall silent."""
    argv = service_argv("watch", "--zone", site.district.timezone)
    return ProcessSpec("watch", argv, {"UNDERCROFT_DATABASE_URL": urls.duty})


def _api_port(settings: Settings, asked_for: int | None) -> int:
    port = settings.api_port if asked_for is None else asked_for
    if port and is_free(port, settings.api_host):
        return port
    if asked_for:
        raise StackFailed(f"port {port} on {settings.api_host} is taken: name another one with --api-port")
    return free_port_from(port + 1, settings.api_host) if port else free_port_from(65536, settings.api_host)


def _site_in_force(owner_url: str, given: Site | None, say: Say) -> Site:
    with closing(connect(owner_url, application_name="undercroft-up", autocommit=True)) as connection:
        if given is None:
            try:
                return latest_site(connection)[1]
            except BadInput:
                say("site      the fictional sample district, for the database has none")
        site = given or load_site(sample_site_path())
        try:
            import_site(connection, site, _AUTHOR, SystemClock().now())
        except StandsOn as error:  # a restart in a storm must not stay away for it
            for line in str(error).splitlines():
                say(f"site      {line}")
            say("site      the one in force goes on: `undercroft site import FILE --anyway` takes the file in")
            return latest_site(connection)[1]
    return site


def _told(mode: Mode) -> list[str]:
    """Return why nobody, or no fallback, can be told of a live alarm; a drill tells nobody unless it is asked to."""
    path = os.environ.get("UNDERCROFT_DUTY_FILE")
    if mode is not Mode.LIVE:
        return []
    found = [NO_DUTY_FILE] if not path else check_duty_file(Path(path), os.environ)
    return [finding.seen for finding in found if finding.verdict is not Verdict.GOOD]


def _say_servers(stack: EmbeddedStack, say: Say) -> None:
    if stack.data_dir is not None:
        say(f"data      {stack.data_dir.path}")
    if stack.has_embedded_database:
        say("database  embedded PostgreSQL on a socket in there; for commands beside it:")
        say('          export UNDERCROFT_DATABASE_URL="$(undercroft db url)"')
    else:
        say("database  the one of UNDERCROFT_DATABASE_URL; every service uses that one user and its rights")
    if stack.broker is not None:
        say(f"broker    embedded, 127.0.0.1:{stack.broker.port}: keeps its queue in memory, for demo and tests only")
    else:
        say("broker    the one of UNDERCROFT_MQTT_URL")


def _say_publishing(stack: EmbeddedStack, site: Site, mode: Mode, say: Say) -> None:
    if stack.broker is not None and stack.data_dir is not None:
        line = publish_line(site, mode, write_client_options(stack.data_dir, stack.broker))
    else:
        line = publish_line(site, mode, "", given_broker_options(stack.mqtt_url()))
    if line is not None:
        say(f"by hand   {line}")
    if mode is Mode.EXERCISE and stack.broker is not None:
        say("storm     undercroft simulate --scenario shenzhen-2023-09-07 --speed 60   (finds this broker by DATA_DIR)")
