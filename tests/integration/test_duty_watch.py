"""The dead-man on real processes: each is killed with -9, and the watcher tells somebody past notifier and queues."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from duty.model import Reach
from duty.senders.webhook import Webhook
from duty.watch import SILENT_AFTER, Watch, ask, tell
from tests.integration.duty_kit import DEADLINE_S, now, opened, prepared
from tests.integration.duty_servers import service
from undercroft.clock import SystemClock

REACH = (Reach("hook", "control"),)


@contextmanager
def process(name: str, url: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, "UNDERCROFT_DATABASE_URL": url}
    command = [sys.executable, "-m", "undercroft", name]
    started = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        yield started
    finally:
        started.kill()
        started.wait()


def until(done: Callable[[], bool]) -> None:
    clock, pause = SystemClock(), threading.Event()
    end_s = clock.monotonic_s() + DEADLINE_S
    while not done():
        assert clock.monotonic_s() < end_s
        pause.wait(0.05)


def test_each_part_that_is_killed_is_told(live_db: str, tmp_path: Path) -> None:
    with opened(live_db) as db, service(lambda _: (200, {})) as it, process("risk", live_db) as engine:
        prepared(db)
        hook = {"hook": Webhook(it.url, "s", 5.0, lambda: 0.0)}
        with process("duty", live_db) as notifier:
            until(lambda: all((ask(live_db) or {}).get(part) is not None for part in ("engine", "duty")))
            watch, alive = Watch(), ask(live_db)
            assert alive is not None
            alive["ingest"] = now()
            assert watch.look(alive, now()) == []
            engine.kill()
            engine.wait()
            # The engine's last beat stays; the others go on. What the clock says later is what the watcher is told.
            after = now()
            until(lambda: ((ask(live_db) or {})["duty"] or after) > after)
            beats = ask(live_db)
            assert beats is not None
            later = now() + SILENT_AFTER["engine"]
            told = watch.look({**beats, "duty": later, "ingest": later}, later)
            assert told == [("engine", "silent")]
            assert tell(*told[0], later, hook, REACH) == 1
            notifier.kill()
            notifier.wait()
        later += timedelta(seconds=30)
        told = watch.look({**beats, "ingest": later}, later)
        assert told == [("duty", "silent")]
        assert tell(*told[0], later, hook, REACH) == 1
        assert [message["title"].split()[0] for message in it.received] == [
            "【系统】风险引擎无响应",
            "【系统】通知服务无响应",
        ]


def test_a_database_that_is_gone_is_told() -> None:
    beats = ask("postgresql://nobody@127.0.0.1:9/none?connect_timeout=1")
    assert beats is None
    assert Watch().look(beats, now()) == [("database", "silent")]
