"""File descriptors of the gateway: one for each station, and the low ones kept for the broker.

The broker's client waits with select(2), which takes descriptors below 1,024 alone. A gateway of more stations than
leave room there keeps their connections above, so that it finds its broker again however many stations are on line.
"""

from __future__ import annotations

import fcntl
import resource
import socket

from undercroft.errors import BadInput

SELECT_MOST = 1024
OWN = 64
"""Descriptors for everything but stations: broker, log, listener, libraries."""


def needed_descriptors(connections: int) -> int:
    """Return how many descriptors a gateway of so many connections may use."""
    return connections + OWN + (SELECT_MOST if _is_large(connections) else 0)


def make_room(connections: int) -> None:
    """Raise this process's soft limit of open files to what it needs.

    Raises
    ------
    BadInput
        If its hard limit is lower.
    """
    needed = needed_descriptors(connections)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise BadInput(
            f"--connections {connections}: needs {needed} open files, and this process may have {hard};"
            " expected fewer, or a higher limit (ulimit -Hn, LimitNOFILE= of the service)"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def kept_aside(connection: socket.socket, connections: int) -> socket.socket:
    """Return a station's connection, in a large gateway under a descriptor that select(2) does not need.

    Raises
    ------
    OSError
        If there is none free; the connection is closed then.
    """
    if not _is_large(connections):
        return connection
    with connection:
        return socket.socket(fileno=fcntl.fcntl(connection, fcntl.F_DUPFD_CLOEXEC, SELECT_MOST))


def _is_large(connections: int) -> bool:
    return connections + OWN > SELECT_MOST
