"""The limit of ``single``: a bare paho client that parses and acknowledges one by one."""

from __future__ import annotations

from typing import Any

import orjson
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from ingest.broker import parse_broker_url
from undercroft.clock import Clock

CLIENT_ID = "bench-bare"


def _client() -> mqtt.Client:
    return mqtt.Client(
        CallbackAPIVersion.VERSION2, CLIENT_ID, clean_session=False, protocol=mqtt.MQTTv311, manual_ack=True
    )


def open_session(url: str, topic_filter: str) -> None:
    """Make the broker keep messages for the bare client."""
    broker = parse_broker_url(url)
    client = _client()

    def on_connect(*_: Any) -> None:
        client.subscribe(topic_filter, 1)

    def on_subscribe(*_: Any) -> None:
        client.disconnect()

    client.on_connect = on_connect
    client.on_subscribe = on_subscribe
    client.connect(broker.host, broker.port)
    client.loop_forever()


def drain(url: str, count: int, clock: Clock) -> float:
    """Take so many messages, and return the seconds it took."""
    broker = parse_broker_url(url)
    client = _client()
    taken = 0

    def on_message(_client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        nonlocal taken
        orjson.loads(message.payload)
        client.ack(message.mid, message.qos)
        taken += 1
        if taken == count:
            client.disconnect()

    client.on_message = on_message
    client.connect(broker.host, broker.port)
    began_s = clock.monotonic_s()
    client.loop_forever()
    return clock.monotonic_s() - began_s
