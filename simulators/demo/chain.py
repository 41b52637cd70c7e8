"""The whole chain as processes: database, broker, ingest, engine and API, on a fresh exercise database."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from undercroft.clock import SystemClock
from undercroft.model import Mode
from undercroft.settings import Settings
from undercroft.site.model import Site
from undercroft.stack.embedded import DatabaseUrls, EmbeddedStack
from undercroft.stack.ports import free_port, free_port_from
from undercroft.stack.process import ProcessSpec
from undercroft.stack.supervisor import Supervisor, service_argv
from undercroft.store.connection import connect
from undercroft.store.site import import_site

READY_TIMEOUT_S = 60.0
MOST_LOG_BYTES = 5_000_000
_AUTHOR = "demonstration"


@dataclass(slots=True)
class Chain:
    """A running chain."""

    settings: Settings
    stack: EmbeddedStack
    supervisor: Supervisor
    urls: DatabaseUrls
    api_port: int
    log_path: Path | None

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://{self.settings.api_host}:{self.api_port}/"

    def start_services(self, *names: str) -> None:
        """Start services on the chain's database."""
        for name in names:
            self.supervisor.start(self._service(name))

    def wait_ready(self, *names: str) -> None:
        """Wait until services are ready."""
        for name in names:
            self.supervisor.wait_ready(name, READY_TIMEOUT_S)

    def start_feed(self, argv: tuple[str, ...]) -> None:
        """Start the simulator; it ends by itself."""
        env = {
            "UNDERCROFT_DATABASE_URL": self.urls.simulator,
            "UNDERCROFT_MQTT_URL": self.stack.mqtt_url("simulator"),
        }
        self.supervisor.start(ProcessSpec("simulator", service_argv(*argv), env, restart=False, log_path=self.log_path))

    def _service(self, name: str) -> ProcessSpec:
        url = {"ingest": self.urls.ingest, "risk": self.urls.engine, "api": self.urls.api}[name]
        env = {"UNDERCROFT_DATABASE_URL": url}
        if name == "ingest":
            env["UNDERCROFT_MQTT_URL"] = self.stack.mqtt_url("ingest")
        if name == "api":
            env["UNDERCROFT_API_PORT"] = str(self.api_port)
            # Empty, so that no secret of a live system is found elsewhere: nobody acts through an exercise's page.
            env |= {"UNDERCROFT_ACTS_DATABASE_URL": "", "UNDERCROFT_ALERT_WEBHOOK_TOKEN": ""}
        return ProcessSpec(name, service_argv(name), env, log_path=self.log_path)


@contextmanager
def running_chain(settings: Settings, site: Site, run_name: str) -> Iterator[Chain]:
    """Run the chain on a fresh exercise database that holds this site.

    Raises
    ------
    BadInput
        If the given database is live, or holds an earlier run.
    """
    with EmbeddedStack(settings) as stack, Supervisor() as supervisor:
        urls = fresh_database(stack, site, run_name)
        log_path = stack.data_dir.path / "services.log" if stack.data_dir else None
        if log_path is not None:
            _keep_small(log_path)
        port = free_port_from(settings.api_port, settings.api_host) if settings.api_port else free_port()
        yield Chain(settings, stack, supervisor, urls, port, log_path)


def fresh_database(stack: EmbeddedStack, site: Site, run_name: str) -> DatabaseUrls:
    """Return an empty exercise database that holds this site and nothing else."""
    urls = stack.create_database(database_name(run_name), Mode.EXERCISE)
    with closing(connect(urls.owner, application_name=f"undercroft-{_AUTHOR}")) as connection:
        import_site(connection, site, _AUTHOR, SystemClock().now())
    return urls


def database_name(run_name: str) -> str:
    """Return the name of a run's database on the embedded server.

    Examples
    --------
    >>> database_name("shenzhen-2023-09-07")
    'run_shenzhen_2023_09_07'
    """
    return "run_" + re.sub(r"[^a-z0-9]+", "_", run_name.lower())[:40].strip("_")


def _keep_small(path: Path) -> None:
    """Start the services' log anew when it has grown large."""
    if path.exists() and path.stat().st_size > MOST_LOG_BYTES:
        os.truncate(path, 0)
