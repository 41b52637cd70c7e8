"""How a service tells whoever started it that it is ready: one byte on the descriptor in ``UNDERCROFT_READY_FD``."""

from __future__ import annotations

import os

READY_FD_VARIABLE = "UNDERCROFT_READY_FD"


def announce_ready() -> None:
    """Say once that this process subscribes or listens now; without a supervisor it does nothing."""
    descriptor = os.environ.pop(READY_FD_VARIABLE, None)
    if descriptor is None:
        return
    fd = int(descriptor)
    try:
        os.write(fd, b"1")
    except BrokenPipeError:
        return  # the supervisor no longer waits
    finally:
        os.close(fd)
