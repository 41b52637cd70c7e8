"""Starts our processes, starts again what dies, stops all in reverse order."""

from __future__ import annotations

import signal
import sys
import threading
from types import TracebackType
from typing import Self

from undercroft.errors import StackFailed
from undercroft.stack.process import ProcessSpec, SupervisedProcess

STOP_GRACE_S = 10.0


def service_argv(*words: str) -> tuple[str, ...]:
    """Return the command of one of our own processes, like ``service_argv("ingest")``.

    ``-P`` keeps the working directory off the import path: a folder ``risk`` or ``api`` in it would be taken for ours.
    """
    return (sys.executable, "-P", "-m", "undercroft", *words)


class Supervisor:
    """Processes by name. Use it as a context manager; all methods may be called from any thread."""

    def __init__(self, stop_grace_s: float = STOP_GRACE_S) -> None:
        self._stop_grace_s = stop_grace_s
        self._lock = threading.Lock()
        self._processes: dict[str, SupervisedProcess] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, spec: ProcessSpec) -> None:
        """Start a process and keep it running; `wait_ready` waits for it."""
        with self._lock:
            if spec.name in self._processes:
                raise StackFailed(f"process {spec.name} runs already")
            self._processes[spec.name] = SupervisedProcess(spec)

    def wait_ready(self, name: str, timeout_s: float = 60.0) -> None:
        """Wait until it announces that it is ready, see `SupervisedProcess.wait_ready`."""
        self._find(name).wait_ready(timeout_s)

    def wait_ended(self, name: str, timeout_s: float) -> int | None:
        """Wait until a process that is not restarted has ended; return its exit status, None when it still runs."""
        return self._find(name).wait_ended(timeout_s)

    def wait_restarted(self, name: str, restarts: int, timeout_s: float = 60.0) -> bool:
        """Wait until it is ready again after this many restarts in all; False when the time is over."""
        return self._find(name).wait_restarted(restarts, timeout_s)

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Send it a signal; it is started again if that ends it."""
        self._find(name).kill(number)

    def pid(self, name: str) -> int | None:
        """Return its process number; None between death and restart."""
        return self._find(name).pid

    def pids(self) -> dict[str, int]:
        """Return the process numbers of all that run now."""
        with self._lock:
            found = {name: process.pid for name, process in self._processes.items()}
        return {name: pid for name, pid in found.items() if pid is not None}

    def restarts(self, name: str) -> int:
        """Return how often it was started again."""
        return self._find(name).restarts

    def exit_code(self, name: str) -> int | None:
        """Return the status of its last run that ended."""
        return self._find(name).exit_code

    def stop(self, name: str | None = None) -> None:
        """Stop one process, or all in reverse order of their start."""
        with self._lock:
            names = [name] if name is not None else list(reversed(self._processes))
            stopped = [self._processes.pop(each) for each in names if each in self._processes]
        for process in stopped:
            process.stop(self._stop_grace_s)

    def _find(self, name: str) -> SupervisedProcess:
        with self._lock:
            found = self._processes.get(name)
        if found is None:
            raise StackFailed(f"there is no process {name}")
        return found
