"""One supervised process: started, watched, started again when it dies."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import structlog

from undercroft.errors import StackFailed
from undercroft.stack.accounts import Account
from undercroft.stack.ready import READY_FD_VARIABLE
from undercroft.stack.spawn import spawn

BAD_INPUT_EXIT_CODE = 2
_FIRST_DELAY_S = 0.2
_LONGEST_DELAY_S = 30.0
_CALM_AFTER_S = 60.0
"""A process that has lived this long starts from the shortest delay again. [s]"""

_PRIVATE_VARIABLES = frozenset({
    "UNDERCROFT_DATABASE_URL", "UNDERCROFT_ACTS_DATABASE_URL", "UNDERCROFT_MQTT_URL", "UNDERCROFT_ALERT_WEBHOOK_TOKEN",
    READY_FD_VARIABLE,
})  # fmt: skip
"""Not handed down: each process is given its own."""


@dataclass(frozen=True, slots=True)
class ServerTraits:
    """A program that is not ours: it gets ``env`` alone, and has to succeed at its first start.

    Attributes
    ----------
    wait_ready : callable
        Waits until the server answers, as long as the callable given to it says that it lives; returns whether it does.
    stop_signal, death_signal : signal.Signals
        What ends it in good order; what the kernel sends it when we are gone.
    account : Account or None
        Whom it runs as; None: as ourselves.
    """

    wait_ready: Callable[[Callable[[], bool]], bool]
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    account: Account | None = None


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """What to run.

    Attributes
    ----------
    name : str
        How it is called in logs and by the supervisor.
    argv : sequence of str
        Absolute path of the program, and its arguments.
    env : mapping of str to str
        Added to our environment, of which URLs and tokens are left out.
    restart : bool
        Whether to start it again when it ends; False for what ends by itself.
    log_path : Path or None
        File that its output is added to; None: ours.
    server : ServerTraits or None
        How it differs from our own services, where it is another program.
    exit_words : mapping of int to str
        What an exit status means, for the log of its restarts.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    restart: bool = True
    log_path: Path | None = None
    server: ServerTraits | None = None
    exit_words: Mapping[int, str] = field(default_factory=dict)


def restart_delay_s(failures: int, jitter: float) -> float:
    """Return how long to wait before the next start.

    Doubles with each failure in a row up to 30 s; jitter 0..1 takes away up to half, so that processes which died
    together do not start together.

    Examples
    --------
    >>> restart_delay_s(1, 0.0), restart_delay_s(3, 0.0), restart_delay_s(3, 1.0), restart_delay_s(50, 0.0)
    (0.2, 0.8, 0.4, 30.0)
    """
    longest = min(_LONGEST_DELAY_S, _FIRST_DELAY_S * 2.0 ** min(failures - 1, 20))
    return longest * (1.0 - 0.5 * jitter)


class SupervisedProcess:
    """Keeps one process running on a thread of its own. All methods may be called from any thread."""

    def __init__(self, spec: ProcessSpec) -> None:
        self.spec = spec
        self._changed = threading.Condition()
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = False
        self._was_ready = False
        self._stopping = False
        self._over = False
        self._starts = 0
        self._exit_code: int | None = None
        self._log = structlog.get_logger().bind(process=spec.name)
        self._thread = threading.Thread(target=self._keep_running, name=f"keep-{spec.name}", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int | None:
        """Its process number now; None between death and restart."""
        with self._changed:
            return self._process.pid if self._process else None

    @property
    def restarts(self) -> int:
        """How often it was started again."""
        with self._changed:
            return max(0, self._starts - 1)

    @property
    def exit_code(self) -> int | None:
        """Status of the last run that ended, negative for a signal; None while the first one runs."""
        with self._changed:
            return self._exit_code

    def kill(self, number: signal.Signals) -> None:
        """Send a signal to the process, if it runs."""
        with self._changed:
            if self._process is not None:
                os.kill(self._process.pid, number)

    def wait_ready(self, timeout_s: float) -> None:
        """Wait until it has announced that it is ready.

        Raises
        ------
        StackFailed
            If it does not in time, or has ended for good.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._over, timeout_s)
            if self._ready:
                return
            ended = "" if self._exit_code is None else f", last exit status {self._exit_code}"
            raise StackFailed(
                f"{self.spec.name} did not become ready{'' if self._over else f' in {timeout_s:g} s'}{ended}"
            )

    def wait_ended(self, timeout_s: float) -> int | None:
        """Wait until it has ended for good; return its exit status, None when it still runs."""
        with self._changed:
            self._changed.wait_for(lambda: self._over, timeout_s)
            return self._exit_code if self._over else None

    def wait_restarted(self, restarts: int, timeout_s: float) -> bool:
        """Wait until it is ready again after this many restarts in all."""
        with self._changed:
            return self._changed.wait_for(lambda: self._starts > restarts and self._ready, timeout_s)

    def stop(self, grace_s: float) -> None:
        """End it in good order, after the grace time with SIGKILL, and do not start it again."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
            if self._process is not None:
                os.kill(self._process.pid, self.spec.server.stop_signal if self.spec.server else signal.SIGTERM)
                os.kill(self._process.pid, signal.SIGCONT)  # a stopped process would not hear it
            ended = self._changed.wait_for(lambda: self._process is None, grace_s)
            if not ended and self._process is not None:
                self._log.warning("process_killed", grace_s=grace_s)
                os.killpg(self._process.pid, signal.SIGKILL)
        self._thread.join()

    def _keep_running(self) -> None:
        try:
            self._run_until_over()
        finally:
            with self._changed:
                self._over = True
                self._changed.notify_all()

    def _run_until_over(self) -> None:
        failures = 0
        while True:
            began = time.monotonic()
            if not self._run_once():
                return
            failures = 1 if time.monotonic() - began > _CALM_AFTER_S else failures + 1
            delay_s = restart_delay_s(failures, random.random())  # noqa: S311 - not a secret
            cause = self.spec.exit_words.get(self._exit_code or 0)
            known = {} if cause is None else {"cause": cause}
            self._log.warning("process_restarts", exit_code=self._exit_code, delay_s=round(delay_s, 3), **known)
            with self._changed:
                if self._changed.wait_for(lambda: self._stopping, delay_s):
                    return

    def _run_once(self) -> bool:
        """Start it and wait for its end; return whether to start it again."""
        with self._changed:
            if self._stopping:
                return False
            process, ready_fd = self._spawn()
            self._process = process
            self._starts += 1
        self._log.info("process_started", pid=process.pid)
        announced = self._wait_announced(process.pid, ready_fd)
        if announced:
            self._log.info("process_ready", pid=process.pid)
        with self._changed:
            self._ready = announced
            self._was_ready |= announced
            self._changed.notify_all()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        with self._changed:
            # Not reaped yet, so that the number of its process group cannot be somebody else's.
            os.killpg(process.pid, signal.SIGKILL)
            self._exit_code = process.wait()
            self._process = None
            self._ready = False
            self._changed.notify_all()
            return self._restarts_now()

    def _restarts_now(self) -> bool:
        if self._stopping or not self.spec.restart:
            return False
        hopeless = self.spec.server is not None or self._exit_code == BAD_INPUT_EXIT_CODE
        return self._was_ready or not hopeless

    def _spawn(self) -> tuple[subprocess.Popen[bytes], int]:
        ready_fd, announce_fd = os.pipe()
        server = self.spec.server
        with ExitStack() as only_here, ExitStack() as on_failure:
            only_here.callback(os.close, announce_fd)
            on_failure.callback(os.close, ready_fd)
            process = spawn(
                self.spec.argv,
                self.spec.env if server else {**_inherited(), **self.spec.env, READY_FD_VARIABLE: str(announce_fd)},
                account=server.account if server else None,
                death_signal=server.death_signal if server else signal.SIGKILL,
                keep_fds=[] if server else [announce_fd],
                output=only_here.enter_context(_append(self.spec.log_path)) if self.spec.log_path else None,
            )
            on_failure.pop_all()
        return process, ready_fd

    def _wait_announced(self, pid: int, ready_fd: int) -> bool:
        """Wait until it is ready, or for its end."""
        try:
            if self.spec.server is not None:
                return self.spec.server.wait_ready(lambda: not self._stopping and not _has_ended(pid))
            return os.read(ready_fd, 1) != b""
        finally:
            os.close(ready_fd)


def _inherited() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _PRIVATE_VARIABLES}


def _append(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600), "ab")


def _has_ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None
