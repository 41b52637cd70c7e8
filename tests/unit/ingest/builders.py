"""A small directory and messages for it."""

from __future__ import annotations

import json

from ingest.batch import Message
from ingest.sensors import Directory, build_directory
from undercroft.model import Mode
from undercroft.store.sensors import SensorRow, SensorTable

NOON_US = 1_782_907_200_000_000
"""2026-07-01T12:00:00Z. [µs since 1970]"""
LEVEL, SPLIT_A, SPLIT_B, BATTERY, PUMP, ONLINE = 11, 12, 13, 14, 15, 16

TABLE = SensorTable(
    7,
    "futian",
    (
        SensorRow("g1-level", "garage-1", LEVEL, "", "water_depth_m"),
        SensorRow("g1-level", "garage-1", ONLINE, "", "online"),
        SensorRow("g2-multi", "garage-2", SPLIT_A, "north", "water_depth_m"),
        SensorRow("g2-multi", "garage-2", SPLIT_B, "south", "water_depth_m"),
        SensorRow("g2-multi", "garage-2", BATTERY, "", "battery_v"),
        SensorRow("g2-multi", "garage-2", PUMP, "", "pump_running"),
        SensorRow("g3-bare", "garage-3", None, "", ""),
    ),
)


def directory(mode: Mode = Mode.LIVE) -> Directory:
    return build_directory(mode, TABLE)


def message(topic: str, payload: object, *, received_us: int = NOON_US, retain: bool = False, mid: int = 1) -> Message:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Message(topic.encode(), body, mid, 1, retain, received_us)


def level(value: object, observed_us: int = NOON_US, root: str = "flood") -> Message:
    return message(
        f"{root}/v1/futian/garage-1/g1-level/observation", {"observed_at": observed_us / 1000, "water_depth_m": value}
    )


def run_clock(now: str, seq: int) -> Message:
    return message("exercise/v1/futian/run/clock", {"now": now, "seq": seq})
