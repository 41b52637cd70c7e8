"""What tests of the SL 651 gateway share: frames, stations, and a broker that can be told what to do."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network

from ingest.foreign.sl651_frame import crc16
from ingest.gateway.sl651 import Gateway, Limits, Publishes, Rules
from tests.integration.ingest_kit import DEADLINE_S
from undercroft.clock import SystemClock

STATION = "0012345678"
LOOPBACK = (ip_network("127.0.0.0/8"),)
DECODER = f"""
[[decoder]]
id = "stations"
kind = "sl651"
topic = "sl651/v1/+"
devices = [{{ key = "{STATION}", device = "gauge-beiling-rain" }}]
fields = [{{ field = "39", quantity = "rain_total_mm" }}]
"""


def frame(serial: int, station: str = STATION, level: str = "00001500", function: int = 0x33) -> bytes:
    body = serial.to_bytes(2) + bytes.fromhex(f"260701120005F1F1{station}48F0F02607011200" + f"3923{level}")
    head = bytes.fromhex(f"7E7E01{station}1234") + bytes([function]) + len(body).to_bytes(2) + b"\x02"
    return head + body + b"\x03" + crc16(head + body + b"\x03").to_bytes(2)


class FakeBroker:
    """Takes messages, or lets them wait, or refuses them."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, bytes]] = []
        self.answers = threading.Event()
        self.answers.set()

    def publish(self, topic: str, payload: bytes, timeout_s: float) -> bool:
        self.taken.append((topic, payload))
        return self.answers.wait(timeout_s)


@contextmanager
def gateway_of(broker: Publishes, rules: Rules | None = None, limits: Limits | None = None) -> Iterator[Gateway]:
    listener = socket.create_server(("127.0.0.1", 0))
    settings = limits or Limits()
    gateway = Gateway(listener, broker, rules or Rules(frozenset({STATION}), LOOPBACK), settings, SystemClock())
    thread = threading.Thread(target=gateway.run)
    thread.start()
    try:
        yield gateway
    finally:
        gateway.stop()
        thread.join(DEADLINE_S)
        assert not thread.is_alive()


def station_of(gateway: Gateway) -> socket.socket:
    return socket.create_connection(gateway.listener.getsockname()[:2], timeout=DEADLINE_S)


def answer(station: socket.socket, count: int = 25) -> bytes:
    data = b""
    while len(data) < count:
        chunk = station.recv(count - len(data))
        if not chunk:
            break
        data += chunk
    return data
