"""Latency, measured in real time: publish to committed row, and publish to committed red alarm.

For a minute every inside gauge of the district reports twice a second that it is dry; one space after the other
reports half a metre of water, which is red for every kind of space at the first sample. The run clock goes on in
real time, five times a second, as the engine ticks live. What is measured ends when another connection is told of
the commit and can read the row.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import orjson
import paho.mqtt.client as mqtt

from undercroft.errors import StackFailed
from undercroft.site.model import Site
from undercroft.store.commit import COMMIT_CHANNEL
from undercroft.store.connection import Connection
from undercroft.store.demo import fetch_all, fetch_one, listen, red_subjects_since, stored_since, wakeups

CLOCK_PERIOD_S = 0.2
ROUND_PERIOD_S = 2.0
LEAST_PROBE_S = 2 * ROUND_PERIOD_S
"""In the first round every gauge is dry. [s]"""

RED_DEPTH_M = 0.5
SETTLE_S = 5.0


@dataclass(frozen=True, slots=True)
class Target:
    """An inside gauge: the subject that it turns red, and its topic."""

    subject: str
    device_id: str
    topic: str
    at: str | None


def targets_of(site: Site) -> list[Target]:
    """Return one inside gauge of each space that has one."""
    found = []
    for space in site.spaces:
        for device in space.devices:
            inside = [s for s in device.sensors if s.quantity == "water_depth_m" and s.entrance is None]
            if inside:
                topic = f"exercise/v1/{site.district.id}/{space.id}/{device.id}/observation"
                found.append(Target(f"space/{space.id}", device.id, topic, inside[0].at))
                break
    return found


@dataclass(slots=True)
class _Tally:
    sent_at_s: dict[tuple[str, datetime], float] = field(default_factory=dict)
    red_sent_at_s: dict[str, float] = field(default_factory=dict)
    store_ms: list[float] = field(default_factory=list)
    alarm_ms: list[float] = field(default_factory=list)
    commit_seq: int = 0
    tick_seq: int = 0

    def note(self, connection: Connection, channel: str, number: int, now_s: float) -> None:
        """Take in what one commit made visible."""
        if channel == COMMIT_CHANNEL:
            for key in stored_since(connection, self.commit_seq, number):
                sent_at_s = self.sent_at_s.pop(key, None)
                if sent_at_s is not None:
                    self.store_ms.append(1000 * (now_s - sent_at_s))
            self.commit_seq = max(self.commit_seq, number)
            return
        for subject in red_subjects_since(connection, self.tick_seq, number):
            sent_at_s = self.red_sent_at_s.pop(subject, None)
            if sent_at_s is not None:
                self.alarm_ms.append(1000 * (now_s - sent_at_s))
        self.tick_seq = max(self.tick_seq, number)


def measure_latency(
    client: mqtt.Client, connection: Connection, site: Site, *, duration_s: float
) -> dict[str, float] | None:
    """Run the probe; return percentiles in ms, or None when no space could be turned red.

    Parameters
    ----------
    client : paho.mqtt.client.Client
        Connected, its loop running.
    connection : Connection
        In autocommit, free to LISTEN.
    duration_s : float
        How long to publish. [s]
    """
    listen(connection)
    last = fetch_one(connection, "probe_last") or {}
    busy = {row["subject"] for row in fetch_all(connection, "probe_busy_subjects")}
    targets = [target for target in targets_of(site) if target.subject not in busy]
    if not targets:
        return None
    tally = _Tally(commit_seq=last["commit_seq"], tick_seq=last["tick_seq"])
    run_start = last["tick_at"] or datetime.fromtimestamp(time.time(), UTC)
    clock_topic = f"exercise/v1/{site.district.id}/run/clock"
    schedule = sorted(
        # A clock comes before the first reading: sorting keeps the order of what is due at once.
        [*_clocks(clock_topic, run_start, last["run_seq"], duration_s), *_readings(targets, run_start, duration_s)],
        key=lambda message: message.due_s,
    )
    start_s = time.monotonic()
    for message in schedule:
        _listen_until(connection, tally, start_s + message.due_s)
        sent_at_s = time.monotonic()
        if message.key is not None:
            tally.sent_at_s[message.key] = sent_at_s
        if message.turns_red is not None:
            tally.red_sent_at_s[message.turns_red] = sent_at_s
        client.publish(message.topic, message.payload, qos=1)
    _listen_until(connection, tally, time.monotonic() + SETTLE_S, stop_when_empty=True)
    if not tally.alarm_ms or tally.sent_at_s or tally.red_sent_at_s:
        lost = len(tally.sent_at_s) + len(tally.red_sent_at_s)
        raise StackFailed(f"latency probe: {lost} of what was published had no effect within {SETTLE_S:.0f} s")
    return {
        "publish_to_store_p50": _percentile(tally.store_ms, 50),
        "publish_to_store_p99": _percentile(tally.store_ms, 99),
        "publish_to_alarm_p50": _percentile(tally.alarm_ms, 50),
        "publish_to_alarm_p99": _percentile(tally.alarm_ms, 99),
    }


@dataclass(frozen=True, slots=True)
class _Message:
    due_s: float
    topic: str
    payload: bytes
    key: tuple[str, datetime] | None = None
    turns_red: str | None = None


def _readings(targets: list[Target], run_start: datetime, duration_s: float) -> Iterator[_Message]:
    red_from_s = [(1 + index) * duration_s / (len(targets) + 1) for index in range(len(targets))]
    for round_no in range(int(duration_s / ROUND_PERIOD_S)):
        for index, target in enumerate(targets):
            due_s = round_no * ROUND_PERIOD_S + index * ROUND_PERIOD_S / len(targets)
            is_red = due_s >= red_from_s[index]
            is_first_red = is_red and due_s - ROUND_PERIOD_S < red_from_s[index]
            observed_at = _instant(run_start, due_s)
            reading: dict[str, object] = {"observed_at": observed_at.isoformat()}
            if target.at is not None:
                reading["at"] = target.at
            reading["water_depth_m"] = RED_DEPTH_M if is_red else 0.0
            yield _Message(
                due_s,
                target.topic,
                orjson.dumps(reading),
                (target.device_id, observed_at),
                target.subject if is_first_red else None,
            )


def _clocks(topic: str, run_start: datetime, last_seq: int, duration_s: float) -> Iterator[_Message]:
    for index in range(int((duration_s + SETTLE_S) / CLOCK_PERIOD_S)):
        due_s = index * CLOCK_PERIOD_S
        now = _instant(run_start, due_s).isoformat()
        yield _Message(due_s, topic, orjson.dumps({"now": now, "seq": last_seq + 1 + index}))


def _instant(run_start: datetime, due_s: float) -> datetime:
    return run_start + timedelta(milliseconds=round(1000 * due_s) + 1)


def _listen_until(connection: Connection, tally: _Tally, until_s: float, *, stop_when_empty: bool = False) -> None:
    while (left_s := until_s - time.monotonic()) > 0:
        if stop_when_empty and not (tally.sent_at_s or tally.red_sent_at_s):
            return
        for channel, number in wakeups(connection, left_s):
            tally.note(connection, channel, number, time.monotonic())


def _percentile(values_ms: list[float], rank: float) -> float:
    return round(float(np.percentile(values_ms, rank)), 1)
