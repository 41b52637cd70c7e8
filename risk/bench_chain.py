"""``commit_to_alarm``: from the commit of a red reading to that of its alarm, on real PostgreSQL and a real engine.

The engine is the process that ``undercroft risk`` runs, on a live database with 10,000 spaces, a fifth of them in water
that rises, so that the nowcast is always being made. Each timed reading turns the road of another underpass red. The
end is when another session, woken by the engine's notification, sees the event of the alarm.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from risk.bench import SPACES, large_site
from undercroft.bench import Figure
from undercroft.clock import SystemClock
from undercroft.errors import StackFailed
from undercroft.model import Mode
from undercroft.stack.datadir import open_data_dir
from undercroft.stack.postgres import running_postgres
from undercroft.stack.ready import READY_FD_VARIABLE
from undercroft.store import engine_bench as store
from undercroft.store.commit import listen_for_ticks, wait_for_tick
from undercroft.store.connection import Connection, connect
from undercroft.store.databases import create_database, migrate_database
from undercroft.store.observations import microseconds
from undercroft.store.site import import_site, sensors

LIMIT_MS = 300.0
WET = 0.2
ALARMS = 200
GAP_S = (0.05, 0.35)
"""Readings come at any moment of the 200 ms between two ticks."""
DEADLINE_S = 300.0
ROUTINE = 40


@contextmanager
def running_chain(spaces: int) -> Iterator[tuple[str, Chain]]:
    """Run an engine on a live database of so many spaces in a storm; give the database's URL and the storm."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="uce-", dir="/tmp")))
        data_dir = stack.enter_context(open_data_dir(folder))
        postgres = stack.enter_context(running_postgres(data_dir, fsync=True))
        create_database(postgres.url(), "bench_engine")
        url = postgres.url("bench_engine")
        migrate_database(url, Mode.LIVE)
        connection, listener = (
            stack.enter_context(closing(connect(url, application_name="undercroft-bench", autocommit=True)))
            for _ in range(2)
        )
        chain = Chain(connection, listener, spaces)
        chain.flood()
        stack.enter_context(_engine(url))
        chain.settle()
        yield url, chain


def chain_figures(spaces: int, alarms: int = ALARMS) -> list[Figure]:
    """Return the median and the 99th percentile."""
    with running_chain(spaces) as (_, chain):
        delays_ms = sorted(chain.measure(alarms))
        chain.require_nowcasts()
    suffix = "" if spaces == SPACES else f"_{spaces}"
    named = {
        "p50": delays_ms[len(delays_ms) // 2],
        "p99": delays_ms[min(len(delays_ms) - 1, round(0.99 * len(delays_ms)))],
    }
    return [
        Figure(f"commit_to_alarm_{name}{suffix}", round(value, 1), "ms", LIMIT_MS, "issue 4", "lower")
        for name, value in named.items()
    ]


class Chain:
    """A storm over a large district, as readings that are committed; each timed one turns another road red."""

    def __init__(self, connection: Connection, listener: Connection, spaces: int) -> None:
        self._connection, self._listener, self._clock = connection, listener, SystemClock()
        self._rng = np.random.default_rng(11)
        site = large_site(spaces)
        import_site(connection, site, "bench", self._clock.now())
        depth = [row for row in sensors(connection) if row.quantity == "water_depth_m"]
        order = {space.id: number for number, space in enumerate(site.spaces)}
        outside = [row for row in depth if row.entrance_id is not None]
        self._every = np.array([row.sensor_id for row in depth], np.int32)
        wet = [row for row in outside if order[row.place_id] < spaces * WET]
        self._wet = np.array([row.sensor_id for row in wet], np.int32)
        roads = {space.id for space in site.spaces if space.kind == "underpass" and order[space.id] >= spaces * WET}
        self._roads = [row for row in outside if row.place_id in roads and row.entrance_id == "a"]
        self._start_m = self._rng.uniform(0.05, 0.25, self._wet.size)
        self._rate = self._rng.uniform(0.004, 0.012, self._wet.size)
        self._began = self._clock.now()

    def flood(self) -> None:
        """Commit four minutes of the storm before the engine starts."""
        for minute in range(4):
            at_us = microseconds(self._began - timedelta(minutes=4 - minute))
            dry = np.setdiff1d(self._every, self._wet)
            values = np.concatenate((self._start_m + self._rate * minute, np.zeros(dry.size)))
            store.commit_readings(self._connection, np.concatenate((self._wet, dry)), values, at_us)

    def settle(self) -> None:
        """Wait until the engine has taken the storm, and used a nowcast of it."""
        end_s = self._clock.monotonic_s() + DEADLINE_S
        with selectors.DefaultSelector() as pause:
            while store.nowcasts_used(self._connection) < 2:
                if self._clock.monotonic_s() > end_s:
                    raise StackFailed("bench engine: the engine did not take the storm in five minutes")
                pause.select(0.2)

    def require_nowcasts(self) -> None:
        """Raise StackFailed if the engine made no nowcasts beside."""
        if store.nowcasts_used(self._connection) < 3:
            raise StackFailed("bench engine: the engine made no nowcasts while it was measured")

    def subjects(self, alarms: int) -> list[str]:
        """Return the subjects of the alarms that `measure` times."""
        return [f"space/{road.place_id}" for road in self._roads[:alarms]]

    def committed_at(self, subjects: list[str]) -> dict[str, datetime]:
        """Return when the red alarm of each subject was committed."""
        return store.red_committed_at(self._connection, subjects)

    def measure(self, alarms: int) -> list[float]:
        """Return the delay of each alarm. [ms]"""
        listen_for_ticks(self._listener)
        committed_s: dict[str, float] = {}
        delays: list[float] = []
        alarms = min(alarms, len(self._roads))
        gaps = self._rng.uniform(*GAP_S, alarms)
        for road, gap_s in zip(self._roads[:alarms], gaps, strict=True):
            now = self._clock.now()
            minutes = (now - self._began).total_seconds() / 60.0 + 4.0
            rows = self._rng.choice(self._wet.size, min(ROUTINE, self._wet.size), replace=False)
            values = self._start_m[rows] + self._rate[rows] * minutes
            ids = np.concatenate((self._wet[rows], np.array([road.sensor_id], np.int32)))
            store.commit_readings(self._connection, ids, np.append(values, 0.31), microseconds(now))
            committed_s[f"space/{road.place_id}"] = self._clock.monotonic_s()
            delays += self._seen(committed_s, committed_s[f"space/{road.place_id}"] + gap_s)
        delays += self._seen(committed_s, self._clock.monotonic_s() + DEADLINE_S)
        if committed_s:
            raise StackFailed(f"bench engine: {len(committed_s)} alarms did not come")
        return delays

    def _seen(self, committed_s: dict[str, float], until_s: float) -> list[float]:
        """Take the alarms that are seen until a time, or until none is left to come."""
        found = []
        while committed_s and (left_s := until_s - self._clock.monotonic_s()) > 0.0:
            if not wait_for_tick(self._listener, left_s):
                continue
            raised = store.raised_of(self._connection, list(committed_s))
            seen_s = self._clock.monotonic_s()
            found += [(seen_s - committed_s.pop(subject)) * 1000.0 for subject in raised]
        if not committed_s and (left_s := until_s - self._clock.monotonic_s()) > 0.0 and left_s < GAP_S[1]:
            with selectors.DefaultSelector() as pause:
                pause.select(left_s)
        return found


@contextmanager
def _engine(url: str) -> Iterator[None]:
    readable, writable = os.pipe()
    environment = {**os.environ, "UNDERCROFT_DATABASE_URL": url, READY_FD_VARIABLE: str(writable)}
    command = [sys.executable, "-m", "undercroft", "risk"]
    process = subprocess.Popen(
        command, env=environment, pass_fds=[writable], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    os.close(writable)
    try:
        with os.fdopen(readable, "rb") as ready:
            if ready.read(1) != b"1":
                raise StackFailed("bench engine: the engine did not start")
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
