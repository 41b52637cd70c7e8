"""Run the application: say when it listens, end at once when told to, however many clients follow the stream."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from fastapi import FastAPI

from undercroft.errors import StackFailed
from undercroft.stack.ready import announce_ready

GRACE_S = 5.0
"""How long requests in progress may take after the order to end. [s]"""


class Server(uvicorn.Server):
    """A server that ends its streams first, and reports where it listens."""

    def __init__(self, app: FastAPI, on_listening: Callable[[str], None], trusted_proxies: str = "") -> None:
        config = uvicorn.Config(
            app,
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=int(GRACE_S),
            timeout_keep_alive=30,
            proxy_headers=bool(trusted_proxies),  # else anybody could say from where they act
            forwarded_allow_ips=trusted_proxies or None,
        )
        super().__init__(config)
        self._app = app
        self._on_listening = on_listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        self._on_listening(address_of(sockets[0]) if sockets else "")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, then wait for the rest."""
        self._app.state.services.hub.close()
        await super().shutdown(sockets)


def address_of(listening: socket.socket) -> str:
    """Return the address that a browser opens."""
    host, port = listening.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}/"


def bind(host: str, port: int) -> socket.socket:
    """Listen on an address; port 0 takes a free one.

    Raises
    ------
    StackFailed
        If the address is taken or not ours.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OSError as error:
        raise StackFailed(f"api: cannot listen on {host} port {port}: {error.strerror or error}") from error
    return listening


def serve(
    app: FastAPI, listening: socket.socket, on_listening: Callable[[str], None], trusted_proxies: str = ""
) -> None:
    """Serve until SIGTERM or SIGINT, then return."""

    def announce(address: str) -> None:
        on_listening(address)
        announce_ready()

    # uvicorn raises the signal again after it has ended in good order; we want to return instead.
    before: dict[signal.Signals, Any] = {
        number: signal.signal(number, lambda *_: None) for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        asyncio.run(Server(app, announce, trusted_proxies).serve(sockets=[listening]))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
