"""The gateway's way to the broker: publish at QoS 1, and know when the broker has it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from ingest.broker import BrokerLost, BrokerUrl

_log = structlog.get_logger("gateway")
KEEPALIVE_S = 30
MOST_UNCONFIRMED = 1000
"""Frames handed over and not confirmed by the broker; further ones are refused. """

_CONNECT_S = 10.0


class Uplink:
    """Publishes from any thread. Make one with `connected_uplink`."""

    def __init__(self, client: mqtt.Client) -> None:
        self._client = client
        self._connected = threading.Event()
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect

    def publish(self, topic: str, payload: bytes, timeout_s: float) -> bool:
        """Publish, and tell whether the broker took it over in time.

        False says nothing of the message's fate: it may still arrive, and the station will send it again. Both copies
        are one reading.
        """
        if not self._connected.is_set():
            return False
        info = self._client.publish(topic, payload, qos=1)
        if info.rc != mqtt.MQTT_ERR_SUCCESS:
            return False
        info.wait_for_publish(timeout_s)
        return info.is_published()

    def wait_connected(self, timeout_s: float) -> bool:
        """Wait until the broker has let us in."""
        return self._connected.wait(timeout_s)

    def _on_connect(self, _client: mqtt.Client, _data: Any, _flags: Any, reason: ReasonCode, _props: Any) -> None:
        if reason.is_failure:
            _log.error("broker_refuses", reason=str(reason))
        else:
            _log.info("broker_connected")
            self._connected.set()

    def _on_disconnect(self, _client: mqtt.Client, _data: Any, _flags: Any, reason: ReasonCode, _props: Any) -> None:
        self._connected.clear()
        _log.info("broker_disconnected", reason=str(reason))


@contextmanager
def connected_uplink(url: BrokerUrl, client_id: str) -> Iterator[Uplink]:
    """Connect, and again whenever the connection breaks, with growing waits.

    Raises
    ------
    BrokerLost
        If the broker cannot be reached at the start.
    """
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv311)
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
        if not uplink.wait_connected(_CONNECT_S):
            raise BrokerLost(f"broker at {url.host}:{url.port}: no answer, or refused")
        yield uplink
    finally:
        client.disconnect()
        client.loop_stop()
