"""Readings whose time is the time of receipt: device states, and readings of a device that lost its clock.

They have no time of their own to be known by, so a second delivery is recognised otherwise: a state by the packet
identifier of its session (`undercroft.store.states`); a reading without a clock by the receipt of its message
(`undercroft.store.receipts`). The impossible time and the value it came with say nothing of its delivery: a device
whose clock stands still says the same time again and again, and open, deployed, open are three states, also where the
broker marks the third as delivered again (DUP), since it never was committed. Beside that only what the sensor said
last, within `SAME_WITHIN_US`, changes nothing: a device that had no answer. Later the same words are a new reading: a
sensor that says a dry 0 under a clock that stands still is alive. A broker that marks nothing may have it stored twice;
what holds now is right there too.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

import numpy as np

from undercroft.quality import QualityTest
from undercroft.store.arrays import Float8Column, Int4Column, Int8Column, TimestamptzColumn
from undercroft.store.connection import Connection
from undercroft.store.observations import NO_SERIAL, Fate, Rows, store_rows
from undercroft.store.sql import sql
from undercroft.store.states import Delivery, State, take_states

_LATE = int(QualityTest.LATE)
SAME_WITHIN_US = 10_000_000
"""The same time and value again within so long change nothing. Less than two intervals of the quickest sensors. [µs]"""


class Again(Enum):
    """What tells whether a reading without a clock was stored before."""

    NEW = auto()
    """Its message was not taken before, or nobody can tell (QoS 0)."""
    TAKEN = auto()
    """Its message was: it has a receipt."""
    IF_SAID = auto()
    """A retained message says what its device said at some time: it was, if the sensor ever said so."""
    IF_HERE = auto()
    """Tried again from a dead letter: it was, if it stands at this very receipt."""


@dataclass(frozen=True, slots=True)
class Stamped:
    """A reading that is stored at its time of receipt, or the next free microsecond that is no whole millisecond."""

    sensor_id: int
    value: float
    quality: int
    quality_tests: int
    received_us: int
    device_us: int | None
    """The impossible time it came with; None for a device state. [µs since 1970]"""
    delivery: Delivery | None = None
    """How a state came; None if nobody can deliver it again."""
    again: Again = Again.IF_HERE
    """Only of a reading without a clock."""
    serial: int = NO_SERIAL
    """Of its message."""


class Placed(NamedTuple):
    """What became of a stamped reading, and the time it stands at (None if it changed nothing)."""

    fate: Fate
    observed_us: int | None


def store_stamped(connection: Connection, readings: Sequence[Stamped], batch_id: int) -> list[Placed]:
    """Store them inside the caller's transaction, in order of arrival, and return what became of each."""
    answers = [Placed(Fate.DUPLICATE, None)] * len(readings)
    states = [position for position, reading in enumerate(readings) if reading.device_us is None]
    lost = [position for position, reading in enumerate(readings) if reading.device_us is not None]
    said = [
        State(entry.sensor_id, entry.value, entry.received_us, entry.delivery)
        for entry in map(readings.__getitem__, states)
    ]
    taken = take_states(connection, said)
    late = {states[place.position] for place in taken if place.is_late}
    placed = [(states[place.position], place.state_us) for place in taken] + _place_lost(connection, readings, lost)
    if not placed:
        return answers
    chosen = [readings[position] for position, _ in placed]
    times = np.array([observed_us for _, observed_us in placed], dtype=np.int64)
    rows = Rows(
        np.array([reading.sensor_id for reading in chosen], dtype=np.int32),
        times,
        np.array([reading.value for reading in chosen]),
        np.array([reading.quality for reading in chosen], dtype=np.int16),
        np.array(
            [readings[position].quality_tests | (_LATE if position in late else 0) for position, _ in placed],
            dtype=np.int32,
        ),
        np.array([reading.received_us for reading in chosen], dtype=np.int64),
        np.array([reading.serial for reading in chosen], dtype=np.int64),
    )
    for (position, observed_us), fate in zip(placed, store_rows(connection, rows, batch_id).tolist(), strict=True):
        answers[position] = Placed(Fate(fate), observed_us)
    stopped = set(lost)
    _remember_lost(connection, readings, [entry for entry in placed if entry[0] in stopped], batch_id)
    return answers


def _place_lost(connection: Connection, readings: Sequence[Stamped], lost: list[int]) -> list[tuple[int, int]]:
    if not lost:
        return []
    sensor_ids = np.array([readings[position].sensor_id for position in lost])
    device_us = np.array([readings[position].device_us for position in lost], dtype=np.int64)
    values = np.array([readings[position].value for position in lost])
    received_us = np.array([readings[position].received_us for position in lost], dtype=np.int64)
    wanted = {"sensor_ids": Int4Column(sensor_ids)}
    answers = connection.execute(
        sql("fetch_clock_lost"), wanted | {"device_us": Int8Column(device_us), "values": Float8Column(values)}
    )
    said = {(row["sensor_id"], row["device_us"], row["value"]): row["observed_us"] for row in answers}
    here = _stored_here(connection, readings, lost, said.keys())
    newest = {
        row["sensor_id"]: (row["sensor_id"], row["device_us"], row["value"])
        for row in connection.execute(sql("fetch_newest_lost"), wanted)
    }
    occupied = connection.execute(sql("fetch_occupied"), wanted | {"received_at": TimestamptzColumn(received_us)})
    stored = {(row["sensor_id"], row["received_us"]): row["observed_us"] for row in occupied}
    last: dict[int, int] = {}
    placed = []
    for position in lost:
        reading = readings[position]
        identity = (reading.sensor_id, reading.device_us, reading.value)
        is_stored = (
            reading.again is Again.TAKEN
            or (reading.again is Again.IF_SAID and identity in said)
            or (reading.again is Again.IF_HERE and position in here)
        )
        is_repeated = newest.get(reading.sensor_id) == identity and (
            abs(reading.received_us - said.get(identity, reading.received_us)) < SAME_WITHIN_US
        )
        if is_stored or is_repeated:
            continue
        free_us = reading.received_us - 1
        free_us = max(free_us, stored.get((reading.sensor_id, reading.received_us), free_us))
        observed_us = max(free_us, last.get(reading.sensor_id, free_us)) + 1
        observed_us += observed_us % 1000 == 0  # a whole millisecond may be the time of a reading that has one
        last[reading.sensor_id] = said[identity] = observed_us
        newest[reading.sensor_id] = identity
        placed.append((position, observed_us))
    return placed


def _stored_here(
    connection: Connection,
    readings: Sequence[Stamped],
    lost: list[int],
    said: Collection[tuple[int, int | None, float]],
) -> set[int]:
    """Return those of a dead letter that were stored at their receipt before."""
    asked = [
        position
        for position in lost
        if (entry := readings[position]).again is Again.IF_HERE
        and (entry.sensor_id, entry.device_us, entry.value) in said
    ]
    if not asked:
        return set()
    chosen = [readings[position] for position in asked]
    rows = connection.execute(
        sql("fetch_lost_here"),
        {
            "sensor_ids": Int4Column(np.array([entry.sensor_id for entry in chosen])),
            "received_at": TimestamptzColumn(np.array([entry.received_us for entry in chosen], dtype=np.int64)),
            "values": Float8Column(np.array([entry.value for entry in chosen])),
        },
    )
    return {asked[row["position"]] for row in rows}


def _remember_lost(
    connection: Connection, readings: Sequence[Stamped], placed: list[tuple[int, int]], batch_id: int
) -> None:
    if not placed:
        return
    last = {
        (entry.sensor_id, entry.device_us, entry.value): (entry, observed_us)
        for entry, observed_us in ((readings[position], observed_us) for position, observed_us in placed)
    }
    chosen = [entry for entry, _ in last.values()]
    connection.execute(
        sql("insert_clock_lost"),
        {
            "sensor_ids": Int4Column(np.array([reading.sensor_id for reading in chosen])),
            "device_us": Int8Column(np.array([reading.device_us for reading in chosen], dtype=np.int64)),
            "values": Float8Column(np.array([reading.value for reading in chosen])),
            "observed_at": TimestamptzColumn(
                np.array([observed_us for _, observed_us in last.values()], dtype=np.int64)
            ),
            "batch_id": batch_id,
        },
    )
