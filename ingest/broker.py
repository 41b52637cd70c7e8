"""Connect to the MQTT broker with paho-mqtt: sign in, keep the session, subscribe at QoS 1."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from undercroft.clock import Clock
from undercroft.errors import BadInput, UndercroftError

_PORTS = {"mqtt": 1883, "mqtts": 8883}
_HANDSHAKE_S = 10.0


class BrokerLost(UndercroftError):
    """The connection to the broker cannot be made, or broke."""


@dataclass(frozen=True, slots=True)
class BrokerUrl:
    """Where the broker is, and who we are to it."""

    host: str
    port: int
    is_tls: bool
    username: str | None
    password: str | None = field(repr=False)


def parse_broker_url(url: str) -> BrokerUrl:
    """Read ``mqtt://user:password@host:port`` (``mqtts`` for TLS).

    Raises
    ------
    BadInput
        If it is not of that form; the message does not repeat the URL, which holds a password.

    Examples
    --------
    >>> parse_broker_url("mqtt://ingest:p%40ss@127.0.0.1").port
    1883
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise BadInput("the MQTT URL is not of the form mqtt://user:password@host:port") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise BadInput("the MQTT URL is not of the form mqtt://user:password@host:port")
    return BrokerUrl(
        parts.hostname,
        port or _PORTS[parts.scheme],
        parts.scheme == "mqtts",
        None if parts.username is None else unquote(parts.username),
        None if parts.password is None else unquote(parts.password),
    )


@dataclass(slots=True)
class Connected:
    """A connection that has asked for its subscriptions; the answer comes with the messages."""

    client: mqtt.Client
    socket: socket.socket
    has_session: bool
    """The broker kept the session; False: its packet identifiers begin anew."""

    def disconnect(self) -> None:
        """Say goodbye; the broker keeps the session."""
        self.client.disconnect()

    def close(self) -> None:
        """Drop the connection, without goodbye if there was none."""
        self.socket.close()


@dataclass(slots=True)
class _Handshake:
    is_connected: bool = False
    refusal: str | None = None
    has_session: bool = False

    def on_connect(
        self, _client: mqtt.Client, _data: Any, flags: mqtt.ConnectFlags, reason: ReasonCode, _properties: Any
    ) -> None:
        self.has_session = flags.session_present
        self.is_connected = not reason.is_failure
        self.refusal = f"connection refused: {reason}" if reason.is_failure else None


def connect_and_subscribe(
    url: BrokerUrl,
    client_id: str,
    filters: tuple[str, ...],
    keepalive_s: int,
    clock: Clock,
    without: tuple[str, ...] = (),
    *,
    on_signed_in: Callable[[bool], None],
) -> Connected:
    """Sign in, take up the session, and ask for the subscriptions.

    ``on_signed_in`` is told whether the broker had kept the session, whatever breaks afterwards: False is said once.

    The answer is not awaited here: rumqttd gives none before what the session holds is acknowledged. ``without`` are
    subscriptions that the session may have of an earlier version, and shall not have.

    Raises
    ------
    BrokerLost
        If the broker cannot be reached, refuses, or does not answer in time.
    """
    client, has_session = sign_in(url, client_id, keepalive_s, clock)
    on_signed_in(has_session)
    try:
        client.subscribe([(topic_filter, 1) for topic_filter in filters])
        if without:  # after it, so that nothing falls between the two
            client.unsubscribe(list(without))
    except OSError as error:
        raise BrokerLost(f"broker at {url.host}:{url.port}: {error}") from error
    connection = client.socket()
    if not isinstance(connection, socket.socket):
        raise BrokerLost("broker: closed the connection")
    connection.setblocking(False)
    return Connected(client, connection, has_session)


def sign_in(
    url: BrokerUrl, client_id: str, keepalive_s: int, clock: Clock, *, is_clean: bool = False
) -> tuple[mqtt.Client, bool]:
    """Connect and take up the session, or with ``is_clean`` end it; tell whether the broker had kept it.

    Raises
    ------
    BrokerLost
        If the broker cannot be reached, refuses, or does not answer in time.
    """
    handshake = _Handshake()
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2, client_id, clean_session=is_clean, protocol=mqtt.MQTTv311, manual_ack=True
    )
    client.connect_timeout = _HANDSHAKE_S
    if url.username is not None:
        client.username_pw_set(url.username, url.password)
    if url.is_tls:
        client.tls_set()
    client.on_connect = handshake.on_connect
    try:
        client.connect(url.host, url.port, keepalive_s)
        _await_connack(client, handshake, clock)
    except OSError as error:
        raise BrokerLost(f"broker at {url.host}:{url.port}: {error}") from error
    return client, handshake.has_session


def _await_connack(client: mqtt.Client, handshake: _Handshake, clock: Clock) -> None:
    deadline_s = clock.monotonic_s() + _HANDSHAKE_S
    while not handshake.is_connected:
        answer = client.loop(timeout=0.2)
        if handshake.refusal is not None:
            client.disconnect()
            raise BrokerLost(f"broker: {handshake.refusal}")
        if answer != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise BrokerLost(f"broker: {mqtt.error_string(answer)}")
        if clock.monotonic_s() > deadline_s:
            client.disconnect()
            raise BrokerLost("broker: no answer to the connection")
