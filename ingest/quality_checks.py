"""Tests of a reading against what its sensor said before (QARTOD; defaults from IOOS and the flood-control practice).

Wet is from 2 cm over what the sensor reads when dry: of a depth 0, of a level over datum its floor or roadway.

Every test is decided from the stored readings that came before, in order of arrival. A test may make a reading
suspect; a suspect reading may raise an alarm and may not clear one. Only a value outside what the quantity can be
fails. The spike test needs the next sample, so it never delays anything: its flag is stored afterwards, beside the row.

===============  ============================================================================  =======
test             when                                                                          flag
===============  ============================================================================  =======
rate of change   a level changes by more than 0.5 m in a minute, in one step or in many        suspect
flat line        wet, and the very same value for 30 minutes and 6 readings                    suspect
ceiling          a depth or level inside above the ceiling                                     suspect
cross-check      another sensor of the same spot says 0.15 m else within 2 minutes             suspect
inside, outside  water rises inside, from 5 cm, and every entrance is dry                       suspect
float, gauge     a float switch contradicts a gauge of its spot by over 0.10 m                  suspect
frozen clock     another value under its newest time, or an older, received over a minute later suspect
repeated serial  the serial number of the reading before                                       suspect
counter jump     a rain counter shows what cannot have fallen since either of its last two      suspect
spike            over 0.10 m from both neighbours, which agree within 0.05 m                   suspect, later
gap              three intervals missed before it                                              (bit)
clock skew       device and receive time differ by over a minute                               (bit)
late             older than the newest of its sensor                                           (bit)
buffered         received over 10 minutes after it was taken                                   (bit)
===============  ============================================================================  =======
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from ingest.batch import Draft
from ingest.quality_cross import FLOAT_GAUGE, INSIDE_OUTSIDE, contradicts_float, contradicts_gauge, rises_inside
from ingest.quality_limits import (
    BUFFERED_US,
    CROSS_M,
    CROSS_US,
    FLAT_READINGS,
    FLAT_US,
    GAP_INTERVALS,
    MINUTE_US,
    RATE_M_MIN,
    SKEW_US,
    SPIKE_BACK_M,
    SPIKE_M,
    SPIKE_SPAN_US,
)
from ingest.quality_recent import MOST_SENT_AGAIN, NEVER_US, NO_TRAITS, Recent, Sample, Traits
from ingest.quality_usual import examine_usual
from undercroft.quality import Quality, QualityTest
from undercroft.rain_counter import cannot_be, most_mm
from undercroft.store.observations import NO_SERIAL
from undercroft.store.quality import PastRepeat, SaidBefore
from undercroft.store.stamped import SAME_WITHIN_US, Again, Stamped

_SUSPECT = int(
    QualityTest.RATE_OF_CHANGE
    | QualityTest.FLAT_LINE
    | QualityTest.FROZEN_CLOCK
    | QualityTest.REPEATED_SERIAL
    | QualityTest.CROSS_CHECK
    | QualityTest.INSIDE_OUTSIDE
    | QualityTest.FLOAT_GAUGE
    | QualityTest.GROSS_RANGE
    | QualityTest.COUNTER_JUMP
)
_RATE, _FLAT, _GAP = int(QualityTest.RATE_OF_CHANGE), int(QualityTest.FLAT_LINE), int(QualityTest.GAP)
_FROZEN, _REPEATED = int(QualityTest.FROZEN_CLOCK), int(QualityTest.REPEATED_SERIAL)
_SKEW, _CROSS = int(QualityTest.CLOCK_SKEW), int(QualityTest.CROSS_CHECK)
_LATE, _BUFFERED, _RANGE = int(QualityTest.LATE), int(QualityTest.BUFFERED), int(QualityTest.GROSS_RANGE)
_JUMP = int(QualityTest.COUNTER_JUMP)
MANY_ROWS = 64
"""From so many rows on, the usual sensors are tested as columns; below, that costs more than it saves."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A draft with its flags, and what follows from it once it is committed."""

    draft: Draft
    spikes: tuple[tuple[int, int], ...]
    """``(sensor_id, observed_us)`` of earlier readings that the new ones show to be spikes."""
    recent: dict[int, Recent]
    """The memory of the sensors that had readings."""
    strays: tuple[int, ...] = ()
    """Rows of the draft handed in that are from the past; they may be known already."""
    repeats: tuple[PastRepeat, ...] = ()
    """Readings of these that came under a time that is stored, and are not known as sent again."""


@dataclass(frozen=True, slots=True)
class Known:
    """Readings from the past that are stored already: what is delivered again must change nothing, memory included."""

    stored: Mapping[tuple[int, int], SaidBefore] = field(default_factory=dict)
    """By ``(sensor_id, observed_us)``."""
    lost: frozenset[tuple[int, int, float]] = frozenset()
    """``(sensor_id, device_us, value)``, stored at their time of receipt."""
    taken: frozenset[int] = frozenset()
    """Messages of the draft that were taken before, or are retained: what is among ``lost`` is known."""
    marked: frozenset[int] = frozenset()
    """Messages of the draft that are marked as delivered again, or retained: what is among ``stored`` is known."""


def examine(
    draft: Draft, recent: Mapping[int, Recent], traits: Mapping[int, Traits], known: Known | None = None
) -> Examined:
    """Flag the readings of a draft, in order of arrival.

    Parameters
    ----------
    draft : Draft
        With the flags that a reading gets by itself (`ingest.quality`).
    recent : mapping
        Memory of every sensor of the draft and of their peers; not changed.
    traits : mapping
        What the site data says; a sensor that is not there is only tested for its times.
    known : Known, optional
        Which rows from the past (`Examined.strays`) are stored already.
    """
    return _Examiner(recent, traits, known or Known()).run(draft)


class _Examiner:
    def __init__(self, recent: Mapping[int, Recent], traits: Mapping[int, Traits], known: Known) -> None:
        self.known = recent
        self.traits = traits
        self.stored = dict(known.stored)
        self.lost = set(known.lost)
        self.taken, self.marked = known.taken, known.marked
        self.repeats: list[PastRepeat] = []
        self.strays: list[int] = []
        self.recent: dict[int, Recent] = {}
        self.spikes: list[tuple[int, int]] = []

    def run(self, draft: Draft) -> Examined:
        qualities, tests = draft.rows.qualities.copy(), draft.rows.quality_tests.copy()
        is_done = np.zeros(len(draft.rows), dtype=np.bool_)
        if len(draft.rows) >= MANY_ROWS:
            self._examine_usual(draft, qualities, tests, is_done)
        stepped: dict[int, Again] = {}
        if draft.stamped or not is_done.all():
            stepped = self._examine_in_order(draft, qualities, tests, is_done)
        draft = replace(draft, rows=replace(draft.rows, qualities=qualities, quality_tests=tests))
        draft = _restamped(draft, stepped) if stepped else draft
        return Examined(draft, tuple(self.spikes), self.recent, tuple(self.strays), tuple(self.repeats))

    def _examine_usual(
        self, draft: Draft, qualities: NDArray[np.int16], tests: NDArray[np.int32], is_done: NDArray[np.bool_]
    ) -> None:
        """Flag the usual sensors' readings all at once, and note which rows they are."""
        unusual = {entry.sensor_id for entry in draft.stamped if entry.device_us is not None}
        usual = examine_usual(draft.rows, self.known, self.traits, unusual)
        tests[usual.rows] |= usual.tests
        qualities[usual.rows[usual.tests & _SUSPECT != 0]] = Quality.SUSPECT
        is_done[usual.rows] = True
        self.recent |= usual.recent
        self.spikes += usual.spikes

    def _examine_in_order(
        self, draft: Draft, qualities: NDArray[np.int16], tests: NDArray[np.int32], is_done: NDArray[np.bool_]
    ) -> dict[int, Again]:
        """Flag the other readings one by one; return those of a clock that was set back."""
        rows, row_of = draft.rows, draft.row_of.tolist()
        serials = [NO_SERIAL] * len(rows) if rows.serials is None else rows.serials.tolist()
        ids, times = rows.sensor_ids.tolist(), rows.observed_us.tolist()
        values, receipts = rows.values.tolist(), rows.received_us.tolist()
        is_failed, done = (qualities >= Quality.FAIL).tolist(), is_done.tolist()
        stepped: dict[int, Again] = {}
        for index, stamped in _in_order(draft):
            if stamped is not None:
                if stamped.again is not Again.TAKEN:
                    self._memory(stamped.sensor_id).note_lost(stamped.received_us)
                continue
            if done[index]:
                continue
            sample = Sample(times[index], receipts[index], values[index], is_failed[index], serials[index])
            bits = self._examine(ids[index], sample, index, row_of[index])
            if isinstance(bits, Again):
                stepped[index] = bits
                continue
            self._note_stored(ids[index], sample)
            tests[index] |= bits
            if bits & _SUSPECT and not sample.is_failed:
                qualities[index] = Quality.SUSPECT
        return stepped

    def _memory(self, sensor_id: int) -> Recent:
        memory = self.recent.get(sensor_id)
        if memory is None:
            known = self.known.get(sensor_id)
            memory = self.recent[sensor_id] = Recent() if known is None else known.copy()
        return memory

    def _examine(self, sensor_id: int, sample: Sample, index: int, message: int) -> int | Again:
        """Return the bits of a reading; `Again` if the device's clock was set back, so that its time means nothing."""
        memory = self._memory(sensor_id)
        if memory.lies_ahead(sample.received_us):
            memory.receiver_set_back(sample.received_us)
        newest = memory.samples[-1] if memory.samples else None
        newest_us = NEVER_US if newest is None else newest.observed_us
        age_us = sample.received_us - sample.observed_us
        bits = _SKEW if age_us > SKEW_US or age_us < -SKEW_US else 0
        if age_us > BUFFERED_US:
            bits |= _BUFFERED
        if sample.observed_us <= newest_us or sample.observed_us < memory.lost_us:
            if newest is not None and sample.observed_us == newest_us:
                is_frozen = sample.value != newest.value and sample.received_us - newest.received_us > MINUTE_US
                return bits | (_FROZEN if is_frozen else 0)
            self.strays.append(index)
            return self._stray(sensor_id, memory, sample, bits, message)
        traits = self.traits.get(sensor_id, NO_TRAITS)
        if newest is not None:
            if sample.observed_us - newest_us > GAP_INTERVALS * 1e6 * traits.interval_s:
                bits |= _GAP
            if sample.serial == newest.serial and sample.serial != NO_SERIAL:
                bits |= _REPEATED
        if traits.is_level and not sample.is_failed:
            bits |= self._examine_level(sensor_id, memory, sample, traits)
        elif traits.gauges and not sample.is_failed and contradicts_gauge(sample, traits.gauges, self._newest):
            bits |= FLOAT_GAUGE
        elif traits.is_counter and not sample.is_failed and _jumps(memory, sample):
            bits |= _JUMP
        memory.append(sample, traits.wet_from_m)
        return bits

    def _note_stored(self, sensor_id: int, sample: Sample) -> None:
        key = (sensor_id, sample.observed_us)
        known = self.stored.get(key, SaidBefore(frozenset(), sample.received_us, sample.serial))
        if sample.value not in known.values:
            self.stored[key] = known._replace(values=known.values | {sample.value})

    def _stray(self, sensor_id: int, memory: Recent, sample: Sample, bits: int, message: int) -> int | Again:
        """Judge a reading from the past: it is late, or known, or that of a clock that was set back."""
        said = (sensor_id, sample.observed_us, sample.value)
        if message in self.taken and said in self.lost:
            return Again.TAKEN
        before = self.stored.get((sensor_id, sample.observed_us))
        is_known = before is not None and sample.value in before.values
        if is_known and message in self.marked and said not in self.lost:
            return bits
        is_same = before is not None and is_known and len(before.values) == 1 and _may_be_one(before, sample)
        interval_s = self.traits.get(sensor_id, NO_TRAITS).interval_s
        if memory.set_back(sample, interval_s, MOST_SENT_AGAIN if is_same else 1):
            since_us = sample.received_us - memory.strays[-1].received_us
            if not (memory.strays[-1].is_lost and said in self.lost and since_us < SAME_WITHIN_US):  # else no row of it
                memory.note_stray(sample.observed_us, sample.received_us, is_lost=True)
                memory.note_lost(sample.received_us)
            self.lost.add(said)
            return Again.NEW
        if before is None:
            memory.note_stray(sample.observed_us, sample.received_us)
            return bits | _LATE
        memory.note_stray(sample.observed_us, sample.received_us, is_repeat=is_same)
        self.repeats.append(PastRepeat(sensor_id, sample.received_us, sample.observed_us, is_same))
        is_frozen = not is_known and sample.received_us - before.received_us > MINUTE_US
        return bits | (_FROZEN if is_frozen else 0)

    def _examine_level(self, sensor_id: int, memory: Recent, sample: Sample, traits: Traits) -> int:
        bits = _RANGE if sample.value > traits.ceiling_m else 0
        last, before = memory.last_sound()
        if last is not None:
            if _is_fast(memory, last, sample):
                bits |= _RATE
            if before is not None and _is_spike(before, last, sample):
                self.spikes.append((sensor_id, last.observed_us))
            reaches_back = sample.observed_us - memory.oldest_us >= FLAT_US
            if reaches_back and sample.value == last.value and sample.value >= traits.wet_from_m:
                since_us, times = memory.unchanged_since_us(sample.value)
                if times + 1 >= FLAT_READINGS and sample.observed_us - since_us >= FLAT_US:
                    bits |= _FLAT
        for peer in traits.peers:
            bits |= self._compare(peer, sample)
        if rises_inside(memory, sample, traits.outside, self._newest, traits.wet_m):
            bits |= INSIDE_OUTSIDE
        if contradicts_float(sample, traits.floats, self._newest):
            bits |= FLOAT_GAUGE
        return bits

    def _newest(self, sensor_id: int) -> Sample | None:
        memory = self.recent.get(sensor_id) or self.known.get(sensor_id)
        return None if memory is None else memory.last_sound()[0]

    def _compare(self, peer: int, sample: Sample) -> int:
        other = self._newest(peer)
        if other is None or abs(other.observed_us - sample.observed_us) > CROSS_US:
            return 0
        return _CROSS if abs(other.value - sample.value) > CROSS_M else 0


def _may_be_one(before: SaidBefore, sample: Sample) -> bool:
    """Tell whether the same time and value may be one reading that was sent twice: its number is not another."""
    return NO_SERIAL in (before.serial, sample.serial) or before.serial == sample.serial


def _jumps(memory: Recent, sample: Sample) -> bool:
    """Tell whether a rain counter goes on from neither of its last two readings: one of them may have been wrong."""
    known = [before for before in memory.last_sound() if before is not None]
    stood_mm = np.array([before.value for before in known])
    since_us = np.array([sample.observed_us - before.observed_us for before in known], dtype=np.int64)
    return bool(known) and bool(cannot_be(stood_mm, np.array(sample.value), most_mm(since_us)).all())


def _is_fast(memory: Recent, last: Sample, sample: Sample) -> bool:
    """Tell whether a level changed faster than water is taken to: since the reading before, or in the last minute."""
    elapsed_min = max(1.0, (sample.observed_us - last.observed_us) / MINUTE_US)
    if abs(sample.value - last.value) > RATE_M_MIN * elapsed_min:
        return True
    first = memory.oldest_sound_since(sample.observed_us - MINUTE_US)
    return first is not None and abs(sample.value - first.value) > RATE_M_MIN


def _is_spike(before: Sample, middle: Sample, after: Sample) -> bool:
    if after.observed_us - before.observed_us > SPIKE_SPAN_US:
        return False
    away = abs(middle.value - (before.value + after.value) / 2)
    return away > SPIKE_M and abs(after.value - before.value) <= SPIKE_BACK_M


def _in_order(draft: Draft) -> Iterator[tuple[int, Stamped | None]]:
    """Yield rows (by position) and readings without a clock in the order of their messages."""
    rows: list[tuple[int, int, Stamped | None]] = [(of, n, None) for n, of in enumerate(draft.row_of.tolist())]
    lost: list[tuple[int, int, Stamped | None]] = [
        (of, n, entry)
        for n, (of, entry) in enumerate(zip(draft.stamped_of, draft.stamped, strict=True))
        if entry.device_us is not None
    ]
    if lost:
        rows = sorted(rows + lost, key=itemgetter(0))
    for _, index, stamped in rows:
        yield index, stamped


def _restamped(draft: Draft, stepped: Mapping[int, Again]) -> Draft:
    """Store readings of a clock that was set back as those of a lost one: at their time of receipt, suspect."""
    rows = draft.rows
    kept = np.delete(np.arange(len(rows)), list(stepped))
    extra = [
        (
            int(draft.row_of[index]),
            Stamped(
                int(rows.sensor_ids[index]),
                float(rows.values[index]),
                max(int(rows.qualities[index]), int(Quality.SUSPECT)),
                int(rows.quality_tests[index] | QualityTest.CLOCK_LOST),
                int(rows.received_us[index]),
                int(rows.observed_us[index]),
                again=again,
                serial=NO_SERIAL if rows.serials is None else int(rows.serials[index]),
            ),
        )
        for index, again in stepped.items()
    ]
    merged = sorted([*zip(draft.stamped_of, draft.stamped, strict=True), *extra], key=itemgetter(0))
    return replace(
        draft,
        rows=rows.take(kept),
        row_of=draft.row_of[kept],
        stamped=tuple(entry for _, entry in merged),
        stamped_of=tuple(of for of, _ in merged),
    )
