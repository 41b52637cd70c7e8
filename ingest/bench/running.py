"""What every measurement of ingest runs: processes of ours, and a database with the sample site."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager

from undercroft.clock import SystemClock
from undercroft.errors import StackFailed
from undercroft.model import Mode
from undercroft.site import load_site, sample_site_path
from undercroft.stack.postgres import PostgresServer
from undercroft.stack.ready import READY_FD_VARIABLE
from undercroft.store.connection import Connection, connect
from undercroft.store.copying import committed
from undercroft.store.databases import create_database, migrate_database
from undercroft.store.site import import_site

LONGEST_S = 300.0
_LOOK_S = 0.02


@contextmanager
def process(database_url: str, broker_url: str, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command of ours and yield it once it is ready."""
    readable, writable = os.pipe()
    environment = {
        **os.environ,
        "UNDERCROFT_DATABASE_URL": database_url,
        "UNDERCROFT_MQTT_URL": broker_url,
        "UNDERCROFT_API_PORT": "0",
        READY_FD_VARIABLE: str(writable),
    }
    started = subprocess.Popen(
        [sys.executable, "-m", "undercroft", *words], env=environment, pass_fds=[writable],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,  # standard output is the figures'
    )  # fmt: skip
    os.close(writable)
    try:
        with os.fdopen(readable, "rb") as ready:
            if ready.read(1) != b"1":
                raise StackFailed(f"bench ingest: {words[0]} did not start")
        yield started
    finally:
        started.send_signal(signal.SIGTERM)
        started.wait()


@contextmanager
def database(postgres: PostgresServer, name: str) -> Iterator[tuple[str, Connection]]:
    """Make a live database with the sample site."""
    url = postgres.url(name)
    create_database(postgres.url(), name)
    migrate_database(url, Mode.LIVE)
    with closing(connect(url, application_name="bench", autocommit=True)) as connection:
        import_site(connection, load_site(sample_site_path()), "bench", SystemClock().now())
        yield url, connection


def await_committed(connection: Connection, count: int) -> int:
    """Wait until so many messages are committed; return how many are.

    Raises
    ------
    StackFailed
        If it takes longer than `LONGEST_S`.
    """
    clock = SystemClock()
    began_s = clock.monotonic_s()
    with selectors.DefaultSelector() as pause:
        while (messages := committed(connection)[0]) < count:
            if clock.monotonic_s() - began_s > LONGEST_S:
                raise StackFailed(f"bench ingest: not {count} messages after {LONGEST_S:.0f} s")
            pause.select(_LOOK_S)
    return messages
