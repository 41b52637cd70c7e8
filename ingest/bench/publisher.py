"""Publish at QoS 1 over a plain socket, many messages in one write: faster than what is measured."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from urllib.parse import unquote, urlsplit

from undercroft.errors import StackFailed
from undercroft.mqtt_frames import publish_frame, remaining_length

ANSWER_S = 60.0
_MOST_OPEN = 2000
_WRITE_BYTES = 65_536


class Publisher:
    """One MQTT 3.1.1 connection that only publishes."""

    def __init__(self, url: str, client_id: str = "publisher") -> None:
        parts = urlsplit(url)
        user, password = unquote(parts.username or "").encode(), unquote(parts.password or "").encode()
        self._socket = socket.create_connection((parts.hostname or "", parts.port or 1883), timeout=ANSWER_S)
        flags = 0x02 | (0xC0 if user else 0)
        body = b"\x00\x04MQTT\x04" + bytes([flags]) + b"\x00\x3c" + _string(client_id.encode())
        if user:
            body += _string(user) + _string(password)
        self._socket.sendall(b"\x10" + remaining_length(len(body)) + body)
        if self._exactly(4)[3] != 0:
            self._socket.close()
            raise StackFailed("the broker refuses the publisher")

    def publish(self, messages: Iterable[tuple[str, bytes]], *, retain: bool = False) -> int:
        """Return how many the broker took over, which is all of them."""
        sent = acknowledged = 0
        pending = b""
        for topic, payload in messages:
            sent += 1
            pending += publish_frame(topic, payload, sent, retain=retain)
            if len(pending) > _WRITE_BYTES:
                self._socket.sendall(pending)
                pending = b""
                while sent - acknowledged > _MOST_OPEN:
                    acknowledged += self._acknowledged()
        self._socket.sendall(pending)
        while acknowledged < sent:
            acknowledged += self._acknowledged()
        return sent

    def send_raw(self, packet: bytes) -> None:
        """Write bytes as they are."""
        self._socket.sendall(packet)

    def abandon(self) -> None:
        """Drop the connection without goodbye."""
        self._socket.close()

    def close(self) -> None:
        """Say goodbye."""
        self._socket.sendall(b"\xe0\x00")
        self._socket.close()

    def _acknowledged(self) -> int:
        self._exactly(4)
        return 1

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            chunk = self._socket.recv(count - len(data))
            if not chunk:
                self._socket.close()
                raise StackFailed("the broker closed the connection")
            data += chunk
        return data


@contextmanager
def publishing(url: str, client_id: str = "publisher") -> Iterator[Publisher]:
    """Connect for the length of a block."""
    with closing(Publisher(url, client_id)) as publisher:
        yield publisher


def _string(text: bytes) -> bytes:
    return struct.pack("!H", len(text)) + text
