"""A TCP relay between ingest and its broker that can cut a connection in the middle of a message, and that counts."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from copy import copy
from typing import NamedTuple

from ingest.frames import FrameReader
from tests.integration.ingest_kit import DEADLINE_S

_PUBACK = 0x40
_CONNECT = 0x10
_CLIENT_ID = 14
"""Where the client id of a CONNECT begins, after its length: MQTT 3.1.1, 3.1, with a packet of under 128 bytes."""


class Acknowledged(NamedTuple):
    """A message that ingest has acknowledged."""

    session: str
    """Client id."""
    mid: int
    topic: str
    payload: bytes


class Cut(NamedTuple):
    """The frame in which a connection was cut."""

    kind: int
    """Type of the packet; 3 is PUBLISH."""
    came: int
    """What of it was passed on. [bytes]"""
    size: int
    """[bytes]"""


class CuttingProxy:
    """Relays every connection to one port; ``cut_after`` ends one after so many more bytes from the broker."""

    def __init__(self, target_port: int) -> None:
        self.acknowledged: list[Acknowledged] = []
        """Over all connections, in order."""
        self.in_flight_at_end = 0
        """Messages in flight when connections ended, since `forget_ends`."""
        self.cut: Cut | None = None
        """Where the last of `cut_after` fell; None: not yet."""
        self._session_of: dict[socket.socket, str] = {}
        self._open: dict[socket.socket, dict[int, tuple[str, bytes]]] = {}
        """By connection and packet identifier: what was delivered whole and is not acknowledged."""
        self._target_port = target_port
        self._budget: int | None = None
        self._lock = threading.Lock()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._half_ended: set[socket.socket] = set()
        """Connections of which one of the two relays has ended."""
        self._failures: list[BaseException] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept_all, daemon=True)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def in_flight(self) -> int:
        """Messages that are delivered to ingest, whole, and not acknowledged."""
        with self._lock:
            return sum(map(len, self._open.values()))

    @property
    def connections(self) -> int:
        """Connections of ingest that are open."""
        with self._lock:
            return len(self._open)

    def forget_ends(self) -> None:
        """Count anew for the next fault: what an earlier one had in flight says nothing of it."""
        with self._lock:
            self.in_flight_at_end = 0

    def cut_after(self, count: int) -> None:
        with self._lock:
            self._budget, self.cut = count, None

    def cut_now(self) -> None:
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                _hang_up(end)

    def close(self) -> None:
        _hang_up(self._listener)
        self._listener.close()
        self.cut_now()
        for thread in self._threads:
            thread.join(DEADLINE_S)
        self.raise_failure()

    def raise_failure(self) -> None:
        """Raise what ended a thread of the relay, with its traceback; each of them counts, so none may end unseen."""
        if self._failures:
            raise AssertionError("a thread of the relay failed") from self._failures[0]

    def _accept_all(self) -> None:
        try:
            self._accept()
        except BaseException as error:  # noqa: BLE001 - handed to the test, which fails
            self._failures.append(error)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._target_port), timeout=DEADLINE_S)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            with self._lock:
                self._pairs.append((client, server))
                self._open[client] = {}
            for relay in (self._upstream, self._downstream):
                work = threading.Thread(target=self._relay, args=(relay, client, server), daemon=True)
                self._threads.append(work)
                work.start()

    def _relay(
        self, relay: Callable[[socket.socket, socket.socket], None], client: socket.socket, server: socket.socket
    ) -> None:
        """Run one direction; the second of the two to end closes both sockets."""
        try:
            relay(client, server)
        except BaseException as error:  # noqa: BLE001 - handed to the test, which fails
            self._failures.append(error)
        for end in (client, server):
            _hang_up(end)
        with self._lock:
            is_second = client in self._half_ended
            self._half_ended.add(client)
        if is_second:
            client.close()
            server.close()

    def _upstream(self, client: socket.socket, server: socket.socket) -> None:
        rest = b""
        while chunk := _receive(client):
            rest = self._count(client, rest + chunk)
            if not _send(server, chunk):
                break
        with self._lock:
            left = self._open.pop(client)
            self.in_flight_at_end += len(left)

    def _count(self, client: socket.socket, data: bytes) -> bytes:
        """Ingest sends only short packets: CONNECT, SUBSCRIBE, PUBACK, PINGREQ."""
        while len(data) >= 2 and len(data) >= 2 + data[1]:
            if data[0] == _PUBACK:
                mid = int.from_bytes(data[2:4])
                with self._lock:
                    session = self._session_of[client]
                    said = self._open[client].pop(mid, None)
                    assert said is not None, f"{session} acknowledges {mid}, which is not in flight on its connection"
                    self.acknowledged.append(Acknowledged(session, mid, *said))
            elif data[0] == _CONNECT:
                end = _CLIENT_ID + int.from_bytes(data[_CLIENT_ID - 2 : _CLIENT_ID])
                self._session_of[client] = data[_CLIENT_ID:end].decode()
            data = data[2 + data[1] :]
        return data

    def _downstream(self, client: socket.socket, server: socket.socket) -> None:
        reader = FrameReader()
        while chunk := _receive(server):
            with self._lock:
                cut = self._budget is not None and len(chunk) >= self._budget
                part = chunk
                if cut and (inside := _cut_inside(reader, chunk, self._budget or 0)) is not None:
                    self.cut, part = inside
                    self._budget = None
                elif cut:  # no PUBLISH to cut in these bytes
                    self._budget, cut = 1, False
                elif self._budget is not None:
                    self._budget -= len(chunk)
                for message in reader.feed(part, 0):
                    if client in self._open:
                        new = (message.topic.decode(), message.payload)
                        known = self._open[client].setdefault(message.mid, new)
                        assert known is new, f"the broker sends {message.mid} twice: {known} is not acknowledged"
            if not _send(client, part) or cut:
                break


def _cut_inside(reader: FrameReader, chunk: bytes, count: int) -> tuple[Cut, bytes] | None:
    """Cut a chunk after so many bytes, or after fewer or more, so that it falls inside a PUBLISH; None: it has none."""
    for length in (*range(count, 0, -1), *range(count + 1, len(chunk))):
        trial = copy(reader)
        trial.feed(chunk[:length], 0)
        rest = trial._rest
        if len(rest) > 4 and rest[0] >> 4 == 3:
            whole = rest + chunk[length:]
            size, shift, body = 0, 0, 1
            while True:
                size |= (whole[body] & 127) << shift
                shift, body = shift + 7, body + 1
                if whole[body - 1] < 128:
                    break
            return Cut(3, len(rest), body + size), chunk[:length]
    return None


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65_536)
    except OSError:
        return b""


def _send(connection: socket.socket, chunk: bytes) -> bool:
    try:
        connection.sendall(chunk)
    except OSError:
        return False
    return True


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the other side was faster
