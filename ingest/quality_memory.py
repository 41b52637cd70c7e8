"""What quality control remembers, kept beside the writer and read again from the store when it is not known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ingest.batch import Draft
from ingest.quality import MAX_AHEAD_US, MAX_BEHIND_US
from ingest.quality_checks import Examined, Known, examine
from ingest.quality_cross import LEVELS, beside_of, wet_from_m, wet_inside_m
from ingest.quality_recent import MOST_RECENT, NO_TRAITS, Recent, Sample, Stray, Traits
from ingest.timeless import Deliveries
from undercroft.quality import Quality, QualityTest
from undercroft.rain_counter import RAIN_COUNTER
from undercroft.store.arrays import Float8Column, Int4Column, TimestamptzColumn
from undercroft.store.connection import Connection
from undercroft.store.observations import NO_SERIAL, Rows
from undercroft.store.quality import (
    WrittenReading,
    fetch_known,
    fetch_recent,
    fetch_same_before,
    fetch_traits,
    fetch_written_by_others,
    insert_later_flags,
    insert_past_repeats,
)
from undercroft.store.stamped import Again

_NOTHING_AFTER = 2**62
"""Commit number beyond all: the memory is empty, so there is nothing to forget."""
MOST_TAKEN_IN = 4_000
"""Readings of other writers; what is remembered of the sensors is read again where there are more."""
SPIKE_REASON = "one sample away from both its neighbours, which agree"


class QualityMemory:
    """The last readings of the sensors of one writer."""

    def __init__(self) -> None:
        self._recent: dict[int, Recent] = {}
        self._traits: dict[int, Traits] = {}
        self._seen = 0
        self._is_current = False
        self._own_batch_id = 0

    @property
    def current_at(self) -> int | None:
        """Commit number of our last batch, if no other writer came between it and the look before; else None."""
        return self._seen if self._is_current else None

    def forget(self) -> None:
        """Know nothing: everything is read from the store again."""
        self._recent.clear()
        self._seen = 0
        self._is_current = False

    def take_site(self, connection: Connection) -> None:
        """Read what the site data says of the sensors; those whose ground is another are read from the store again."""
        before, self._traits = self._traits, traits_of(fetch_traits(connection))
        for sensor_id in list(self._recent):
            known, now = before.get(sensor_id, NO_TRAITS), self._traits.get(sensor_id, NO_TRAITS)
            if known.wet_from_m != now.wet_from_m:
                del self._recent[sensor_id]

    def look_around(self, connection: Connection) -> None:
        """Take in what another writer stored since we looked: another lane, another worker, a retry."""
        after = self._seen or _NOTHING_AFTER
        seen, readings = fetch_written_by_others(connection, after, self._own_batch_id, MOST_TAKEN_IN)
        if readings is None:
            self._recent.clear()
        else:
            take_in(self._recent, readings, self._traits)
        self._seen = seen

    def examine(self, connection: Connection, draft: Draft, deliveries: Deliveries | None = None) -> Examined:
        """Flag the readings of a draft; without deliveries (a dead letter) what a sensor said it says again."""
        wanted = set(np.unique(draft.rows.sensor_ids).tolist())
        wanted.update(entry.sensor_id for entry in draft.stamped if entry.device_us is not None)
        for sensor_id in list(wanted):
            if (traits := self._traits.get(sensor_id)) is not None:
                wanted.update(traits.beside)
        missing = wanted - self._recent.keys()
        if missing:
            self._recent |= _load(connection, sorted(missing), self._traits)
        examined = examine(draft, self._recent, self._traits)
        if examined.strays:
            strays = np.array(examined.strays)
            known = _known(connection, draft.rows.take(strays))
            of = np.unique(draft.row_of[strays]).tolist()
            known = replace(known, marked=frozenset(of if deliveries is None else deliveries.marked(of)))
            if known.lost:
                again = dict.fromkeys(of, Again.TAKEN) if deliveries is None else deliveries.again_of(of)
                known = replace(known, taken=frozenset(i for i, told in again.items() if told is not Again.NEW))
            if known.stored or known.lost:
                examined = examine(draft, self._recent, self._traits, known)
        return examined

    def commit(self, examined: Examined, batch_id: int, commit_seq: int) -> None:
        """Remember a batch that is committed."""
        self._recent |= examined.recent
        self._own_batch_id = batch_id
        self._is_current = commit_seq == self._seen + 1
        if self._is_current:
            self._seen = commit_seq
        for sensor_id, memory in examined.recent.items():
            # Another may have stored the same past time meanwhile, or what only seems to be ahead: the store knows.
            if memory.is_cut or (memory.strays and not self._is_current):
                del self._recent[sensor_id]


def store_what_follows(connection: Connection, examined: Examined, batch_id: int) -> None:
    """Store what a batch says of readings before it, inside the caller's transaction."""
    if examined.repeats:
        insert_past_repeats(connection, examined.repeats, batch_id)
    if examined.spikes:
        sensor_ids = Int4Column(np.array([sensor_id for sensor_id, _ in examined.spikes], dtype=np.int32))
        times = TimestamptzColumn(np.array([observed_us for _, observed_us in examined.spikes], dtype=np.int64))
        insert_later_flags(connection, sensor_ids, times, QualityTest.SPIKE, SPIKE_REASON, batch_id)


def take_in(recent: dict[int, Recent], readings: Iterable[WrittenReading], traits: Mapping[int, Traits]) -> None:
    """Remember what others stored, of the sensors that are remembered; the same as reading it all from the store again.

    A sensor with a reading stored at its time of receipt is forgotten: the store knows what its clock said.
    """
    for reading in readings:
        if reading.quality_tests & QualityTest.CLOCK_LOST:
            recent.pop(reading.sensor_id, None)
        memory = recent.get(reading.sensor_id)
        if memory is None:
            continue
        if reading.quality_tests & QualityTest.LATE:
            memory.note_stray(reading.observed_us, reading.received_us)
        elif len(memory.samples) == MOST_RECENT and reading.observed_us < memory.samples[0].observed_us:
            del recent[reading.sensor_id]  # whether a value has been the same for longer, the store knows
        else:
            memory.note_sample(_sample(reading), traits.get(reading.sensor_id, NO_TRAITS).wet_from_m)


def _sample(reading: WrittenReading) -> Sample:
    serial = NO_SERIAL if reading.seq is None else reading.seq
    is_failed = reading.quality >= Quality.FAIL
    return Sample(reading.observed_us, reading.received_us, reading.value, is_failed, serial)


def traits_of(rows: Sequence[Mapping[str, Any]]) -> dict[int, Traits]:
    """Return what the site data says of every sensor, as far as its readings are tested against it."""
    spots: dict[tuple[object, ...], list[int]] = {}
    for row in rows:
        spot = (row["quantity"], row["place_id"], row["entrance_id"], row["zero_level_m"])
        spots.setdefault(spot, []).append(row["sensor_id"])
    beside = beside_of(rows)
    found = {}
    for row in rows:
        is_level = row["quantity"] in LEVELS
        spot = (row["quantity"], row["place_id"], row["entrance_id"], row["zero_level_m"])
        peers = tuple(other for other in spots[spot] if other != row["sensor_id"]) if is_level else ()
        ceiling_m = _ceiling_m(row)
        outside, pair = beside.get(row["sensor_id"], ((), ()))
        floats, gauges = (pair, ()) if is_level else ((), pair)
        wet_m = wet_inside_m(row) if outside else np.inf
        interval_s = float(row["interval_dry_s"])
        flat_from_m = wet_from_m(row) if is_level else np.inf
        is_counter = row["quantity"] == RAIN_COUNTER
        found[row["sensor_id"]] = Traits(
            is_level, interval_s, ceiling_m, peers, wet_m, outside, floats, gauges, flat_from_m, is_counter
        )
    return found


def _ceiling_m(row: Mapping[str, Any]) -> float:
    """Return what a level sensor inside reads with the water at the ceiling; infinite where nobody knows. [m]"""
    floor_m = 0.0 if row["quantity"] == "water_depth_m" else row["floor_level_m"]
    if row["quantity"] not in LEVELS or row["ceiling_height_m"] is None or floor_m is None:
        return np.inf
    return round(float(floor_m) + float(row["ceiling_height_m"]), 6)


def _known(connection: Connection, rows: Rows) -> Known:
    ids, times = rows.sensor_ids.tolist(), rows.observed_us.tolist()
    stored, lost = fetch_known(connection, rows)
    return Known({(ids[n], times[n]): said for n, said in stored.items()}, frozenset(lost))


def _note_same(connection: Connection, loaded: dict[int, Recent], traits: Mapping[int, Traits]) -> None:
    """Read since when sensors have said what the oldest remembered reading says, where that may be a flat line."""
    oldest = {
        sensor_id: memory.samples[0]
        for sensor_id, memory in loaded.items()
        if len(memory.samples) == MOST_RECENT
        and not memory.samples[0].is_failed
        and memory.samples[0].value >= traits.get(sensor_id, NO_TRAITS).wet_from_m
    }
    if oldest:
        ids = Int4Column(np.array(list(oldest), dtype=np.int32))
        times = TimestamptzColumn(np.array([sample.observed_us for sample in oldest.values()], dtype=np.int64))
        values = Float8Column(np.array([sample.value for sample in oldest.values()]))
        for sensor_id, since_us in fetch_same_before(connection, ids, times, values, sorted(LEVELS)):
            loaded[sensor_id].same_us = since_us


def _load(connection: Connection, sensor_ids: Iterable[int], traits: Mapping[int, Traits]) -> dict[int, Recent]:
    wanted = np.array(sensor_ids, dtype=np.int32)
    loaded = {int(sensor_id): Recent() for sensor_id in wanted}
    rows = fetch_recent(connection, Int4Column(wanted), MOST_RECENT, MAX_BEHIND_US, MAX_AHEAD_US)
    for row in rows.samples:
        serial = NO_SERIAL if row["seq"] is None else int(row["seq"])
        is_failed = row["quality"] >= Quality.FAIL
        loaded[row["sensor_id"]].samples.append(
            Sample(row["observed_us"], row["received_us"], row["value"], is_failed, serial)
        )
    _note_same(connection, loaded, traits)
    for row in rows.strays:
        stray = Stray(row["received_us"], row["oldest_us"], row["newest_us"], row["is_lost"], row["is_repeat"])
        loaded[row["sensor_id"]].note_strays(stray)
    for row in rows.lost:
        loaded[row["sensor_id"]].note_lost(row["received_us"])
    return loaded
