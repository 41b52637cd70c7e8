"""The SL 651 gateway: takes stations' frames over TCP, hands each to the broker as it is, confirms it afterwards.

One thread for each connection, as many as `Limits.connections`. A frame is confirmed (link M2) only when the broker has
acknowledged it; a station that hears nothing sends it again with its serial number, twice, and a later delivery of the
same frame adds no reading. A keep-alive is neither published nor confirmed.
"""

from __future__ import annotations

import errno
import socket
import threading
from collections import Counter
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Protocol

import structlog

from ingest.foreign.sl651_cutter import FrameCutter
from ingest.foreign.sl651_frame import KEEP_ALIVE, Ending, Frame, confirmation, parse_frame
from ingest.gateway.descriptors import kept_aside
from undercroft.clock import Clock
from undercroft.errors import PayloadInvalid

_log = structlog.get_logger("gateway")
Network = IPv4Network | IPv6Network
_READ_BYTES = 8192
_ACCEPT_S = 0.5
_JOIN_S = 5.0
_NO_LISTENER = frozenset({errno.EBADF, errno.EINVAL, errno.ENOTSOCK})
"""The listening socket itself is gone; whatever else accepting fails of may pass: descriptors, memory, the peer."""


class Publishes(Protocol):
    """What the gateway needs of the broker."""

    def publish(self, topic: str, payload: bytes, timeout_s: float) -> bool:
        """Tell whether the broker took the message over in time."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """What a station may ask of the gateway.

    Attributes
    ----------
    connections : int
        At the same time; one more is closed at once.
    idle_s : float
        A connection without a byte for so long is closed. Keep-alives come at least every 255 s. [s]
    frame_s : float
        From the first byte of a frame to its last. [s]
    confirm_s : float
        The broker's time to acknowledge; afterwards the station is not confirmed. [s]
    send_s : float
        The station's time to take its confirmation. [s]
    garbage_bytes : int
        A connection that has sent so much that was no frame is closed.
    """

    connections: int = 200
    idle_s: float = 300.0
    frame_s: float = 30.0
    confirm_s: float = 10.0
    send_s: float = 10.0
    garbage_bytes: int = 65_536


@dataclass(frozen=True, slots=True)
class Rules:
    """Who may send, and where it goes.

    Attributes
    ----------
    stations : frozenset of str
        Addresses, ten hexadecimal digits in lower case.
    networks : tuple of network
        Where they may connect from.
    topic : str
        With ``{station}`` in it.
    ending : Ending
        How confirmations end.
    """

    stations: frozenset[str]
    networks: tuple[Network, ...]
    topic: str = "sl651/v1/{station}"
    ending: Ending = Ending.EOT


@dataclass(slots=True)
class Gateway:
    """Serves a listening socket until `stop`; ``counts`` tells what happened."""

    listener: socket.socket
    uplink: Publishes
    rules: Rules
    limits: Limits
    clock: Clock
    counts: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _open: dict[socket.socket, threading.Thread] = field(default_factory=dict)

    def run(self) -> None:
        """Accept connections until `stop`, then close them all."""
        self.listener.settimeout(_ACCEPT_S)
        try:
            while not self._stopping.is_set():
                try:
                    connection, address = self.listener.accept()
                except TimeoutError:
                    continue
                except OSError as error:
                    if error.errno in _NO_LISTENER:
                        raise
                    self._note_lack(str(error))
                    continue
                self._admit(connection, address[0])
        finally:
            self.listener.close()
            self._close_all()

    def stop(self) -> None:
        """Ask, from any thread or signal handler, to end."""
        self._stopping.set()

    def count(self, what: str) -> None:
        """Count an event."""
        with self._lock:
            self.counts[what] += 1

    def _note_lack(self, error: str) -> None:
        """Count a connection that this machine had no room for, and wait for some to come free."""
        self.count("no_room")
        _log.error("no_room", error=error, open=len(self._open), hint="stations try again; more: see --connections")
        self._stopping.wait(_ACCEPT_S)

    def _admit(self, connection: socket.socket, host: str) -> None:
        address = ip_address(host.partition("%")[0])
        mapped = getattr(address, "ipv4_mapped", None)
        with self._lock:
            is_full = len(self._open) >= self.limits.connections
        if not any((mapped or address) in network for network in self.rules.networks):
            refusal = "refused_network"
        elif is_full:
            refusal = "refused_full"
        else:
            self._begin(connection, host)
            return
        connection.close()
        self.count(refusal)
        _log.warning(refusal, host=host)

    def _begin(self, connection: socket.socket, host: str) -> None:
        try:
            connection = kept_aside(connection, self.limits.connections)
        except OSError as error:
            self._note_lack(str(error))
            return
        thread = threading.Thread(target=self._serve, args=(connection, host), name=f"station-{host}", daemon=True)
        with self._lock:
            self._open[connection] = thread
        try:
            thread.start()
        except RuntimeError as error:  # no more threads
            with self._lock:
                del self._open[connection]
            connection.close()
            self._note_lack(str(error))
        else:
            self.count("connections")

    def _serve(self, connection: socket.socket, host: str) -> None:
        why = "closed"
        try:
            why = _Conversation(self, connection, host).run()
        except OSError as error:
            why = f"lost: {error}"
        finally:
            with self._lock:
                del self._open[connection]
            connection.close()
            _log.info("station_left", host=host, why=why)

    def _close_all(self) -> None:
        with self._lock:
            waiting = dict(self._open)
        for connection in waiting:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it has ended by itself
        for thread in waiting.values():
            thread.join(self.limits.confirm_s + _JOIN_S)


class _Conversation:
    """What one connection says, frame after frame."""

    def __init__(self, gateway: Gateway, connection: socket.socket, host: str) -> None:
        self._gateway = gateway
        self._limits = gateway.limits
        self._connection = connection
        self._host = host
        self._cutter = FrameCutter()
        self._frame_since_s: float | None = None

    def run(self) -> str:
        """Serve to the end; return why it ended."""
        while True:
            self._connection.settimeout(self._patience_s())
            try:
                chunk = self._connection.recv(_READ_BYTES)
            except TimeoutError:
                return self._end("too_slow" if self._frame_since_s is not None else "idle")
            if not chunk:
                return "closed by the station"
            broken = self._cutter.broken_frames
            whole = self._cutter.feed(chunk)
            for _ in range(self._cutter.broken_frames - broken):
                self._gateway.count("broken_frames")
            for data in whole:
                self._frame_since_s = None
                if not self._take(data):
                    return self._end("refused_station")
            if self._cutter.skipped_bytes > self._limits.garbage_bytes:
                return self._end("garbage")
            self._note_begun()

    def _note_begun(self) -> None:
        if not self._cutter.waiting_bytes:
            self._frame_since_s = None
        elif self._frame_since_s is None:
            self._frame_since_s = self._gateway.clock.monotonic_s()

    def _patience_s(self) -> float:
        if self._frame_since_s is None:
            return self._limits.idle_s
        return max(0.01, self._frame_since_s + self._limits.frame_s - self._gateway.clock.monotonic_s())

    def _end(self, why: str) -> str:
        self._gateway.count(why)
        _log.warning(why, host=self._host)
        return why

    def _take(self, data: bytes) -> bool:
        """Pass on a frame; False if its station may not send."""
        gateway = self._gateway
        try:
            frame = parse_frame(data)
        except PayloadInvalid as error:
            gateway.count("broken_frames")
            _log.warning("broken_frame", host=self._host, error=error.detail)
            return True
        if frame.station not in gateway.rules.stations:
            return False
        if frame.function == KEEP_ALIVE:
            gateway.count("keep_alives")
            return True
        gateway.count("frames")
        topic = gateway.rules.topic.replace("{station}", frame.station)
        if not gateway.uplink.publish(topic, data, self._limits.confirm_s):
            gateway.count("not_confirmed")
            _log.warning(
                "not_confirmed",
                station=frame.station,
                serial=frame.serial,
                hint="no PUBACK in time, or nobody receives it",
            )
            return True
        self._confirm(frame)
        return True

    def _confirm(self, frame: Frame) -> None:
        if frame.serial is None and frame.packets == 1:
            return  # nothing to send back
        is_last = frame.packet == frame.packets
        ending = self._gateway.rules.ending if is_last else Ending.ACK
        self._connection.settimeout(self._limits.send_s)
        self._connection.sendall(confirmation(frame, ending))
        self._gateway.count("confirmed")
