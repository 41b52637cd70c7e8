"""The dead-man on real processes: each is killed with -9, and the watcher tells somebody past notifier and queues."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

import orjson
import pytest

from duty.model import Reach
from duty.senders.webhook import Webhook
from duty.watch import ANSWER_WITHIN_S, SILENT_AFTER, Watch, ask, run_watch
from duty.watch_outbox import Notice, Outbox
from ingest.broker import parse_broker_url
from ingest.speaking import speaking_client
from tests.integration.duty_kit import DEADLINE_S, now, opened, prepared
from tests.integration.duty_servers import service
from tests.integration.ingest_kit import import_sample_site
from undercroft.clock import SystemClock
from undercroft.stack.broker import Broker
from undercroft.store.connection import CONNECT_TIMEOUT_S

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
        outbox = Outbox({"hook": Webhook(it.url, "s", 5.0, lambda: 0.0)}, REACH)
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
            outbox.add(Notice(*told[0], later))
            assert outbox.deliver(0.0) == 1
            notifier.kill()
            notifier.wait()
        later += timedelta(seconds=30)
        told = watch.look({**beats, "ingest": later}, later)
        assert told == [("duty", "silent")]
        outbox.add(Notice(*told[0], later))
        assert outbox.deliver(0.0) == 1
        assert [message["title"].split()[0] for message in it.received] == [
            "【系统】风险引擎无响应",
            "【系统】通知服务无响应",
        ]


class GraceOver:
    """The machine's clock, but that the watcher began a minute earlier: what is starting up has had its time."""

    def __init__(self) -> None:
        self._clock, self._began = SystemClock(), False

    def now(self) -> datetime:
        at = self._clock.now()
        if not self._began:
            self._began, at = True, at - timedelta(minutes=1)
        return at

    def monotonic_s(self) -> float:
        return self._clock.monotonic_s()


@contextmanager
def watching(url: str, hook: Webhook) -> Iterator[None]:
    """Run the watcher itself in a thread."""
    stop = threading.Event()
    arguments = (url, GraceOver(), stop.wait, {"hook": hook}, REACH, 0.5)
    thread = threading.Thread(target=run_watch, args=arguments)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(DEADLINE_S)
        assert not thread.is_alive()


@contextmanager
def speaking(url: str) -> Iterator[None]:
    """Have a gauge of the sample district speak twice a second."""
    stop = threading.Event()

    def speak(publish: Callable[[str, bytes], None]) -> None:
        while not stop.wait(0.5):
            payload = orjson.dumps({"observed_at": now().isoformat(), "rain_total_mm": 1.5})
            publish("flood/v1/futian/gauge-beiling/gauge-beiling-rain/observation", payload)

    with speaking_client(parse_broker_url(url), "test-gauge") as publish:
        thread = threading.Thread(target=speak, args=(publish,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(DEADLINE_S)


@pytest.mark.slow
def test_the_watcher_tells_of_each_part_that_is_killed_and_of_its_return(
    live_db: str, broker_server: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Engine, notifier and ingest are killed with -9, one after the other; ingest is given 20 s here, not 3 minutes."""
    monkeypatch.setitem(cast("dict[str, timedelta]", SILENT_AFTER), "ingest", timedelta(seconds=20))
    monkeypatch.setenv("UNDERCROFT_MQTT_URL", broker_server.url("ingest"))
    import_sample_site(live_db)
    words = {"risk": "风险引擎", "duty": "通知服务", "ingest": "数据接收"}
    beat_of = {"risk": "engine", "duty": "duty", "ingest": "ingest"}
    with ExitStack() as stack:
        it = stack.enter_context(service(lambda _: (200, {})))
        stack.enter_context(speaking(broker_server.url("operator")))
        running = {name: stack.enter_context(process(name, live_db)) for name in words}
        until(lambda: all((ask(live_db) or {}).get(beat) is not None for beat in beat_of.values()))
        stack.enter_context(watching(live_db, Webhook(it.url, "s", 5.0, lambda: 0.0)))
        expected: list[str] = []
        for name, named in words.items():
            running[name].kill()
            running[name].wait()
            expected.append(f"【系统】{named}无响应")
            it.wait_for(len(expected), 60.0)
            stack.enter_context(process(name, live_db))
            expected.append(f"【系统】{named}已恢复")
            it.wait_for(len(expected), 60.0)
            assert [message["title"].split()[0] for message in it.received] == expected


GONE = "postgresql://nobody@127.0.0.1:9/none?connect_timeout=1"


def test_a_database_that_is_gone_is_told_again_until_it_is_taken() -> None:
    """The watcher itself; the channel answers 500, then 200 with an odd code, then takes it."""
    answers: list[tuple[int, object]] = [(500, {}), (200, {"success": False}), (200, {})]
    with service(lambda number: answers[number - 1]) as it, watching(GONE, Webhook(it.url, "s", 5.0, lambda: 0.0)):
        it.wait_for(3)
    assert len(set(it.keys)) == 1
    assert it.received[0]["title"].startswith("【系统】数据库无响应")


def test_a_database_that_answers_too_late_is_silent(live_db: str) -> None:
    """The holder loses its lock after ten seconds, so that a watcher without a limit fails here and does not hang."""
    with opened(live_db) as holder, holder.transaction():
        holder.execute("set local idle_in_transaction_session_timeout = '10s'")
        holder.execute("lock table duty_progress in access exclusive mode")
        assert ask(live_db, 0.2) is None
    assert ask(live_db, 0.2 * DEADLINE_S) is not None
    assert SILENT_AFTER["duty"].total_seconds() >= ANSWER_WITHIN_S + CONNECT_TIMEOUT_S
