"""The gateway's way to the broker: publish at QoS 1, and know when the broker has it for somebody.

With MQTT 5 the broker says in its PUBACK whether anybody receives a message (reason code 0x10: nobody), and refuses;
a session that is away for the moment receives it. A broker that does not speak MQTT 5 takes what nobody receives in
silence, and the gateway says so when it starts.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from ingest.broker import BrokerLost, BrokerUrl

_log = structlog.get_logger("gateway")
KEEPALIVE_S = 30
MOST_UNCONFIRMED = 1000
"""Frames handed over and not confirmed by the broker; further ones are refused. """

_CONNECT_S = 10.0
_NOBODY_RECEIVES = 0x10
"""Reason code of a PUBACK: no matching subscribers. From 0x80 on a message is refused."""


class Uplink:
    """Publishes from any thread. Make one with `connected_uplink`."""

    def __init__(self, client: mqtt.Client) -> None:
        self._client = client
        self._connected = threading.Event()
        self._answered = threading.Event()
        self._refusals: dict[int, str] = {}
        """By packet identifier: why nobody has a message."""
        client.on_publish = self._on_publish
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect

    def publish(self, topic: str, payload: bytes, timeout_s: float) -> bool:
        """Publish, and tell whether the broker took it over in time, and for somebody.

        False says nothing of the message's fate: it may still arrive, and the station will send it again. Both copies
        are one reading.
        """
        if not self._connected.is_set():
            return False
        info = self._client.publish(topic, payload, qos=1)
        if info.rc != mqtt.MQTT_ERR_SUCCESS:
            return False
        info.wait_for_publish(timeout_s)
        refusal = self._refusals.pop(info.mid, None)
        if refusal is not None:
            _log.error("nobody_receives", topic=topic, reason=refusal)
        return info.is_published() and refusal is None

    def wait_connected(self, timeout_s: float) -> bool:
        """Wait until the broker has let us in; False if it has not in time, or refuses."""
        self._answered.wait(timeout_s)
        return self._connected.is_set()

    def _on_publish(self, _client: mqtt.Client, _data: Any, mid: int, reason: ReasonCode, _props: Any) -> None:
        if reason.is_failure or reason.value == _NOBODY_RECEIVES:
            self._refusals[mid] = str(reason)
        else:
            self._refusals.pop(mid, None)

    def _on_connect(self, _client: mqtt.Client, _data: Any, _flags: Any, reason: ReasonCode, _props: Any) -> None:
        if reason.is_failure:
            _log.error("broker_refuses", reason=str(reason))
        else:
            _log.info("broker_connected")
            self._connected.set()
        self._answered.set()

    def _on_disconnect(self, _client: mqtt.Client, _data: Any, _flags: Any, reason: ReasonCode, _props: Any) -> None:
        self._connected.clear()
        self._answered.set()
        _log.info("broker_disconnected", reason=str(reason))


@contextmanager
def connected_uplink(url: BrokerUrl, client_id: str) -> Iterator[Uplink]:
    """Connect, and again whenever the connection breaks, with growing waits.

    Raises
    ------
    BrokerLost
        If the broker cannot be reached at the start.
    """
    for protocol in (mqtt.MQTTv5, mqtt.MQTTv311):
        with _connected(url, client_id, protocol) as uplink:
            if not uplink.wait_connected(_CONNECT_S):
                _log.warning("broker_does_not_let_us_in", protocol=protocol.name)
                continue
            if protocol is not mqtt.MQTTv5:
                _log.warning("broker_without_mqtt_5", hint="it does not say when nobody receives a frame")
            yield uplink
            return
    raise BrokerLost(f"broker at {url.host}:{url.port}: no answer, or refused")


@contextmanager
def _connected(url: BrokerUrl, client_id: str, protocol: MQTTProtocolVersion) -> Iterator[Uplink]:
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=protocol)
    client.max_queued_messages_set(MOST_UNCONFIRMED)
    client.reconnect_delay_set(min_delay=1, max_delay=30)
    if url.username is not None:
        client.username_pw_set(url.username, url.password)
    if url.is_tls:
        client.tls_set()
    uplink = Uplink(client)
    try:
        client.connect(url.host, url.port, KEEPALIVE_S)
    except OSError as error:
        raise BrokerLost(f"broker at {url.host}:{url.port}: {error}") from error
    client.loop_start()
    try:
        yield uplink
    finally:
        client.disconnect()
        client.loop_stop()
