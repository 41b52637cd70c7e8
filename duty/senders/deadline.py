"""An end for a connection whose other side goes on talking too slowly for any limit between two bytes."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self


class Deadline:
    """Shuts a connection down when its time is over; whoever waits for it has an error then, TLS or not."""

    def __init__(self, seconds: float) -> None:
        self.is_over = False
        self._held: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            if self._held is not None:
                self._held.close()
                self._held = None

    def hold(self, connection: socket.socket) -> None:
        """Take a connection under the deadline, before anything is said on it."""
        with self._lock:
            self._held = connection.dup()  # of the same connection, whoever wraps or closes the other
        if self.is_over:
            self._end()

    def _end(self) -> None:
        self.is_over = True
        with self._lock, suppress(OSError):  # it is closed already
            if self._held is not None:
                self._held.shutdown(socket.SHUT_RDWR)
