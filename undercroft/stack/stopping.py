"""SIGINT and SIGTERM end a command in good order."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class _Stopped(BaseException):
    """A signal asked us to end; no handler of ordinary errors may catch it."""


@contextmanager
def ends_on_signal() -> Iterator[threading.Event]:
    """Leave the block at the first SIGINT or SIGTERM, as if it had ended; later ones do not disturb the cleaning up.

    Yields an event that the signal sets: wait on it to stay; look at it afterwards to tell which end it was.
    """
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        stopped.set()
        raise _Stopped

    with _handled_by(stop), suppress(_Stopped):
        yield stopped


@contextmanager
def noticed_signal() -> Iterator[threading.Event]:
    """Give an event that the first SIGINT or SIGTERM sets, for work that goes on after it; a second one ends that."""
    noticed = threading.Event()
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def notice(number: int, frame: FrameType | None) -> None:
        del number, frame
        for each, handler in before.items():
            signal.signal(each, handler)
        noticed.set()

    with _handled_by(notice):
        yield noticed


@contextmanager
def _handled_by(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Let a handler take the signals while inside."""
    before = {number: signal.signal(number, handler) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
