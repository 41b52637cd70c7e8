"""The nowcast beside the safety tick: one process that answers one question at a time.

Live only. In a run the answer is made between two ticks, so that it does not hang on how fast the machine is. It is a
process and not a thread, since a thread would take turns with the tick at the interpreter's lock; it is nice, so that
the tick goes first where processors are few (docs/decisions/0020).
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Self

import structlog

from risk.ahead import Nowcast, Question, answered
from risk.nowcast_failed import where_of_error
from risk.past.inforce import Past

log = structlog.get_logger(__name__)

SPACING = timedelta(seconds=1)
"""Least time between the ticks that are asked of: a wet gauge speaks once a minute."""

PATIENCE = timedelta(seconds=60)
"""A process that has not answered by then is taken for stuck, since no snapshot is written while it is waited for."""

NICENESS = 5
_OWN_PREFIX = "UNDERCROFT_"
"""Variables that the process does not need, some of them secret."""


class Nowcaster:
    """Asked after a tick, it is done some ticks later; what goes wrong is raised where it is fetched, and told there.

    A process that died owes no answer: it is said (`lost`), and the next question has a new one. The tick does not hang
    on it.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._line: Connection | None = None
        self._busy = False
        self._asked_at: datetime | None = None
        self._sent: Past | None = None
        self._lost: str | None = None

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end()

    @property
    def busy(self) -> bool:
        """Whether an answer is being worked out, or waits to be fetched."""
        return self._busy

    def lost(self) -> str | None:
        """Return once how the last process that was given up had ended; None if none was since."""
        lost, self._lost = self._lost, None
        return lost

    @property
    def pid(self) -> int | None:
        """Number of the process; None while there is none."""
        return None if self._process is None else self._process.pid

    def wants_at(self, tick_at: datetime) -> bool:
        """Tell whether it is free and due to be asked of a tick. A clock that was set back puts nothing off."""
        if self._asked_at is not None and tick_at < self._asked_at:
            self._asked_at = tick_at if self._busy else None
        if self._busy and self._asked_at is not None and tick_at - self._asked_at > PATIENCE:
            self._bury()
        if self._busy or (self._asked_at is not None and tick_at - self._asked_at < SPACING):
            return False
        self._asked_at = tick_at
        return True

    def ask(self, question: Question) -> None:
        """Start an answer; one that runs must have been fetched before."""
        if self._busy:
            raise RuntimeError("a nowcast is being made already")
        line = self._line or self._start()
        try:
            line.send(self._without_sent(question))
            self._busy = True
        except OSError:
            self._bury()

    def _without_sent(self, question: Question) -> Question:
        """Return a question without the library that the process has already."""
        for asked in question.past:
            if asked.past is not self._sent:
                self._sent = asked.past
                return question
        return replace(question, past=tuple(replace(asked, past=None) for asked in question.past))

    def finished(self, wait_s: float = 0.0) -> Nowcast | None:
        """Return the answer once it is there, and be free for the next question; None while it is not. [s]"""
        if not self._busy or self._line is None or not self._line.poll(wait_s):
            return None
        self._busy = False
        try:
            done = self._line.recv()
        except (EOFError, OSError):
            self._bury()
            return None
        if isinstance(done, BaseException):
            raise done
        assert isinstance(done, Nowcast)  # noqa: S101 - what `serve` sends
        return done

    def _start(self) -> Connection:
        ours, theirs = socket.socketpair()
        with theirs:
            environment = {name: value for name, value in os.environ.items() if not name.startswith(_OWN_PREFIX)}
            command = [sys.executable, "-m", "risk.nowcaster"]
            self._process = subprocess.Popen(command, stdin=theirs.fileno(), stdout=subprocess.DEVNULL, env=environment)
        self._line, self._sent = Connection(ours.detach()), None
        return self._line

    def _bury(self) -> None:
        """Do without a process that died or hangs; the next question has another."""
        pid, exit_code = self.pid, self._end()
        log.warning("nowcast_process_ended", pid=pid, exit_code=exit_code)
        self._lost = f"its process ended or hung, exit code {exit_code}"

    def _end(self) -> int | None:
        self._busy = False
        if self._line is not None:
            self._line.close()
            self._line = None
        process, self._process = self._process, None
        if process is None:
            return None
        process.kill()  # it keeps nothing
        return process.wait()


def serve(line: Connection) -> None:
    """Answer questions until the other end is closed; an error is an answer, a library comes once."""
    past: Past | None = None
    while True:
        try:
            question: Question = line.recv()
        except EOFError:
            return
        for asked in question.past:
            past = asked.past or past
        question = replace(question, past=tuple(replace(asked, past=past) for asked in question.past))
        try:
            answer: Nowcast | Exception = answered(question)
        except Exception as error:  # noqa: BLE001 - raised where the answer is fetched
            for call in where_of_error(error):
                error.add_note(call)  # a traceback does not go through the line
            answer = error
        try:
            line.send(answer)
        except BrokenPipeError:
            return


def main() -> None:
    """Serve the socket on standard input, nicely; it ends with the engine, not by its signals."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICENESS)
    serve(Connection(os.dup(0)))


if __name__ == "__main__":
    main()
