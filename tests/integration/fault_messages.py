"""What the fault programme publishes, and what must come of it.

Good readings (singles, packs of up to 60, SenML, events), device states, SenML that says no time, 5 % garbage,
duplicates, conflicts and clock jumps, in some disorder. A clock that jumped says two times and two values again and
again: each message is a reading of its own, and only its delivery tells it from the one before.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import dataclass, field
from itertools import groupby

from tests.integration.ingest_messages import NOON_MS

PLACES = ("gauge-beiling/gauge-beiling-rain", "gauge-rongxi/gauge-rongxi-rain", "gauge-luhu/gauge-luhu-rain")
BLOCK = 300
LARGEST_PACK = 60
SENML_SITE = """
[[decoder]]
id = "senml"
kind = "senml"
topic = "senml/#"
fields = [{ field = "mm", quantity = "rain_total_mm" }, { field = "u", quantity = "battery_v" }]
"""
TIMELESS = "senml/timeless"
VOLTS = (3.3, 3.4, 3.5)
LOST_CLOCK = b"without a clock"
"""Stands for a message until its place in the order is known."""
LOST_TIMES = ("1970-01-01T00:00:00Z", "2100-01-01T00:00:00Z")
LOST_VALUES = (2.5, 3.5)

Messages = list[tuple[str, bytes]]
Identity = tuple[object, ...]


@dataclass
class Published:
    """What the publisher sent, and what must come of it."""

    source: random.Random
    values: dict[tuple[str, int], list[float]] = field(default_factory=dict)
    lost_clocks: dict[str, list[float]] = field(default_factory=dict)
    """By device: what it said while its clock was lost, in order: up and down."""
    garbage: set[bytes] = field(default_factory=set)
    timeless: Counter[tuple[str, float]] = field(default_factory=Counter)
    """Readings without a time: the same bytes come again and again, and each is one."""
    said: dict[str, list[bool]] = field(default_factory=dict)
    """By device: what it said of itself, in order."""
    serial: int = 0

    def block(self) -> Messages:
        messages = [self._message() for _ in range(BLOCK)]
        for position in range(0, BLOCK - 10, 10):  # out of order by up to ten places
            part = messages[position : position + 10]
            self.source.shuffle(part)
            messages[position : position + 10] = part
        for position, (topic, payload) in enumerate(messages):
            if payload == LOST_CLOCK:
                messages[position] = topic, self._without_clock("/".join(topic.split("/")[3:5]))
            if topic.endswith("/status"):
                self.said.setdefault(topic.split("/", 3)[3].removesuffix("/status"), []).append(b"true" in payload)
        return messages

    def changes(self) -> dict[str, list[bool]]:
        """By device: its states, each change once."""
        return {device: [state for state, _ in groupby(said)] for device, said in self.said.items()}

    def _message(self) -> tuple[str, bytes]:
        self.serial += 1
        draw = self.source.random()
        device = self.source.choice(PLACES)
        topic = f"flood/v1/futian/{device}/observation"
        if draw < 0.05:
            payload = b"\xff\xfe garbage %d" % self.serial
            self.garbage.add(payload)
            return topic, payload
        if draw < 0.10:
            return topic, LOST_CLOCK
        if draw < 0.20 and self.values:
            return self._known(draw < 0.15)
        if draw < 0.28:
            return f"flood/v1/futian/{device}/status", b'{"online": %s}' % self.source.choice([b"true", b"false"])
        if draw < 0.36:
            volts = self.source.choice(VOLTS)
            self.timeless[device, volts] += 1
            return TIMELESS, json.dumps([{"n": f"{device.split('/')[1]}:u", "v": volts}]).encode()
        return self._new(device, draw)

    def _without_clock(self, device: str) -> bytes:
        said = self.lost_clocks.setdefault(device, [])
        said.append(LOST_VALUES[len(said) % 2])
        return json.dumps({"observed_at": self.source.choice(LOST_TIMES), "rain_total_mm": said[-1]}).encode()

    def _known(self, may_conflict: bool) -> tuple[str, bytes]:
        device, second = self.source.choice(list(self.values))
        planted = self.values[device, second]
        if may_conflict and len(planted) == 1:
            planted.append(planted[0] + 1)
        value = planted[-1] if may_conflict else self.source.choice(planted)
        return f"flood/v1/futian/{device}/observation", json.dumps(self._reading(second, value)).encode()

    def _new(self, device: str, draw: float) -> tuple[str, bytes]:
        if draw < 0.44:
            (second, value), name = self._measure(device), device.split("/")[1]
            record = {"bn": f"{name}:", "bt": NOON_MS / 1000, "n": "mm", "t": second, "v": value}
            return "senml/abs", json.dumps([record]).encode()
        count = self.source.randint(2, LARGEST_PACK) if draw < 0.54 else 1
        readings = [self._reading(*self._measure(device)) for _ in range(count)]
        body = readings[0] if count == 1 else {"readings": readings}
        kind = "event" if draw > 0.95 else "observation"
        return f"flood/v1/futian/{device}/{kind}", json.dumps(body).encode()

    def _measure(self, device: str) -> tuple[int, float]:
        self.serial += 1
        value = round(self.source.random() * 100, 1)
        self.values[device, self.serial] = [value]
        return self.serial, value

    def _reading(self, second: int, value: float) -> dict[str, object]:
        return {"observed_at": NOON_MS + second * 1000, "seq": self.serial, "rain_total_mm": value}


def identities(mid: int, topic: str, payload: bytes) -> list[Identity]:
    """What the database knows each part of a message by."""
    if payload.startswith(b"\xff"):
        return [("letter", payload)]
    if topic.endswith("/status"):
        return [("state", mid, topic.split("/")[4], b"true" in payload)]
    body = json.loads(payload)
    if topic == TIMELESS or (isinstance(body, dict) and body.get("observed_at") in LOST_TIMES):
        return [("receipt", mid, topic, payload)]
    if topic.startswith("senml/"):
        (record,) = body
        name = record["bn"].removesuffix(":")
        (device,) = (place for place in PLACES if place.endswith(f"/{name}"))
        return [("row", device, record["t"], record["v"])]
    device = "/".join(topic.split("/")[3:5])
    return [_of_reading(device, reading) for reading in body.get("readings", [body])]


def _of_reading(device: str, body: dict[str, object]) -> Identity:
    said, value = body["observed_at"], body["rain_total_mm"]
    assert isinstance(said, int)
    return ("row", device, round((said - NOON_MS) / 1000), value)
