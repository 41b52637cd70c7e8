"""What the ingest tests share: a publisher without a library, a real Mosquitto, an ingest process to kill."""

from __future__ import annotations

import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingest.bench.publisher import Publisher, publishing
from ingest.failpoints import VARIABLE
from undercroft.site import load_site, sample_site_path
from undercroft.stack.ready import READY_FD_VARIABLE
from undercroft.store.connection import connect
from undercroft.store.site import import_site

__all__ = ["Publisher", "publishing"]  # used by the tests beside this module

DEADLINE_S = 60.0
MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
needs_mosquitto = pytest.mark.skipif(MOSQUITTO is None, reason="the mosquitto broker is not installed")


def import_sample_site(database_url: str, more: str = "") -> None:
    """Import the sample site; ``more`` is put at the end of its file."""
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(connect(database_url, application_name="test", autocommit=True)) as connection,
    ):
        path = Path(folder) / "site.toml"
        path.write_text(sample_site_path().read_text(encoding="utf-8") + more, encoding="utf-8")
        import_site(connection, load_site(path), "test", datetime(2026, 7, 1, tzinfo=UTC))


def query(database_url: str, statement: str, *parameters: object) -> list[dict[str, Any]]:
    with closing(connect(database_url, application_name="test", autocommit=True)) as connection:
        return connection.execute(statement, parameters).fetchall()


def one(database_url: str, statement: str, *parameters: object) -> Any:
    return next(iter(query(database_url, statement, *parameters)[0].values()))


def wait_until(claim: Callable[[], bool], what: str, deadline_s: float = DEADLINE_S) -> None:
    """Look again and again; a claim that never comes true fails with its name."""
    ends = time.monotonic() + deadline_s
    pause = threading.Event()
    while not claim():
        if time.monotonic() > ends:
            raise AssertionError(f"not within {deadline_s} s: {what}")
        pause.wait(0.02)


@dataclass
class Ingest:
    """The ingest service as a process of its own."""

    database_url: str
    mqtt_url: str
    settings: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    options: tuple[str, ...] = ()
    log: Path | None = None
    """What it logs goes to the end of this file; None: to where the test's own goes."""

    def start(self, **settings: str) -> None:
        """Start it and wait until it is subscribed."""
        readable, writable = os.pipe()
        environment = {key: value for key, value in os.environ.items() if not key.startswith("UNDERCROFT_")}
        environment |= {
            "UNDERCROFT_DATABASE_URL": self.database_url,
            "UNDERCROFT_MQTT_URL": self.mqtt_url,
            READY_FD_VARIABLE: str(writable),
            **self.settings,
            **settings,
        }
        command = [sys.executable, "-m", "undercroft", "ingest", *self.options]
        with ExitStack() as stack:
            log = None if self.log is None else stack.enter_context(self.log.open("ab"))
            self.process = subprocess.Popen(command, env=environment, pass_fds=[writable], stdout=log, stderr=log)
        os.close(writable)
        with os.fdopen(readable, "rb") as ready, selectors.DefaultSelector() as selector:
            selector.register(ready, selectors.EVENT_READ)
            answer = ready.read(1) if selector.select(DEADLINE_S) else None
            struck = (
                answer == b"" and VARIABLE in settings
            )  # a failpoint may strike before the subscription is answered
            if answer != b"1" and not struck:
                raise AssertionError(f"ingest did not get ready: {self.process.poll()}")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(DEADLINE_S)
        self.process = None
        return code

    def wait_killed(self) -> None:
        """Wait until a failpoint has struck."""
        assert self.process is not None
        assert self.process.wait(DEADLINE_S) == -signal.SIGKILL
        self.process = None


@contextmanager
def ingest_of(database_url: str, mqtt_url: str, **settings: str) -> Iterator[Ingest]:
    ingest = Ingest(database_url, mqtt_url, settings)
    try:
        yield ingest
    finally:
        if ingest.process is not None:
            ingest.process.kill()
            ingest.process.wait()


MOSQUITTO_CONFIG = """
listener {port} 127.0.0.1
allow_anonymous true
max_inflight_messages {inflight}
max_queued_messages 0
message_size_limit 262144
persistence true
persistence_location {folder}/
autosave_interval 1
log_dest none
"""


@dataclass
class Mosquitto:
    """A real broker that can be stopped and started on the same sessions."""

    folder: Path
    port: int
    inflight: int = 1000
    more: str = ""
    """Lines at the end of its configuration."""
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        assert MOSQUITTO is not None
        config = self.folder / "mosquitto.conf"
        text = MOSQUITTO_CONFIG.format(port=self.port, folder=self.folder, inflight=self.inflight)
        config.write_text(text + self.more)
        command: Sequence[str] = [MOSQUITTO, "-c", str(config)]
        user = "mosquitto" if os.geteuid() == 0 else None
        if user is not None:
            shutil.chown(self.folder, user)
            self.folder.chmod(0o755)
        self.process = subprocess.Popen(command)
        wait_until(self._listens, "mosquitto listens")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(DEADLINE_S)
            self.process = None

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


@contextmanager
def a_mosquitto(more: str = "") -> Iterator[Mosquitto]:
    """A running broker in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="ucm-", dir="/tmp") as folder:
        server = Mosquitto(Path(folder), free_port(), more=more)
        server.start()
        try:
            yield server
        finally:
            server.stop(signal.SIGKILL)


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
