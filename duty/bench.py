"""How long from an alarm's commit to the first attempt to send it, with 500 open alarms; ``undercroft bench duty``."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Annotated

import typer

from duty.file import DutyFile
from duty.model import Person, Reach
from duty.notify.run import run_duty
from duty.roster.acts import shift_row
from duty.roster.roster import Shift
from undercroft.bench import Figure, print_figures
from undercroft.clock import Clock, SystemClock
from undercroft.errors import StackFailed
from undercroft.groups import group
from undercroft.model import Mode
from undercroft.settings import Settings
from undercroft.stack.embedded import EmbeddedStack
from undercroft.store import duty_bench as store
from undercroft.store.connection import connect
from undercroft.store.duty_roster import replace_shifts

LIMIT_S = 1.0
DEADLINE_S = 120.0
PER_MINUTE = 10_000


def register(app: typer.Typer) -> None:
    """Add ``undercroft bench duty``."""
    group(app, "bench", "Figures beside their limits, measured now.").command("duty")(bench_duty)


def bench_duty(
    as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False,
    open_alarms: Annotated[int, typer.Option(min=1, help="alarms that are open all the time")] = 500,
    alarms: Annotated[int, typer.Option(min=20, help="alarms that are timed")] = 200,
) -> None:
    """Measure from the commit of an alarm to its first send attempt over HTTP; exit code 1 over the limit."""
    with tempfile.TemporaryDirectory(prefix="ucb-", dir="/tmp") as folder:
        settings = Settings(data_dir=Path(folder), database_url=None)
        with EmbeddedStack(settings, mqtt_port=0) as stack, _receiver() as url:
            database = stack.open_database("bench_duty", Mode.EXERCISE).owner
            delays = measure(Bench(database, url, SystemClock()), open_alarms, alarms)
    p99_s = delays[min(len(delays) - 1, round(0.99 * len(delays)))]
    figures = [
        Figure("alarm_to_send_p50", delays[len(delays) // 2], "s", LIMIT_S, "stated limit", "lower"),
        Figure("alarm_to_send_p99", p99_s, "s", LIMIT_S, "stated limit", "lower"),
    ]
    if not print_figures(figures, as_json=as_json):
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True)
class Bench:
    """Where to measure."""

    database: str
    receiver: str
    clock: Clock


def measure(bench: Bench, open_alarms: int, alarms: int) -> list[float]:
    """Return the delay of each timed alarm, shortest first. [s]"""
    channel = {"id": "bench", "kind": "webhook", "url_env": "URL", "secret_env": "SECRET", "per_minute": PER_MINUTE}
    duty_file = DutyFile.model_validate({"channel": [channel], "drill": ["bench"]})
    environment = {"URL": bench.receiver, "SECRET": "bench"}
    stop, ready = threading.Event(), threading.Event()
    with closing(connect(bench.database, application_name="undercroft-bench", autocommit=True)) as connection:
        start = bench.clock.now()
        store.make_places(connection, open_alarms + alarms)
        li = Person("li", "li", "", (Reach("bench", "li"),))
        replace_shifts(
            connection, [shift_row(Shift(start - timedelta(days=1), start + timedelta(days=1), 0, "holder", li))]
        )
        arguments = (bench.database, bench.clock, stop, duty_file, environment, ready.set)
        notifier = threading.Thread(target=run_duty, args=arguments)
        notifier.start()
        try:
            ready.wait(DEADLINE_S)
            store.raise_alarms(connection, 1, start, 1, open_alarms)
            _wait(bench.clock, lambda: store.sent(connection) >= open_alarms)
            for number in range(1, alarms + 1):
                subject = open_alarms + number
                at = start + timedelta(milliseconds=number)
                store.raise_alarms(connection, 1 + number, at, subject, subject)
                _wait(bench.clock, lambda wanted=subject: store.sent(connection) >= wanted)  # type: ignore[misc]
        finally:
            stop.set()
            notifier.join()
        return store.delays_s(connection, 1)


def _wait(clock: Clock, done: Callable[[], bool]) -> None:
    end_s, pause = clock.monotonic_s() + DEADLINE_S, threading.Event()
    while not done():
        if clock.monotonic_s() > end_s:
            raise StackFailed("bench duty: messages did not go out in two minutes")
        pause.wait(0.005)


class _receiver:  # noqa: N801 - used like a function
    """A loopback service that takes every message."""

    def __enter__(self) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
