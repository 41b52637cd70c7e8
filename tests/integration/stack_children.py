"""Programs that the supervisor's tests run, and ways to see what became of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil

from undercroft.stack.process import ProcessSpec

REPOSITORY = Path(__file__).parents[2]
DEADLINE_S = 30.0

READY = "from undercroft.stack.ready import announce_ready; announce_ready(); import signal; signal.pause()"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + READY
TELLS_ITS_END = (
    "import signal, sys\n"
    "def end(*_):\n"
    "    print(NAME, flush=True)\n"
    "    sys.exit(0)\n"
    "signal.signal(signal.SIGTERM, end)\n" + READY
)
HAS_CHILD = (
    "import subprocess, sys\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'])\n"
    "print(child.pid, flush=True)\n" + READY
)


def python(name: str, code: str, *, restart: bool = True, log_path: Path | None = None, **env: str) -> ProcessSpec:
    """Return a process that runs this code."""
    return ProcessSpec(name, (sys.executable, "-P", "-c", code), env, restart=restart, log_path=log_path)


def wait_gone(*pids: int) -> None:
    """Wait until none of these processes exists; a zombie counts as one."""
    processes = []
    for pid in pids:
        try:
            processes.append(psutil.Process(pid))
        except psutil.NoSuchProcess:
            continue
    _, alive = psutil.wait_procs(processes, timeout=DEADLINE_S)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE or _is_ours(process)] == []


def _is_ours(process: psutil.Process) -> bool:
    return bool(process.ppid() == psutil.Process().pid)


def tree(pid: int) -> list[int]:
    """Return a process and all its descendants."""
    process = psutil.Process(pid)
    return [pid, *(child.pid for child in process.children(recursive=True))]


def read_line(process: subprocess.Popen[str]) -> str:
    """Return the next line that a process prints; the test's timeout is the deadline."""
    assert process.stdout is not None
    line: str = process.stdout.readline()
    assert line, "it ended without a word"
    return line.strip()
