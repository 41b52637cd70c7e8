"""An MQTT client that only speaks, as a device does: it reconnects by itself, and keeps nothing for later."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from ingest.broker import BrokerUrl

KEEPALIVE_S = 20


@contextmanager
def speaking_client(url: BrokerUrl, client_id: str) -> Iterator[Callable[[str, bytes], None]]:
    """Give what publishes at QoS 1; what cannot be sent now is not sent later, for it would be old."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id, clean_session=True, protocol=mqtt.MQTTv311)
    if url.username is not None:
        client.username_pw_set(url.username, url.password)
    if url.is_tls:
        client.tls_set()
    client.connect_async(url.host, url.port, KEEPALIVE_S)
    client.loop_start()

    def publish(topic: str, payload: bytes) -> None:
        if client.is_connected():
            client.publish(topic, payload, qos=1)

    try:
        yield publish
    finally:
        client.disconnect()
        client.loop_stop()
