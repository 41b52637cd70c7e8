"""MQTT for simulators: they reach the system as a sensor would, under the exercise root and no other."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from simulators.steps import Message
from undercroft.clock import Clock, SystemClock
from undercroft.errors import BadInput, StackFailed
from undercroft.mqtt_frames import PINGREQ, AnswerReader, publish_frame

ROOT = "exercise/"
CONNECT_TIMEOUT_S = 10.0
ACK_TIMEOUT_S = 60.0
"""A broker that acknowledges nothing for so long is gone. [s]"""

KEEPALIVE_S = 60
PORT = 1883
IN_FLIGHT_MOST = 1000
READ_EVERY = 100
"""How many messages are written between two looks at what the broker has acknowledged."""

READ_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """What an MQTT URL says."""

    host: str
    port: int
    user: str | None
    password: str | None


def broker_address(url: str) -> BrokerAddress:
    """Return the parts of ``mqtt://user:password@host:port``."""
    try:
        parts = urlsplit(url)
        port = parts.port or PORT
    except ValueError as error:
        raise BadInput(f"UNDERCROFT_MQTT_URL: {error}; expected mqtt://user:password@host:port") from error
    if parts.scheme != "mqtt" or not parts.hostname:
        raise BadInput("UNDERCROFT_MQTT_URL: expected mqtt://user:password@host:port")
    user = unquote(parts.username) if parts.username is not None else None
    password = unquote(parts.password) if parts.password is not None else None
    return BrokerAddress(parts.hostname, port, user, password)


def _client(address: BrokerAddress, client_id: str) -> mqtt.Client:
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv311)
    if address.user is not None:
        client.username_pw_set(address.user, address.password)
    client.max_inflight_messages_set(0)  # the probe counts by what comes back; nothing waits in the client
    client.max_queued_messages_set(0)
    return client


def _connect(client: mqtt.Client, address: BrokerAddress) -> None:
    try:
        client.connect(address.host, address.port, KEEPALIVE_S)
    except OSError as error:
        raise StackFailed(f"no MQTT broker at {address.host}:{address.port}: {error.strerror or error}") from error


@contextmanager
def connected_client(url: str, client_id: str) -> Iterator[mqtt.Client]:
    """Give a connected client whose network loop runs in a thread of its own."""
    address = broker_address(url)
    client = _client(address, client_id)
    answered = threading.Event()
    reasons: list[ReasonCode] = []

    def on_connect(_client: mqtt.Client, _data: object, _flags: object, reason: ReasonCode, _props: object) -> None:
        reasons.append(reason)
        answered.set()

    client.on_connect = on_connect
    _connect(client, address)
    client.loop_start()
    try:
        if not answered.wait(CONNECT_TIMEOUT_S):
            raise StackFailed(f"the MQTT broker at {address.host}:{address.port} did not answer")
        if reasons[0].is_failure:
            raise StackFailed(f"the MQTT broker refused the connection: {reasons[0]}")
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


class Publisher:
    """Publishes in order, QoS 1, with a bounded number of messages unacknowledged.

    One session, one thread: paho has signed in, this object writes and reads the socket itself, many messages in one
    piece. A lost connection ends the run: a new session could not promise the order. Make one with `publisher`.
    """

    def __init__(self, connection: socket.socket, clock: Clock) -> None:
        connection.setblocking(False)
        self._connection = connection
        self._clock = clock
        self._answers = AnswerReader()
        self._out = bytearray()
        self._sent = 0
        self._acknowledged = 0
        self._pings_sent = 0
        self._written_s = clock.monotonic_s()

    @property
    def acknowledged(self) -> int:
        """Messages that the broker has taken over."""
        return self._acknowledged

    def publish(self, message: Message) -> None:
        """Publish; waits while too many messages are unacknowledged.

        Raises
        ------
        ValueError
            If the topic is not under the exercise root.
        StackFailed
            If the connection is lost.
        """
        if not message.topic.startswith(ROOT):
            raise ValueError(f"simulators publish under {ROOT} only, not {message.topic}")
        self._sent += 1
        self._out += publish_frame(message.topic, message.payload, self._sent, retain=message.retain)
        if self._sent % READ_EVERY == 0:
            self.turn(0.0)
            self._wait_acknowledged(self._sent - IN_FLIGHT_MOST)

    def flush(self) -> None:
        """Wait until the broker has acknowledged everything."""
        self._wait_acknowledged(self._sent)

    def _wait_acknowledged(self, number: int) -> None:
        newest, since_s = self._acknowledged, self._clock.monotonic_s()
        while self._acknowledged < number:
            self.turn(1.0)
            if self._acknowledged > newest:
                newest, since_s = self._acknowledged, self._clock.monotonic_s()
            elif self._clock.monotonic_s() - since_s > ACK_TIMEOUT_S:
                raise StackFailed(f"the MQTT broker has acknowledged nothing for {ACK_TIMEOUT_S:.0f} s")

    def turn(self, timeout_s: float) -> None:
        """Write what waits, read what came; wait at most this long for something to come. [s]

        Raises
        ------
        StackFailed
            If the connection is lost, or the broker answers no ping.
        """
        self._keep_alive()
        writing = [self._connection] if self._out else []
        readable, writable, _ = select.select([self._connection], writing, [], timeout_s)
        try:
            if writable:
                del self._out[: self._connection.send(self._out)]
                self._written_s = self._clock.monotonic_s()
            if readable:
                chunk = self._connection.recv(READ_BYTES)
                if not chunk:
                    raise StackFailed("the MQTT broker closed the connection")
                self._acknowledged += self._answers.feed(chunk)
        except OSError as error:
            raise StackFailed(f"the connection to the MQTT broker was lost: {error.strerror or error}") from error

    def _keep_alive(self) -> None:
        if self._clock.monotonic_s() - self._written_s < KEEPALIVE_S / 2:
            return
        if self._pings_sent - self._answers.pings_answered >= 2:
            raise StackFailed("the MQTT broker did not answer two pings")
        self._out += PINGREQ
        self._pings_sent += 1
        self._written_s = self._clock.monotonic_s()

    def idle(self, seconds: float) -> None:
        """Keep the session alive for a while. [s]"""
        until_s = self._clock.monotonic_s() + seconds
        while (left_s := until_s - self._clock.monotonic_s()) > 0:
            self.turn(min(left_s, KEEPALIVE_S / 4))


@contextmanager
def publisher(url: str, client_id: str) -> Iterator[Publisher]:
    """Connect; disconnects after everything is acknowledged, or at once if the block fails."""
    address = broker_address(url)
    client = _client(address, client_id)
    reasons: list[ReasonCode] = []

    def on_connect(_client: mqtt.Client, _data: object, _flags: object, reason: ReasonCode, _props: object) -> None:
        reasons.append(reason)

    client.on_connect = on_connect
    _connect(client, address)
    try:
        clock = SystemClock()
        until_s = clock.monotonic_s() + CONNECT_TIMEOUT_S
        while not reasons and clock.monotonic_s() < until_s:
            client.loop(0.1)
        connection = client.socket()
        if not reasons or not isinstance(connection, socket.socket):
            raise StackFailed(f"the MQTT broker at {address.host}:{address.port} did not answer")
        if reasons[0].is_failure:
            raise StackFailed(f"the MQTT broker refused the connection: {reasons[0]}")
        found = Publisher(connection, clock)
        yield found
        found.flush()
    finally:
        client.disconnect()
