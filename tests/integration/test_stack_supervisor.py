"""The supervisor over real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.integration.stack_children import (
    DEADLINE_S,
    DEAF,
    HAS_CHILD,
    READY,
    TELLS_ITS_END,
    python,
    read_line,
    wait_gone,
)
from undercroft.errors import StackFailed
from undercroft.stack.supervisor import Supervisor


def test_stopping_leaves_no_process() -> None:
    with Supervisor() as supervisor:
        supervisor.start(python("one", READY))
        supervisor.start(python("two", READY))
        supervisor.wait_ready("one", DEADLINE_S)
        supervisor.wait_ready("two", DEADLINE_S)
        pids = supervisor.pids()
        assert sorted(pids) == ["one", "two"]
    assert not any(psutil.pid_exists(pid) for pid in pids.values())


def test_what_is_killed_starts_again() -> None:
    with Supervisor() as supervisor:
        supervisor.start(python("one", READY))
        supervisor.wait_ready("one", DEADLINE_S)
        first = supervisor.pid("one")
        assert supervisor.restarts("one") == 0
        supervisor.kill("one", signal.SIGKILL)
        assert supervisor.wait_restarted("one", 1, DEADLINE_S)
        assert supervisor.restarts("one") == 1
        assert supervisor.exit_code("one") == -signal.SIGKILL
        assert supervisor.pid("one") != first
        assert first is not None
        assert not psutil.pid_exists(first), "a zombie was left"


def test_last_started_is_first_stopped(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with Supervisor() as supervisor:
        for name in ("first", "second", "third"):
            supervisor.start(python(name, f"NAME = {name!r}\n{TELLS_ITS_END}", log_path=log))
            supervisor.wait_ready(name, DEADLINE_S)
    assert log.read_text().split() == ["third", "second", "first"]


def test_the_deaf_are_killed() -> None:
    with Supervisor(stop_grace_s=0.1) as supervisor:
        supervisor.start(python("deaf", DEAF))
        supervisor.wait_ready("deaf", DEADLINE_S)
        pid = supervisor.pid("deaf")
    assert pid is not None
    assert not psutil.pid_exists(pid)


def test_a_stopped_process_is_ended_too() -> None:
    with Supervisor() as supervisor:
        supervisor.start(python("one", READY))
        supervisor.wait_ready("one", DEADLINE_S)
        supervisor.kill("one", signal.SIGSTOP)
        pid = supervisor.pid("one")
        began = time.monotonic()
    assert pid is not None
    assert not psutil.pid_exists(pid)
    assert time.monotonic() - began < 5.0


def test_children_of_a_killed_process_do_not_stay(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with Supervisor() as supervisor:
        supervisor.start(python("parent", HAS_CHILD, log_path=log))
        supervisor.wait_ready("parent", DEADLINE_S)
        supervisor.kill("parent", signal.SIGKILL)
        assert supervisor.wait_restarted("parent", 1, DEADLINE_S)
        wait_gone(int(log.read_text().split()[0]))
    wait_gone(*map(int, log.read_text().split()))


def test_bad_input_is_not_tried_again() -> None:
    with Supervisor() as supervisor:
        supervisor.start(python("wrong", "raise SystemExit(2)"))
        with pytest.raises(StackFailed, match="wrong did not become ready, last exit status 2"):
            supervisor.wait_ready("wrong", DEADLINE_S)
        assert supervisor.restarts("wrong") == 0


def test_a_failed_start_is_tried_again(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    code = (
        f"import pathlib\np = pathlib.Path({str(mark)!r})\nif not p.exists():\n    p.touch()\n    raise SystemExit(1)\n"
    )
    with Supervisor() as supervisor:
        supervisor.start(python("late", code + READY))
        supervisor.wait_ready("late", DEADLINE_S)
        assert supervisor.restarts("late") == 1


def test_what_ends_by_itself_is_left_alone() -> None:
    with Supervisor() as supervisor:
        supervisor.start(python("once", "raise SystemExit(7)", restart=False))
        assert supervisor.wait_ended("once", DEADLINE_S) == 7
        assert supervisor.pid("once") is None


def test_a_name_is_taken_once() -> None:
    with Supervisor() as supervisor:
        supervisor.start(python("one", READY))
        with pytest.raises(StackFailed, match="process one runs already"):
            supervisor.start(python("one", READY))
        with pytest.raises(StackFailed, match="there is no process two"):
            supervisor.kill("two", signal.SIGKILL)


def test_our_own_urls_are_not_handed_down(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("UNDERCROFT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("UNDERCROFT_DATABASE_URL", "postgresql://owner")
    monkeypatch.setenv("UNDERCROFT_BATCH_MAX_MESSAGES", "7")
    log = tmp_path / "log"
    code = "import os; print(sorted(name for name in os.environ if name.startswith('UNDERCROFT_')), flush=True)"
    with Supervisor() as supervisor:
        supervisor.start(python("one", code, restart=False, log_path=log, UNDERCROFT_MQTT_URL="mqtt://ingest"))
        assert supervisor.wait_ended("one", DEADLINE_S) == 0
    assert log.read_text().strip() == str(
        ["UNDERCROFT_BATCH_MAX_MESSAGES", "UNDERCROFT_MQTT_URL", "UNDERCROFT_READY_FD"]
    )


def test_no_descriptor_is_left() -> None:
    def rounds(count: int) -> int:
        for _ in range(count):
            with Supervisor() as supervisor:
                supervisor.start(python("one", READY))
                supervisor.wait_ready("one", DEADLINE_S)
        return len(list(Path("/proc/self/fd").iterdir()))

    assert rounds(1) == rounds(3)


SUPERVISOR = """
import signal
from tests.integration.stack_children import READY, python
from undercroft.stack.supervisor import Supervisor
from undercroft.telemetry import configure_logging
configure_logging()
supervisor = Supervisor()
for name in ("one", "two"):
    supervisor.start(python(name, READY))
    supervisor.wait_ready(name)
print(*supervisor.pids().values(), flush=True)
signal.pause()
"""


def test_children_end_with_a_killed_supervisor() -> None:
    command = [sys.executable, "-c", SUPERVISOR]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL) as process:
        pids = [int(word) for word in read_line(process).split()]
        assert len(pids) == 2
        os.kill(process.pid, signal.SIGKILL)
        wait_gone(*pids)
