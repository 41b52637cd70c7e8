"""TCP ports: free ones of this machine, and whether somebody listens where a URL points."""

from __future__ import annotations

import errno
import socket
from urllib.parse import urlsplit

from undercroft.errors import BadInput, StackFailed

LOOPBACK = "127.0.0.1"
MQTT_PORTS = {"mqtt": 1883, "mqtts": 8883}
CONNECT_TIMEOUT_S = 5.0


def mqtt_address(url: str) -> tuple[str, int]:
    """Return host and port of an MQTT URL that the settings have taken."""
    parts = urlsplit(url)
    return parts.hostname or LOOPBACK, parts.port or MQTT_PORTS[parts.scheme]


def require_broker(url: str, timeout_s: float = CONNECT_TIMEOUT_S) -> None:
    """Make sure that something listens where an MQTT URL points, before anything else is started.

    Raises
    ------
    StackFailed
        Names host and port; never the URL, which holds a password.
    """
    host, port = mqtt_address(url)
    try:
        socket.create_connection((host, port), timeout_s).close()
    except OSError as error:
        why = error.strerror or error
        raise StackFailed(f"UNDERCROFT_MQTT_URL: no broker answers at {host}:{port}: {why}") from error


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Tell whether a server could listen there now.

    Raises
    ------
    BadInput
        If nobody could: no such address of this machine, or no right to the port.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise BadInput(f"cannot listen on {host} port {port}: {error.strerror or error}") from error
        return True


def free_port(host: str = LOOPBACK) -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def free_port_from(first: int, host: str = LOOPBACK, tries: int = 20) -> int:
    """Return the first free port from this one up, or any other."""
    for port in range(first, min(first + tries, 65536)):
        if is_free(port, host):
            return port
    return free_port(host)
