"""One run: the feed is played through the chain and watched until its last tick; then the report is written."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from simulators.demo.chain import Chain, running_chain
from simulators.demo.feed import Feed, ProgressFile, read_stats
from simulators.demo.memory import tree_pss_bytes
from simulators.demo.probe import measure_latency
from simulators.demo.report import Measured, build_report
from simulators.demo.view import RunView
from simulators.mqtt import connected_client
from undercroft.errors import StackFailed
from undercroft.model import Severity
from undercroft.settings import Settings
from undercroft.stack.stopping import noticed_signal
from undercroft.store.connection import Connection, connect
from undercroft.store.demo import fetch_all, fetch_one
from undercroft.store.patient import PatientConnection

MEMORY_PERIOD_S = 10.0
"""Reading the memory of all processes costs them some 0.1 s; what they hold grows slowly. [s]"""

LAST_TICK_POLL_S = 0.1
STALL_S = 120.0
"""A run whose newest tick is older than this in real time has come to a stop. [s]"""

_MB = 1e6
_APPLICATION = "undercroft-demonstration"
Show = Callable[[RunView], None]
Keep = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a run is done.

    Attributes
    ----------
    probe_s : float
        Length of the latency probe after the run; 0 for none. [s]
    refresh_s : float
        How often the view is filled and shown. [s]
    """

    probe_s: float
    refresh_s: float
    stay: bool


def run(settings: Settings, feed: Feed, options: RunOptions, show: Show, keep: Keep = lambda _: None) -> dict[str, Any]:
    """Play a feed through the whole chain and return its report.

    ``keep`` is given the report as soon as the run is over, before people look at it and before latency is measured.

    Raises
    ------
    BadInput
        If the given database cannot be used.
    StackFailed
        If a process does not start, ends early, or the run comes to a stop.
    """
    began_s = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="undercroft-") as folder,
        running_chain(settings, feed.site, feed.name) as chain,
    ):
        chain.start_services("ingest", "risk", "api")
        watch = _Watch(chain, feed, Path(folder), began_s)
        chain.wait_ready("ingest")  # the others find in the database whatever comes before them
        chain.start_feed((*feed.argv, "--stats", str(watch.stats_path), "--progress", str(watch.progress_path)))
        chain.wait_ready("risk", "api")
        with PatientConnection(chain.urls.owner, _APPLICATION, STALL_S) as database:
            stats = watch.until_last_tick(database, options.refresh_s, show)
            wall_s = time.monotonic() - began_s
            measured = Measured(feed.name, wall_s, watch.first_assessment_s, watch.memory_mb)
            report = database.ask(lambda connection: build_report(connection, stats, measured))
            keep(report)
            if options.stay:
                watch.stay(database, options, show)
        if options.probe_s > 0:
            watch.view.note = f"实时测量时延 · measuring latency in real time for {options.probe_s:.0f} s"
            show(watch.view)
            report["latency_ms"] = _probe(chain, feed, options.probe_s)
        return report


def _probe(chain: Chain, feed: Feed, probe_s: float) -> dict[str, float] | None:
    """Measure on the chain as the run has left it: its database is as full, its processes are as old."""
    url = chain.stack.mqtt_url("simulator")
    with (
        connected_client(url, "undercroft-probe") as client,
        closing(connect(chain.urls.owner, application_name=_APPLICATION, autocommit=True)) as connection,
    ):
        return measure_latency(client, connection, feed.site, duration_s=probe_s)


class _Watch:
    """Fills the view from the database and the simulator's progress, and notices when a run stops."""

    def __init__(self, chain: Chain, feed: Feed, folder: Path, began_s: float) -> None:
        self.stats_path = folder / "stats.json"
        self.progress_path = folder / "progress.jsonl"
        self.first_assessment_s: float | None = None
        self.memory_mb = 0.0
        self._chain = chain
        self._progress = ProgressFile(self.progress_path)
        self._began_s = began_s
        self._memory_at_s = 0.0
        self._moved_at_s = time.monotonic()
        self._newest_tick = -1
        self._published: tuple[float, int] = (began_s, 0)
        self.view = RunView(feed.name, chain.address, ZoneInfo(feed.site.district.timezone))

    def until_last_tick(self, database: PatientConnection, refresh_s: float, show: Show) -> dict[str, Any]:
        """Watch until the engine has ticked on the feed's last clock; return the feed's own count."""
        while self._chain.supervisor.wait_ended("simulator", refresh_s) is None:
            self._look(database, show)
        code = self._chain.supervisor.exit_code("simulator")
        if code != 0:
            raise StackFailed(f"the simulator ended with exit status {code}; its last lines say why{self._log_hint()}")
        stats = read_stats(self.stats_path)
        looked_s = time.monotonic()
        while not database.ask(lambda connection: _has_ticked(connection, stats["last_seq"])):
            if time.monotonic() - looked_s > refresh_s:
                self._look(database, show)
                looked_s = time.monotonic()
            time.sleep(LAST_TICK_POLL_S)
        self._memory_at_s = -MEMORY_PERIOD_S
        self._look(database, show)
        return stats

    def stay(self, database: PatientConnection, options: RunOptions, show: Show) -> None:
        """Keep everything up for people to look at, until they interrupt."""
        self.view.note = "运行结束，按 Ctrl-C 退出 · the run is over; Ctrl-C ends the demonstration"
        if options.probe_s > 0:
            self.view.note = (
                f"运行结束，报告已写出。按 Ctrl-C 测量时延 {options.probe_s:.0f} 秒，再按一次退出 · "
                f"the run is over and reported; Ctrl-C measures latency for {options.probe_s:.0f} s, a second one ends"
            )
        with noticed_signal() as interrupted:
            while not interrupted.is_set():
                self._moved_at_s = time.monotonic()
                self._look(database, show)
                interrupted.wait(options.refresh_s)

    def _look(self, database: PatientConnection, show: Show) -> None:
        newest = database.ask(lambda connection: fetch_one(connection, "demo_newest_tick"))
        now_s = time.monotonic()
        if newest is not None and newest["tick_seq"] != self._newest_tick:
            self._newest_tick = newest["tick_seq"]
            self._moved_at_s = now_s
            if self.first_assessment_s is None:
                self.first_assessment_s = round(now_s - self._began_s, 2)
        if now_s - self._moved_at_s > STALL_S:
            raise StackFailed(f"the engine has not ticked for {STALL_S:.0f} s{self._log_hint()}")
        if now_s - self._memory_at_s > MEMORY_PERIOD_S:
            self._memory_at_s = now_s
            self.memory_mb = max(self.memory_mb, tree_pss_bytes(os.getpid()) / _MB)
        self.view.storm_time = newest["tick_at"] if newest else None
        self._follow_progress(now_s)
        database.ask(self._fill)
        show(self.view)

    def _follow_progress(self, now_s: float) -> None:
        progress = self._progress.newest()
        if progress is None:
            return
        view = self.view
        view.rain_mm_h = progress["rain_mm_h"]
        view.rain_total_mm = progress["rain_total_mm"]
        view.rain_history_mm_h.append(view.rain_mm_h)
        before_s, before = self._published
        view.published = progress["published"]
        view.messages_per_s = (view.published - before) / max(now_s - before_s, 1e-9)
        self._published = (now_s, view.published)

    def _fill(self, connection: Connection) -> None:
        view = self.view
        counts = fetch_one(connection, "demo_counts") or {}
        view.stored = counts["stored"]
        view.alarm_count = counts["open_alarms"]
        view.worst = fetch_all(connection, "demo_worst_spaces", most=12)
        view.alarms = fetch_all(connection, "demo_open_alarms", most=8)
        view.counts = {
            Severity(row["severity"]): row["alarms"] for row in fetch_all(connection, "demo_open_by_severity")
        }

    def _log_hint(self) -> str:
        return f"; see {self._chain.log_path}" if self._chain.log_path else ""


def _has_ticked(connection: Connection, last_seq: int) -> bool:
    newest = fetch_one(connection, "demo_newest_tick")
    return newest is not None and (newest["run_seq"] or 0) >= last_seq
