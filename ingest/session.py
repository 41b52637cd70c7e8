"""One MQTT session: reads ahead within a bounded window, keeps the connection alive, acknowledges what is committed.

Runs on one thread. Another commits the batches (`ingest.lane`) and reports each by `Session.committed`; a database that
hangs stops the reading, and so the broker, but not the keepalive.

paho-mqtt connects, signs in and subscribes; from the CONNACK on this loop reads the socket itself (`ingest.frames`).
paho reads one packet per call to ``loop``, so no byte of the next one is left behind with it.
"""

from __future__ import annotations

import select
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from ingest.batch import Message
from ingest.broker import BrokerLost, BrokerUrl, Connected, connect_and_subscribe
from ingest.failpoints import Failpoint
from ingest.frames import SUBSCRIPTION_REFUSED, FrameReader, pubacks
from ingest.topics import is_run_clock
from undercroft.clock import Clock
from undercroft.mqtt_frames import PINGREQ, ProtocolBroken
from undercroft.store.observations import whole_ms

KEEPALIVE_S = 30
_READ_BYTES = 262_144
BATCH_BYTES = 2_097_152
"""Topics and payloads of a batch: some 50,000 readings in packs, seconds of a transaction that may last
`TRANSACTION_AT_MOST_S`.
One more message may stand above it, and a message has 262,144 bytes at most."""
_IDLE_S = 0.5
DRAINED_S = 1.0
"""A broker that sends nothing for so long, though nothing is open, holds nothing. [s]"""


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages of one connection, in order of arrival."""

    messages: tuple[Message, ...]
    generation: int
    """Number of the connection they came by; they can be acknowledged on no other."""
    opened_s: float
    """When the first was read, on the monotonic clock. [s]"""
    closed_s: float
    size: int
    """Topics and payloads. [bytes]"""
    drained_us: int | None = None
    """When, on this connection and before it, the broker was last seen to hold nothing. [µs since 1970]"""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A connection that the broker accepted. Its messages are not read before `Session.admit`."""

    generation: int
    is_new: bool
    """The broker had no session of this name: its packet identifiers begin anew."""


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """How a session behaves."""

    url: BrokerUrl
    client_id: str
    filters: tuple[str, ...]
    optional: frozenset[str] = frozenset()
    """Of these: what may be refused without the rest; those of decoders, which are site data."""
    without: tuple[str, ...] = ()
    """Filters that the session may have of an earlier version, and shall not have."""
    batch_max_messages: int = 1000
    batch_max_wait_s: float = 0.01
    """An idle writer gets what there is after so long; while it is busy the next batch fills. [s]"""
    window: int = 4000
    """Messages read and not committed; at this number reading stops, and the broker keeps the rest."""
    window_bytes: int = 16_777_216
    """Topics and payloads of these; reading stops at so much, too: 64 of the largest messages that brokers pass on."""


class Session:
    """Delivers batches to ``on_batch`` and acknowledges them once committed.

    ``on_signed_in`` is told of each connection, after the last batch of the one before; that it was told is answered
    with `admit` once it is committed. Meanwhile the broker fills the subscriptions, and the keepalive goes on.
    """

    def __init__(
        self,
        settings: SessionSettings,
        on_signed_in: Callable[[SignedIn], None],
        on_batch: Callable[[Batch], None],
        on_acknowledged: Callable[[int], None],
        clock: Clock,
        failpoint: Failpoint,
    ) -> None:
        self._settings = settings
        self._on_signed_in = on_signed_in
        self._on_batch = on_batch
        self._on_acknowledged = on_acknowledged
        self._clock = clock
        self._failpoint = failpoint
        self._wake_out, self._wake_in = socket.socketpair()
        self._wake_out.setblocking(False)
        self._wake_in.setblocking(False)
        self._committed: deque[Batch] = deque()
        self._open: list[Message] = []
        self._open_bytes = 0
        self._opened_s = 0.0
        self._generation = 0
        self._admitted = 0
        self._dropped = 0
        self._messages_read = 0
        self._messages_committed = 0
        self._bytes_read = 0
        self._bytes_committed = 0
        self._batches_out = 0
        self._out = b""
        self._waiting_since: deque[float] = deque()
        self._surplus: tuple[str, ...] = ()
        self.drained_us: int | None = None
        """When the broker was last seen to hold nothing; None: not yet. [µs since 1970]"""
        self._drained_us: int | None = None
        """The same of this connection."""
        self._stopping = threading.Event()

    @property
    def undelivered(self) -> int:
        """Messages read and not yet committed."""
        return self._messages_read - self._messages_committed

    @property
    def undelivered_bytes(self) -> int:
        """Topics and payloads read and not yet committed."""
        return self._bytes_read - self._bytes_committed

    def oldest_age_s(self) -> float:
        """Age of the oldest message that is read and not committed, from any thread; 0 without one. [s]"""
        since = list(self._waiting_since)
        oldest_s = since[0] if since else self._opened_s if self._open else None
        return 0.0 if oldest_s is None else self._clock.monotonic_s() - oldest_s

    def committed(self, batch: Batch) -> None:
        """Report, from the writer's thread, that a batch is committed; it is acknowledged at once if a broker is there.

        It is no longer open from here on: while the broker is away nobody reads what is to be acknowledged.
        """
        self._waiting_since.popleft()
        self._messages_committed += len(batch.messages)
        self._bytes_committed += batch.size
        self._committed.append(batch)
        self.wake()

    def dropped(self, batch: Batch) -> None:
        """Report, from the writer's thread, that a batch is another worker's now: its connection is given up."""
        self._dropped = batch.generation
        self.committed(replace(batch, generation=0))

    def sign_in(self, has_session: bool) -> None:
        """Tell the writer of a connection to the broker under this session's name."""
        self._on_signed_in(SignedIn(self._generation, not has_session))

    def admit(self, connection: SignedIn) -> None:
        """Allow, from the writer's thread, to read the messages of a connection."""
        self._admitted = connection.generation
        self.wake()

    def stop(self) -> None:
        """Ask, from any thread, to stop reading; `run` returns when all that was handed over is settled."""
        self._stopping.set()
        self.wake()

    def leave(self, filters: tuple[str, ...]) -> None:
        """Give up subscriptions that the session has of before, with the next connection."""
        self._surplus = filters

    def wake(self) -> None:
        """Interrupt the wait for the network, from any thread."""
        try:
            self._wake_in.send(b"w")
        except BlockingIOError:
            return  # a wake-up is pending already

    def run(self, on_subscribed: Callable[[tuple[str, ...]], None]) -> None:
        """Serve one connection until it breaks or `stop` is called.

        ``on_subscribed`` is told what the broker did not grant as asked.

        Raises
        ------
        BrokerLost
            If the connection cannot be made or breaks.
        """
        self._generation += 1
        self._out = b""
        self._drained_us = None
        settings = self._settings
        without = (*settings.without, *self._surplus)
        connected = connect_and_subscribe(
            settings.url,
            settings.client_id,
            settings.filters,
            KEEPALIVE_S,
            self._clock,
            without,
            on_signed_in=self.sign_in,
        )
        try:
            self._serve(connected, on_subscribed)
            connected.disconnect()
        except (OSError, ProtocolBroken) as error:
            raise BrokerLost(f"broker: {error or type(error).__name__}") from error
        finally:
            connected.close()
            self._close_batch()

    def abandon(self) -> None:
        """Release the wake-up sockets."""
        self._wake_in.close()
        self._wake_out.close()

    def _serve(self, connected: Connected, on_subscribed: Callable[[tuple[str, ...]], None]) -> None:
        reader = FrameReader()
        connection = connected.socket
        last_sent_s = self._clock.monotonic_s()
        pings_sent = 0
        is_subscribed = is_served = False
        last_heard_s = last_sent_s
        while True:
            stopping = self._stopping.is_set()
            if stopping:
                self._close_batch()
                if not self._batches_out and not self._out and not self._committed:
                    return
            if self._dropped == self._generation:
                raise BrokerLost("broker: another worker took the session over")
            is_reading = not stopping and self._admitted == self._generation and self._has_room()
            readable = self._wait(connection, is_reading)
            if readable:
                self._take(reader.feed(_receive(connection), whole_ms(self._clock.now())))
                last_heard_s = self._clock.monotonic_s()
                if not is_subscribed and reader.granted is not None:
                    shortfall = ungranted(reader.granted, self._settings.filters, self._settings.optional)
                    is_subscribed = True
                    if shortfall or not is_served:
                        on_subscribed(shortfall)
            if not is_subscribed and not is_served and connected.has_session and not self._has_room():
                is_served = True  # what the session held fills the window, and hides the answer until it is committed
                on_subscribed(())
            self._settle()
            self._close_when_due()
            now_s = self._clock.monotonic_s()
            if is_reading and not readable and not self.undelivered and now_s - last_heard_s >= DRAINED_S:
                self.drained_us = self._drained_us = whole_ms(self._clock.now())
            if now_s - last_sent_s >= KEEPALIVE_S / 2:
                if is_reading and pings_sent - reader.pings_answered >= 2:
                    raise BrokerLost("broker: no answer to two pings")
                self._out += PINGREQ
                pings_sent += 1
                last_sent_s = now_s
            if self._out:
                self._send(connection)

    def _has_room(self) -> bool:
        settings = self._settings
        return self.undelivered < settings.window and self.undelivered_bytes < settings.window_bytes

    def _wait(self, connection: socket.socket, is_reading: bool) -> bool:
        """Wait for the network, a commit or the end of the batch; tell whether there is something to read."""
        if is_reading and isinstance(connection, ssl.SSLSocket) and connection.pending():
            return True
        timeout_s = _IDLE_S
        if self._open and not self._batches_out:
            timeout_s = max(0.0, self._settings.batch_max_wait_s - (self._clock.monotonic_s() - self._opened_s))
        watched = [self._wake_out, connection] if is_reading else [self._wake_out]
        readable, _, _ = select.select(watched, [connection] if self._out else [], [], timeout_s)
        if self._wake_out in readable:
            self._wake_out.recv(4096)
        return connection in readable

    def _take(self, messages: list[Message]) -> None:
        limit = self._settings.batch_max_messages
        self._messages_read += len(messages)
        for message in messages:
            if not self._open:
                self._opened_s = self._clock.monotonic_s()
            self._open.append(message)
            size = len(message.topic) + len(message.payload)
            self._open_bytes += size
            self._bytes_read += size
            if len(self._open) >= limit or self._open_bytes >= BATCH_BYTES or is_run_clock(message.topic):
                self._close_batch()

    def _close_when_due(self) -> None:
        is_due = self._open and not self._batches_out
        if is_due and self._clock.monotonic_s() - self._opened_s >= self._settings.batch_max_wait_s:
            self._close_batch()

    def _close_batch(self) -> None:
        if not self._open:
            return
        now_s = self._clock.monotonic_s()
        batch = Batch(
            tuple(self._open),
            self._generation,
            self._opened_s,
            now_s,
            self._open_bytes,
            self._drained_us,
        )
        self._waiting_since.append(self._opened_s)
        self._open, self._open_bytes = [], 0
        self._batches_out += 1
        self._on_batch(batch)

    def _settle(self) -> None:
        """Acknowledge committed batches in order; those of an earlier connection will be delivered again."""
        while self._committed:
            batch = self._committed.popleft()
            self._batches_out -= 1
            if batch.generation == self._generation:
                self._failpoint("before_ack")
                mids = [message.mid for message in batch.messages if message.qos]
                self._out += pubacks(mids)
                self._on_acknowledged(len(mids))

    def _send(self, connection: socket.socket) -> None:
        try:
            sent = connection.send(self._out)
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return
        self._out = self._out[sent:]
        self._failpoint("after_ack")


def ungranted(granted: bytes, filters: tuple[str, ...], optional: frozenset[str]) -> tuple[str, ...]:
    """Return what the broker did not grant as asked, in words: a decoder's filter refused, or QoS 0 given for 1.

    Parameters
    ----------
    granted : bytes
        Return codes of the SUBACK, one per filter.
    filters : tuple of str
        What was asked for, in order.
    optional : frozenset of str
        Which of them may be refused.

    Raises
    ------
    BrokerLost
        If another is refused, or the answer is none to these filters.
    """
    if len(granted) != len(filters):
        raise BrokerLost(f"broker: {len(granted)} answers to {len(filters)} subscriptions")
    found = []
    for code, topic_filter in zip(granted, filters, strict=True):
        if code == SUBSCRIPTION_REFUSED:
            if topic_filter not in optional:
                raise BrokerLost(f"broker: subscription to {topic_filter} refused")
            found.append(f"{topic_filter} is refused")
        elif code == 0:
            found.append(f"{topic_filter} is granted at QoS 0: what is under way can be lost")
    return tuple(found)


def _receive(connection: socket.socket) -> bytes:
    try:
        chunk = connection.recv(_READ_BYTES)
    except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return b""
    if not chunk:
        raise BrokerLost("broker: closed the connection")
    return chunk
