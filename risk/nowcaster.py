"""The nowcast beside the safety tick: one thread that answers one question at a time.

Live only. In a run the answer is made between two ticks, so that it does not hang on how fast the machine is.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from risk.ahead import Nowcast, Question, answered

SPACING = timedelta(seconds=1)
"""Least time between the ticks that are asked of: a wet gauge speaks once a minute."""


class Nowcaster:
    """Asked after a tick, it is done some ticks later; what goes wrong is raised where the answer is fetched."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="nowcast")
        self._future: Future[Nowcast] | None = None
        self._asked_at: datetime | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    @property
    def busy(self) -> bool:
        """Whether an answer is being worked out, or waits to be fetched."""
        return self._future is not None

    def wants_at(self, tick_at: datetime) -> bool:
        """Tell whether it is free and due to be asked of a tick."""
        if self.busy or (self._asked_at is not None and tick_at - self._asked_at < SPACING):
            return False
        self._asked_at = tick_at
        return True

    def ask(self, question: Question) -> None:
        """Start an answer; one that runs must have been fetched before."""
        if self._future is not None:
            raise RuntimeError("a nowcast is being made already")
        self._future = self._pool.submit(answered, question)

    def finished(self) -> Nowcast | None:
        """Return the answer once it is there, and be free for the next question; None while it is not."""
        if self._future is None or not self._future.done():
            return None
        done, self._future = self._future, None
        return done.result()
