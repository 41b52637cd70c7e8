"""``share``, ``latency_p99`` and ``memory``: what takes more than one process, or lasts."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from ingest.bench.publisher import publishing
from undercroft.bench import Figure
from undercroft.clock import SystemClock
from undercroft.errors import StackFailed
from undercroft.model import Mode
from undercroft.site import load_site, sample_site_path
from undercroft.stack.postgres import PostgresServer
from undercroft.stack.ready import READY_FD_VARIABLE
from undercroft.store.connection import Connection, connect
from undercroft.store.copying import commit_latency_p99_s, committed
from undercroft.store.databases import create_database, migrate_database
from undercroft.store.site import import_site

SHARED_MESSAGES = 60_000
LATENCY_MESSAGES = 10_000
LATENCY_RATE = 1_000
LATENCY_MS = 100.0
WAITING_MESSAGES = 1_000_000
MEMORY_MB = 200.0
LONGEST_S = 300.0

Messages = Iterator[tuple[str, bytes]]


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
        [sys.executable, "-m", "undercroft", *words], env=environment, pass_fds=[writable], stderr=subprocess.DEVNULL
    )
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


def share(postgres: PostgresServer, broker_url: str, singles: Messages, alone_per_s: float) -> Figure:
    """Drain a backlog with two workers; every message counted once, or no figure."""
    clock = SystemClock()
    workers = [("ingest", "--share", "bench", "--slot", str(slot)) for slot in range(2)]
    with database(postgres, "share") as (url, connection):
        with ExitStack() as stack:
            for words in workers:
                stack.enter_context(process(url, broker_url, *words))
        with publishing(broker_url) as publisher:
            publisher.publish(message for _, message in zip(range(SHARED_MESSAGES), singles, strict=False))
        with ExitStack() as stack:
            began_s = clock.monotonic_s()
            for words in workers:
                stack.enter_context(process(url, broker_url, *words))
            _await_committed(connection, SHARED_MESSAGES)
            elapsed_s = max(clock.monotonic_s() - began_s, 0.001)
        messages, seconds = committed(connection)
        if messages != SHARED_MESSAGES:
            raise StackFailed(f"bench ingest: share committed {messages} messages of {SHARED_MESSAGES}")
    cores = len(os.sched_getaffinity(0))
    rate = SHARED_MESSAGES / (seconds or elapsed_s)
    return Figure("share", rate, "msg/s", alone_per_s, f"one worker, {cores} cores", "higher")


def latency(postgres: PostgresServer, broker_url: str, targets: list[tuple[str, str]]) -> Figure:
    """Publish at a steady rate with engine and api running; from the publish to the commit of the row."""
    clock = SystemClock()
    with database(postgres, "latency") as (url, connection), ExitStack() as stack:
        for words in (("ingest",), ("risk",), ("api",)):
            stack.enter_context(process(url, broker_url, *words))
        publisher = stack.enter_context(publishing(broker_url))
        pause = stack.enter_context(selectors.DefaultSelector())
        began_s, sent, step = clock.monotonic_s(), 0, LATENCY_RATE // 20
        while sent < LATENCY_MESSAGES:
            pause.select(max(0.0, began_s + sent / LATENCY_RATE - clock.monotonic_s()))
            now_us = round(clock.now().timestamp() * 1e6)
            publisher.publish(
                (topic, b'{"observed_at": %d.%03d, "%s": 0.12}' % (*divmod(now_us + n, 1000), quantity.encode()))
                for n, (topic, quantity) in enumerate(targets[(sent + k) % len(targets)] for k in range(step))
            )
            sent += step
        _await_committed(connection, LATENCY_MESSAGES)
        p99_ms = commit_latency_p99_s(connection) * 1000
    return Figure("latency_p99", p99_ms, "ms", LATENCY_MS, "issue", "lower")


def memory(postgres: PostgresServer, broker_url: str, targets: list[tuple[str, str]]) -> Figure:
    """Start a worker on a session with a million messages; its highest resident memory until 100,000 are stored."""
    with database(postgres, "memory") as (url, connection):
        with process(url, broker_url, "ingest"):
            pass  # opens the session
        with publishing(broker_url) as publisher:
            publisher.publish(
                (topic, b'{"observed_at": %d, "%s": 0.1}' % (1_782_000_000_000 + n * 10, quantity.encode()))
                for n in range(WAITING_MESSAGES // len(targets) + 1)
                for topic, quantity in targets
            )
        with process(url, broker_url, "ingest") as worker:
            _await_committed(connection, WAITING_MESSAGES // 10)
            peak_mb = _peak_mb(worker.pid)
    return Figure("memory", peak_mb, "MB", MEMORY_MB, "issue", "lower")


def _peak_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise StackFailed("bench ingest: this system does not tell the highest memory of a process")


def _await_committed(connection: Connection, count: int) -> None:
    clock = SystemClock()
    began_s = clock.monotonic_s()
    with selectors.DefaultSelector() as pause:
        while committed(connection)[0] < count:
            if clock.monotonic_s() - began_s > LONGEST_S:
                raise StackFailed(f"bench ingest: not {count} messages after {LONGEST_S:.0f} s")
            pause.select(0.05)
