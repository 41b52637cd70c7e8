"""What devices say of themselves on their status topics: each delivery taken once, each state at its own time.

A state comes without a time and without a number, so two that are the same byte for byte may be one delivered twice, or
a device that went off and on. MQTT tells them apart: what a broker delivers again within a session keeps its packet
identifier and is marked (DUP; MQTT 3.1.1, 3.3.1.1 and 4.4). So the last state under every identifier of a session is
kept, whether it changed anything or not, for as long as it may be in flight (`ingest.session_numbers`). A broker that
does not mark what it delivers again (the embedded one) may have a change of state stored twice; what holds now is
right there too.

The time of a state is its first receipt. Within a session the order of delivery stands above the receiver's clock. From
elsewhere (a dead letter, a session of another name) a state that is older than the newest takes its place in history.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from undercroft.store.arrays import Float8Column, Int4Column, Int8Column, TimestamptzColumn
from undercroft.store.connection import Connection
from undercroft.store.sql import sql

RECEIPT_US = 1000
"""Times of receipt are whole milliseconds; states of one millisecond stand a microsecond apart. [µs]"""


class Delivery(NamedTuple):
    """How a state came."""

    session: str
    mid: int
    """Packet identifier."""
    is_again: bool
    """The broker says that it may have delivered it before (DUP)."""
    received_us: int
    """When it was delivered, on the clock of the receiver. [µs since 1970]"""


class State(NamedTuple):
    """What a device said, as its sensor ``online``."""

    sensor_id: int
    value: float
    received_us: int
    """In an exercise the run clock's time. [µs since 1970]"""
    delivery: Delivery | None


class Delivered(NamedTuple):
    """The last state that came under a packet identifier."""

    sensor_id: int
    value: float
    received_us: int


class PlacedState(NamedTuple):
    """A state that was not known."""

    position: int
    state_us: int
    """The time that it stands at. [µs since 1970]"""
    is_change: bool
    """It says other than the state before it."""
    is_late: bool
    """The device has a newer state."""


def is_known(state: State, delivered: Mapping[tuple[str, int], Delivered]) -> bool:
    """Tell whether this very delivery was taken before, or one that the broker made of the same message.

    It was if the broker marks it as one that it made before. And one that is not marked is the very same delivery if
    its batch is written again: then it has the same time of receipt.
    """
    delivery = state.delivery
    if delivery is None:
        return False
    known = delivered.get((delivery.session, delivery.mid))
    if known is None or (known.sensor_id, known.value) != (state.sensor_id, state.value):
        return False
    return delivery.is_again or delivery.received_us == known.received_us


def place_states(
    states: Sequence[State],
    delivered: Mapping[tuple[str, int], Delivered],
    last_us: Mapping[tuple[str, int], int],
    history: Mapping[int, Sequence[tuple[int, float]]],
) -> list[PlacedState]:
    """Give each state that is not known its time, in order of arrival. Pure.

    Parameters
    ----------
    states : sequence of State
        What came.
    delivered : mapping
        By session and packet identifier: what came under it last.
    last_us : mapping
        By session and sensor: the time of the state that the session delivered last.
    history : mapping
        By sensor: ``(time, value)`` of its stored states from the oldest receipt of these on, and one before; in order.
    """
    known = dict(delivered)
    last = dict(last_us)
    stored = {sensor_id: list(entries) for sensor_id, entries in history.items()}
    placed = []
    for position, state in enumerate(states):
        if is_known(state, known):
            continue
        entries = stored.setdefault(state.sensor_id, [])
        state_us = state.received_us
        if state.delivery is not None:
            key = (state.delivery.session, state.sensor_id)
            state_us = max(state_us, last.get(key, state_us - 1) + 1)
        end = bisect_left(entries, (state_us // RECEIPT_US * RECEIPT_US + RECEIPT_US, -np.inf))
        if end and entries[end - 1][0] >= state_us:
            state_us = entries[end - 1][0] + 1
        before = bisect_left(entries, (state_us, -np.inf))
        is_change = before == 0 or entries[before - 1][1] != state.value
        placed.append(PlacedState(position, state_us, is_change, before < len(entries)))
        if is_change:
            insort(entries, (state_us, state.value))
        if state.delivery is not None:
            last[state.delivery.session, state.sensor_id] = state_us
            identity = (state.delivery.session, state.delivery.mid)
            known[identity] = Delivered(state.sensor_id, state.value, state.delivery.received_us)
    return placed


def take_states(connection: Connection, states: Sequence[State]) -> list[PlacedState]:
    """Remember how states came, inside the caller's transaction; return those that change something, to be stored."""
    if not states:
        return []
    sensor_ids = sorted({state.sensor_id for state in states})
    since = [min(entry.received_us for entry in states if entry.sensor_id == sensor_id) for sensor_id in sensor_ids]
    history: dict[int, list[tuple[int, float]]] = {}
    wanted = {"sensor_ids": _ids(sensor_ids), "since": TimestamptzColumn(np.array(since, dtype=np.int64))}
    for row in connection.execute(sql("fetch_states_since"), wanted):
        history.setdefault(row["sensor_id"], []).append((row["observed_us"], row["value"]))
    ways = [(state, state.delivery) for state in states if state.delivery is not None]
    delivered, last = {}, {}
    if ways:
        sessions = [way.session for _, way in ways]
        by_mid = {"sessions": sessions, "mids": _ids([way.mid for _, way in ways])}
        for row in connection.execute(sql("fetch_state_deliveries"), by_mid):
            found = Delivered(row["sensor_id"], row["value"], row["received_us"])
            delivered[row["session"], row["mid"]] = found
        by_sensor = {"sessions": sessions, "sensor_ids": _ids([state.sensor_id for state, _ in ways])}
        for row in connection.execute(sql("fetch_last_delivered"), by_sensor):
            last[row["session"], row["sensor_id"]] = row["state_us"]
    placed = place_states(states, delivered, last, history)
    _remember(connection, states, placed)
    return [place for place in placed if place.is_change]


def _remember(connection: Connection, states: Sequence[State], placed: Sequence[PlacedState]) -> None:
    entries: dict[tuple[str, int], tuple[State, Delivery, int]] = {}
    for place in placed:
        state = states[place.position]
        if state.delivery is not None:
            key = (state.delivery.session, state.delivery.mid)
            entries[key] = (state, state.delivery, place.state_us)
    if not entries:
        return
    rows = [entries[key] for key in sorted(entries)]
    connection.execute(
        sql("upsert_state_deliveries"),
        {
            "sessions": [way.session for _, way, _ in rows],
            "mids": _ids([way.mid for _, way, _ in rows]),
            "sensor_ids": _ids([state.sensor_id for state, _, _ in rows]),
            "values": Float8Column(np.array([state.value for state, _, _ in rows])),
            "received_us": Int8Column(np.array([way.received_us for _, way, _ in rows], dtype=np.int64)),
            "state_us": Int8Column(np.array([state_us for _, _, state_us in rows], dtype=np.int64)),
        },
    )


def _ids(numbers: Sequence[int]) -> Int4Column:
    return Int4Column(np.array(numbers, dtype=np.int32))
