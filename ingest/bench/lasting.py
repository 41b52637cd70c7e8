"""``latency_p99`` and ``memory``: what takes a steady rate, or a backlog that is too large to drain."""

from __future__ import annotations

import selectors
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import numpy as np

from ingest.bench.messages import targets
from ingest.bench.publisher import Publisher, publishing
from ingest.bench.running import await_committed, database, process
from undercroft.bench import Figure
from undercroft.clock import Clock, SystemClock
from undercroft.errors import StackFailed
from undercroft.stack.postgres import PostgresServer
from undercroft.store.connection import Connection, connect
from undercroft.store.copying import fetch_committed_readings
from undercroft.store.engine import hear_commits, listen_for_commits
from undercroft.store.observations import microseconds

LATENCY_MESSAGES = 10_000
LATENCY_RATE = 1_000
WARM_UP_MESSAGES = 1_000
"""Published before, at the same rate: the figure is of a system that runs."""
LEAST_RATE = 0.99
"""Of `LATENCY_RATE`: published more slowly, the figure would be of another rate."""
LATENCY_MS = 100.0
WAITING_MESSAGES = 1_000_000
MEMORY_MB = 200.0
_BURSTS_PER_S = 20
_HEAR_S = 0.2


def latency(postgres: PostgresServer, broker_url: str) -> Figure:
    """Publish at a steady rate with engine and api running; from the publish to the news of the commit."""
    clock = SystemClock()
    with database(postgres, "latency") as (url, connection), ExitStack() as stack:
        for words in (("ingest",), ("risk",), ("api",)):
            stack.enter_context(process(url, broker_url, *words))
        publisher = stack.enter_context(publishing(broker_url))
        _publish_steadily(publisher, WARM_UP_MESSAGES, clock)
        await_committed(connection, WARM_UP_MESSAGES)
        first_us = microseconds(clock.now())
        with _hearing(url, clock) as heard_us:
            rate = _publish_steadily(publisher, LATENCY_MESSAGES, clock)
            await_committed(connection, WARM_UP_MESSAGES + LATENCY_MESSAGES)
        readings = [entry for entry in fetch_committed_readings(connection) if entry[1] >= first_us]
    if rate < LEAST_RATE * LATENCY_RATE:
        raise StackFailed(f"bench ingest: latency_p99 published {rate:.0f} messages/s, not {LATENCY_RATE}")
    if len(readings) != LATENCY_MESSAGES:
        raise StackFailed(f"bench ingest: latency_p99 found {len(readings)} readings of {LATENCY_MESSAGES}")
    p99_ms = float(np.percentile([heard_us[seq] - observed_us for seq, observed_us in readings], 99)) / 1000
    return Figure("latency_p99", p99_ms, "ms", LATENCY_MS, "issue", "lower")


def _publish_steadily(publisher: Publisher, count: int, clock: Clock) -> float:
    """Publish readings of now at `LATENCY_RATE`, in bursts; return the rate that came of it. [messages/s]"""
    gauges, step = targets(), LATENCY_RATE // _BURSTS_PER_S
    began_s = clock.monotonic_s()
    with selectors.DefaultSelector() as pause:
        for sent in range(0, count, step):
            pause.select(max(0.0, began_s + sent / LATENCY_RATE - clock.monotonic_s()))
            now_us = microseconds(clock.now())
            publisher.publish(
                (topic, b'{"observed_at": %d.%03d, "%s": 0.12}' % (*divmod(now_us + n, 1000), quantity.encode()))
                for n, (topic, quantity) in enumerate(gauges[(sent + k) % len(gauges)] for k in range(step))
            )
    stretch_s = step / LATENCY_RATE  # that of the last burst follows it
    return count / (clock.monotonic_s() - began_s + stretch_s)


@contextmanager
def _hearing(database_url: str, clock: Clock) -> Iterator[dict[int, int]]:
    """Give when each commit number was heard of, which is after its commit reached the disk. [µs since 1970]"""
    heard_us: dict[int, int] = {}
    ended = threading.Event()

    def listen(connection: Connection) -> None:
        while not ended.is_set():
            for commit_seq in hear_commits(connection, _HEAR_S):
                heard_us[commit_seq] = microseconds(clock.now())

    with closing(connect(database_url, application_name="bench", autocommit=True)) as connection:
        listen_for_commits(connection)
        thread = threading.Thread(target=listen, args=(connection,), daemon=True)
        thread.start()
        try:
            yield heard_us
        finally:
            ended.set()
            thread.join()


def memory(postgres: PostgresServer, broker_url: str) -> Figure:
    """Start a worker on a session with a million messages; its highest resident memory until 100,000 are stored."""
    gauges = targets()
    with database(postgres, "memory") as (url, connection):
        with process(url, broker_url, "ingest"):
            pass  # opens the session
        with publishing(broker_url) as publisher:
            publisher.publish(
                (topic, b'{"observed_at": %d, "%s": 0.1}' % (1_782_000_000_000 + n * 10, quantity.encode()))
                for n in range(WAITING_MESSAGES // len(gauges) + 1)
                for topic, quantity in gauges
            )
        with process(url, broker_url, "ingest") as worker:
            await_committed(connection, WAITING_MESSAGES // 10)
            peak_mb = _peak_mb(worker.pid)
    return Figure("memory", peak_mb, "MB", MEMORY_MB, "issue", "lower")


def _peak_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise StackFailed("bench ingest: this system does not tell the highest memory of a process")
