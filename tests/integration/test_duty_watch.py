"""The dead-man on real processes: each is killed with -9, and the watcher tells somebody past notifier and queues."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import cast

import orjson
import pytest

from duty.model import Reach
from duty.senders.webhook import Webhook
from duty.watch.outbox import Notice, Outbox
from duty.watch.watch import ANSWER_WITHIN_S, SILENT_AFTER_S, STARTING_S, ZONE, Watch, ask, run_watch
from ingest.broker import parse_broker_url
from ingest.speaking import speaking_client
from tests.integration.duty_kit import DEADLINE_S, in_a_thread, now, opened, prepared
from tests.integration.duty_servers import service
from tests.integration.ingest_kit import import_sample_site
from tests.integration.up_kit import RUNNING, running_up, short_folder
from tests.timescale import URL_VARIABLE
from undercroft.clock import SystemClock
from undercroft.errors import StoreUnavailable
from undercroft.model import Mode
from undercroft.stack.broker import Broker
from undercroft.stack.postgres import PostgresServer
from undercroft.store.commands import EMBEDDED_URL_FILE
from undercroft.store.connection import connect, translated_errors

REACH = (Reach("hook", "control"),)


@contextmanager
def process(name: str, url: str, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, "UNDERCROFT_DATABASE_URL": url, **more}
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


def life(url: str) -> dict[str, str | None]:
    """What the watcher is shown; nothing when the database does not answer."""
    found = ask(url)
    return dict(found.of) if found else {}


def test_each_part_that_is_killed_is_told(live_db: str, tmp_path: Path) -> None:
    with opened(live_db) as db, service(lambda _: (200, {})) as it, process("risk", live_db) as engine:
        prepared(db)
        hook = Webhook(it.url, "s", 5.0, lambda: 0.0)
        outbox = Outbox(lambda _: {"hook": hook}, REACH, Mode.LIVE, ZONE)
        with process("duty", live_db) as notifier:
            until(lambda: all(life(live_db).get(part) is not None for part in ("engine", "duty")))
            watch, first = Watch(), life(live_db)
            assert watch.look(first, -STARTING_S) == []
            until(lambda: all(life(live_db)[part] != first[part] for part in ("engine", "duty")))
            engine.kill()
            engine.wait()
            # The engine's last sign stays; the notifier's changes. How much later is what the watcher is told.
            dead = life(live_db)
            assert watch.look(dead | {"ingest": "1"}, 0.0) == []
            until(lambda: life(live_db)["duty"] != dead["duty"])
            alive = life(live_db)
            assert alive["engine"] == dead["engine"]
            told = watch.look(alive | {"ingest": "2"}, 21.0)
            assert told == [("engine", "silent")]
            outbox.add(Notice(*told[0], now()))
            assert outbox.deliver(0.0) == 1
            notifier.kill()
            notifier.wait()
        watch.look(life(live_db) | {"ingest": "3"}, 22.0)
        told = watch.look(life(live_db) | {"ingest": "4"}, 43.0)
        assert told == [("duty", "silent")]
        outbox.add(Notice(*told[0], now()))
        assert outbox.deliver(0.0) == 1
        assert [message["title"].split()[0] for message in it.received] == [
            "【系统】风险引擎无响应",
            "【系统】通知服务无响应",
        ]


@contextmanager
def watching(url: str, hook: Webhook, within_s: float = ANSWER_WITHIN_S) -> Iterator[None]:
    """Run the watcher itself in a thread."""
    with in_a_thread(
        lambda stop, ready: run_watch(
            url, SystemClock(), stop.wait, lambda _: {"hook": hook}, REACH, ready, within_s=within_s, every_s=0.5
        )
    ):
        yield


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
    monkeypatch.setitem(cast("dict[str, float]", SILENT_AFTER_S), "ingest", 20.0)
    monkeypatch.setenv("UNDERCROFT_MQTT_URL", broker_server.url("ingest"))
    import_sample_site(live_db)
    words = {"risk": "风险引擎", "duty": "通知服务", "ingest": "数据接收"}
    beat_of = {"risk": "engine", "duty": "duty", "ingest": "ingest"}
    with ExitStack() as stack:
        it = stack.enter_context(service(lambda _: (200, {})))
        stack.enter_context(speaking(broker_server.url("operator")))
        running = {name: stack.enter_context(process(name, live_db)) for name in words}
        until(lambda: all(life(live_db).get(beat) is not None for beat in beat_of.values()))
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
    assert min(SILENT_AFTER_S.values()) >= ANSWER_WITHIN_S


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """Stop a process as a hung machine would; it goes on afterwards, and before a test without a limit hangs."""
    thaw = threading.Timer(DEADLINE_S, os.kill, (pid, signal.SIGCONT))
    os.kill(pid, signal.SIGSTOP)
    thaw.start()
    try:
        yield
    finally:
        thaw.cancel()
        os.kill(pid, signal.SIGCONT)


@pytest.mark.skipif(URL_VARIABLE in os.environ, reason=f"{URL_VARIABLE}: the server is no process of this machine")
def test_a_database_that_is_frozen_is_told(live_db: str, postgres: PostgresServer) -> None:
    """The whole server takes connections and never answers; a backend that is frozen later never ends a statement."""
    pid = postgres.process.pid
    assert pid is not None
    with closing(connect(live_db, application_name="test", autocommit=True, answer_within_s=0.2)) as db:
        (row,) = db.execute("select pg_backend_pid() as pid").fetchall()
        refusal = pytest.raises(StoreUnavailable, match=r"no answer within 0\.7 s")
        with frozen(row["pid"]), refusal, translated_errors():
            db.execute("select 1")
        assert db.closed
    with service(lambda _: (200, {})) as it, watching(live_db, Webhook(it.url, "s", 5.0, lambda: 0.0), 1.0):
        with frozen(pid):
            it.wait_for(1)
        it.wait_for(2)
    assert [message["title"].split()[0] for message in it.received] == ["【系统】数据库无响应", "【系统】数据库已恢复"]


def test_the_command_speaks_when_there_is_no_database_at_its_start(tmp_path: Path) -> None:
    path = tmp_path / "duty.toml"
    names = 'id = "hook"\nkind = "webhook"\nurl_env = "URL"\nsecret_env = "SECRET"\n'
    path.write_text(f'fallback = ["hook:control"]\n[[channel]]\n{names}')
    with service(lambda _: (200, {})) as it:
        channel = {"URL": it.url, "SECRET": "s", "UNDERCROFT_DUTY_FILE": str(path)}
        with process("watch", GONE, **channel) as watcher:
            it.wait_for(1)
            assert watcher.poll() is None, "it goes on watching"
    assert (it.received[0]["address"], it.received[0]["title"].split()[0]) == ("control", "【系统】数据库无响应")


@pytest.mark.slow
def test_up_tells_the_fallback_of_an_engine_that_cannot_start(tmp_path: Path) -> None:
    """What stands in the database cannot be read: a site version of nothing."""
    path = tmp_path / "duty.toml"
    names = 'id = "hook"\nkind = "webhook"\nurl_env = "URL"\nsecret_env = "SECRET"\n'
    path.write_text(f'fallback = ["hook:control"]\n[[channel]]\n{names}')
    with (
        short_folder() as data_dir,
        service(lambda _: (200, {})) as it,
        running_up(data_dir, URL=it.url, SECRET="s", UNDERCROFT_DUTY_FILE=str(path)) as up,
    ):
        up.until("watch     tells the fallback")
        up.until(RUNNING)
        assert "watch" in up.services()
        with opened((data_dir / EMBEDDED_URL_FILE).read_text().strip()) as db:
            db.execute("update site_version set document = '{}'")
        up.services()["risk"].kill()
        for count in range(1, 9):  # the notifier tells the fallback of the empty roster, too
            it.wait_for(count, 90.0)
            if any(message["title"].startswith("【系统】风险引擎无响应") for message in it.received):
                break
        assert up.end() == 0
    told = [message for message in it.received if message["title"].startswith("【系统】风险引擎无响应")]
    assert [message["address"] for message in told] == ["control"]
