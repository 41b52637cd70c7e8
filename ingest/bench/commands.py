"""``undercroft bench ingest``: real Mosquitto, real PostgreSQL with fsync, one ingest process."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from ingest.bench import bare
from ingest.bench.lasting import latency, memory, share
from ingest.bench.mosquitto import running_mosquitto
from ingest.bench.publisher import publishing
from undercroft.bench import Figure, print_figures
from undercroft.clock import SystemClock
from undercroft.errors import StackFailed
from undercroft.groups import group
from undercroft.model import Mode
from undercroft.site import load_site, sample_site_path
from undercroft.site.places import devices_of
from undercroft.stack.datadir import open_data_dir
from undercroft.stack.postgres import PostgresServer, running_postgres
from undercroft.stack.ready import READY_FD_VARIABLE
from undercroft.store.connection import connect
from undercroft.store.copying import committed, copy_observations
from undercroft.store.databases import create_database, migrate_database
from undercroft.store.site import import_site

SINGLE_MESSAGES = 100_000
PACKS = 2_000
PACK_READINGS = 50
COPY_SHARE = 0.25
FIRST_MS = 1_782_000_000_000
LONGEST_S = 300.0

Messages = Iterator[tuple[str, bytes]]


def register(app: typer.Typer) -> None:
    """Add ``undercroft bench ingest``."""
    group(app, "bench", "Measure, each figure beside its limit.").command("ingest")(bench_ingest)


def bench_ingest(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Measure draining a backlog (single, pack, share), latency at a steady rate, and memory under a backlog."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ucb-", dir="/tmp")))
        data_dir = stack.enter_context(open_data_dir(folder))
        postgres = stack.enter_context(running_postgres(data_dir, fsync=True))
        broker_folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ucm-", dir="/tmp")))
        broker_url = stack.enter_context(running_mosquitto(broker_folder, SystemClock()))
        single = _single(postgres, broker_url)
        figures = [
            single,
            _pack(postgres, broker_url),
            share(postgres, broker_url, _singles(), single.value),
            latency(postgres, broker_url, _targets()),
            memory(postgres, broker_url, _targets()),
        ]
    if not print_figures(figures, as_json=as_json):
        sys.exit(1)


def _single(postgres: PostgresServer, broker_url: str) -> Figure:
    bare.open_session(broker_url, "flood/v1/#")
    seconds = _drain(postgres, "single", broker_url, _singles(), SINGLE_MESSAGES)
    limit_s = bare.drain(broker_url, SINGLE_MESSAGES, SystemClock())
    return Figure(
        "single",
        SINGLE_MESSAGES / seconds,
        "msg/s",
        SINGLE_MESSAGES / limit_s,
        "bare paho, parse and acknowledge",
        "higher",
    )


def _pack(postgres: PostgresServer, broker_url: str) -> Figure:
    seconds = _drain(postgres, "pack", broker_url, _packs(), PACKS)
    readings = PACKS * PACK_READINGS
    with closing(connect(postgres.url("pack"), application_name="bench")) as connection:
        copy_s = copy_observations(connection, readings, FIRST_MS * 1000, SystemClock())
    limit = COPY_SHARE * readings / copy_s
    return Figure("pack", readings / seconds, "readings/s", limit, "0.25 of binary COPY", "higher")


def _drain(postgres: PostgresServer, name: str, broker_url: str, messages: Messages, count: int) -> float:
    """Return the seconds from the start of reading to the last commit."""
    clock = SystemClock()
    url = postgres.url(name)
    create_database(postgres.url(), name)
    migrate_database(url, Mode.LIVE)
    with closing(connect(url, application_name="bench", autocommit=True)) as connection:
        import_site(connection, load_site(sample_site_path()), "bench", clock.now())
        with _ingest(url, broker_url):
            pass  # opens the session
        with publishing(broker_url) as publisher:
            publisher.publish(messages)
        with _ingest(url, broker_url):
            began_s = clock.monotonic_s()
            with selectors.DefaultSelector() as pause:
                while committed(connection)[0] < count:
                    if clock.monotonic_s() - began_s > LONGEST_S:
                        raise StackFailed(f"bench ingest: {name} is not done after {LONGEST_S:.0f} s")
                    pause.select(0.02)
            elapsed_s = clock.monotonic_s() - began_s
        # What was committed before ingest said that it is ready counts too.
        return max(elapsed_s, committed(connection)[1])


@contextmanager
def _ingest(database_url: str, broker_url: str) -> Iterator[None]:
    readable, writable = os.pipe()
    environment = {
        **os.environ,
        "UNDERCROFT_DATABASE_URL": database_url,
        "UNDERCROFT_MQTT_URL": broker_url,
        READY_FD_VARIABLE: str(writable),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "undercroft", "ingest"],
        env=environment,
        pass_fds=[writable],
        stderr=subprocess.DEVNULL,
    )
    os.close(writable)
    try:
        with os.fdopen(readable, "rb") as ready:
            if ready.read(1) != b"1":
                raise StackFailed("bench ingest: ingest did not start")
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _targets() -> list[tuple[str, str]]:
    """Topics of the district's gauges, each with the key of its reading."""
    return [
        (f"flood/v1/futian/{place.id}/{device.id}/observation", sensor.quantity)
        for place, device in devices_of(load_site(sample_site_path()))
        for sensor in device.sensors[:1]
        if sensor.quantity in {"water_depth_m", "water_level_m", "rain_total_mm"} and sensor.at is None
    ]


def _singles() -> Messages:
    targets = _targets()
    for number in range(SINGLE_MESSAGES):
        topic, quantity = targets[number % len(targets)]
        at_ms = FIRST_MS + number // len(targets) * 1000
        yield topic, b'{"observed_at": %d, "seq": %d, "%s": 0.12}' % (at_ms, number, quantity.encode())


def _packs() -> Messages:
    targets = _targets()
    for number in range(PACKS):
        topic, quantity = targets[number % len(targets)]
        first_ms = FIRST_MS + number // len(targets) * PACK_READINGS * 1000
        readings = b", ".join(
            b'{"observed_at": %d, "%s": 0.12}' % (first_ms + n * 1000, quantity.encode()) for n in range(PACK_READINGS)
        )
        yield topic, b'{"readings": [%s]}' % readings
