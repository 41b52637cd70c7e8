"""``single``, ``pack`` and ``share``: how fast a backlog comes from the broker into committed rows."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import ExitStack
from statistics import median_low

from ingest.bench import bare
from ingest.bench.messages import FIRST_MS, PACK_READINGS, packs, singles
from ingest.bench.publisher import publishing
from ingest.bench.running import await_committed, database, process
from undercroft.bench import Figure
from undercroft.clock import SystemClock
from undercroft.errors import StackFailed
from undercroft.stack.postgres import PostgresServer
from undercroft.store.connection import Connection
from undercroft.store.copying import committed, copy_observations, count_rows

SINGLE_MESSAGES = 100_000
SINGLE_PARTS = 10
"""The first is a warm-up; the others are measured. Together they are the whole backlog."""
PACKS = 2_000
COPY_SHARE = 0.25
SHARED_MESSAGES = 60_000
CORES_FOR_SHARE = 4
"""Two workers, the broker and the database: with fewer processors the second worker takes from the first."""


def single(postgres: PostgresServer, broker_url: str) -> Figure:
    """Drain a backlog of single readings, and the same one with the bare client, in turn, a part at a time.

    One stands still while the other works, so each part is held against one that was measured a moment before on the
    same machine under the same load. The figure is the pair with the median ratio.
    """
    part = SINGLE_MESSAGES // SINGLE_PARTS
    clock = SystemClock()
    pairs = []
    with database(postgres, "single") as (url, connection), ExitStack() as stack:
        bare.open_session(broker_url, "flood/v1/#")
        with process(url, broker_url, "ingest"):
            pass  # opens the session
        with publishing(broker_url) as publisher:
            publisher.publish(singles(SINGLE_MESSAGES))
        ingest = stack.enter_context(process(url, broker_url, "ingest"))
        stack.callback(ingest.send_signal, signal.SIGCONT)
        _drain_to(ingest, connection, part)
        for number in range(2, SINGLE_PARTS + 1):
            limit = part / bare.drain(broker_url, part, clock)
            pairs.append((_drain_to(ingest, connection, part * number), limit))
        _expect_rows(connection, "single", SINGLE_MESSAGES)
    ratios = [ours / limit for ours, limit in pairs]
    ours, limit = pairs[ratios.index(median_low(ratios))]
    return Figure("single", ours, "msg/s", limit, "bare paho, parse and acknowledge", "higher")


def _drain_to(ingest: subprocess.Popen[bytes], connection: Connection, count: int) -> float:
    """Let ingest go on until so many messages are committed in all, and stop it. [messages/s]

    A batch that is committed after the stop counts in no part.
    """
    clock = SystemClock()
    before = committed(connection)[0]
    began_s = clock.monotonic_s()
    ingest.send_signal(signal.SIGCONT)
    after = await_committed(connection, count)
    elapsed_s = clock.monotonic_s() - began_s
    ingest.send_signal(signal.SIGSTOP)
    return (after - before) / elapsed_s


def _expect_rows(connection: Connection, name: str, count: int) -> None:
    """Every message is committed once, and is a row once; else there is no figure."""
    rows = count_rows(connection)
    if rows != (count, count):
        raise StackFailed(f"bench ingest: {name} stored {rows[0]} readings in {rows[1]} rows, not {count} once each")


def pack(postgres: PostgresServer, broker_url: str) -> Figure:
    """Drain a backlog of packs, beside binary COPY into the same table and key."""
    clock = SystemClock()
    readings = PACKS * PACK_READINGS
    with database(postgres, "pack") as (url, connection):
        with process(url, broker_url, "ingest"):
            pass  # opens the session
        with publishing(broker_url) as publisher:
            publisher.publish(packs(PACKS))
        with process(url, broker_url, "ingest"):
            began_s = clock.monotonic_s()
            await_committed(connection, PACKS)
            elapsed_s = clock.monotonic_s() - began_s
        # What was committed before ingest said that it is ready counts too.
        seconds = max(elapsed_s, committed(connection)[1])
        copy_s = copy_observations(connection, readings, FIRST_MS * 1000, clock)
    limit = COPY_SHARE * readings / copy_s
    return Figure("pack", readings / seconds, "readings/s", limit, "0.25 of binary COPY", "higher")


def share(postgres: PostgresServer, broker_url: str, alone_per_s: float) -> Figure:
    """Drain a backlog with two workers; every reading a row once, or no figure.

    It stands beside one worker's rate, and is held against it where the processors suffice.
    """
    clock = SystemClock()
    workers = [("ingest", "--share", "bench", "--slot", str(slot)) for slot in range(2)]
    with database(postgres, "share") as (url, connection):
        with ExitStack() as stack:
            for words in workers:
                stack.enter_context(process(url, broker_url, *words))
        with publishing(broker_url) as publisher:
            publisher.publish(singles(SHARED_MESSAGES))
        with ExitStack() as stack:
            began_s = clock.monotonic_s()
            for words in workers:
                stack.enter_context(process(url, broker_url, *words))
            await_committed(connection, SHARED_MESSAGES)
            elapsed_s = max(clock.monotonic_s() - began_s, 0.001)
        seconds = committed(connection)[1]
        _expect_rows(connection, "share", SHARED_MESSAGES)
    cores = len(os.sched_getaffinity(0))
    rate = SHARED_MESSAGES / (seconds or elapsed_s)
    beside = f"one worker, {cores} cores"
    return Figure("share", rate, "msg/s", alone_per_s, beside, "higher", is_held=cores >= CORES_FOR_SHARE)
