"""SIGINT and SIGTERM end a command in good order."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class _Stopped(BaseException):
    """A signal asked us to end; no handler of ordinary errors may catch it."""


@contextmanager
def ends_on_signal() -> Iterator[threading.Event]:
    """Leave the block at the first SIGINT or SIGTERM, as if it had ended; later ones do not disturb the cleaning up.

    Yields an event that is never set: wait on it to stay.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise _Stopped

    before = {number: signal.signal(number, stop) for number in _SIGNALS}
    try:
        yield threading.Event()
    except _Stopped:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
