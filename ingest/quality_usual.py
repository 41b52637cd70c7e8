"""The tests of `ingest.quality_checks` as columns, for the usual sensors of a large batch. Pure.

A sensor is usual in a batch when its readings are each newer than the one before, none failed, no other sensor
stands at its spot, and no water rises inside that may have to be held against the outside. Whatever else there is to
say of a sensor (late, lost clock, flat line, cross-checks, failure) is said reading by reading in
`ingest.quality_checks`; both give the same flags and the same memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice, repeat
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest.quality_limits import (
    BUFFERED_US,
    FLAT_US,
    GAP_INTERVALS,
    INSIDE_RISE_M,
    MINUTE_US,
    RATE_M_MIN,
    SKEW_US,
    SPIKE_BACK_M,
    SPIKE_M,
    SPIKE_SPAN_US,
)
from ingest.quality_minute import first_of_minute
from ingest.quality_recent import MOST_RECENT, NEVER_US, NO_TRAITS, Recent, Sample, Traits
from undercroft.quality import Quality, QualityTest
from undercroft.rain_counter import cannot_be, most_mm
from undercroft.store.observations import NO_SERIAL, Rows

_NOTHING = Recent()
_sample = partial(tuple.__new__, Sample)
"""`Sample` of its parts, in half of the time."""
_value = itemgetter(Sample._fields.index("value"))
_US_PER_S = 1e6
_MICROMETRE_M = 1e-6


@dataclass(frozen=True, slots=True)
class Usual:
    """What is said of the usual sensors of a batch."""

    rows: NDArray[np.intp]
    """Their rows, sensor by sensor."""
    tests: NDArray[np.int32]
    """Bits of these rows."""
    spikes: list[tuple[int, int]]
    """``(sensor_id, observed_us)`` of earlier readings that these show to be spikes."""
    recent: dict[int, Recent]
    """Their memory after these readings."""


class _Known(NamedTuple):
    """What the memory and the site data say of a sensor; of a batch's sensors, a column each."""

    is_usual: Any
    oldest_us: Any
    newest_us: Any
    newest: Any
    serial: Any
    second_us: Any
    second: Any
    lost_us: Any
    is_level: Any
    interval_s: Any
    ceiling_m: Any
    wet_m: Any
    """Infinite where nothing stands outside."""
    wet_from_m: Any
    is_counter: Any
    least: Any
    """Least value that is remembered; only where something stands outside."""


def examine_usual(
    rows: Rows, recent: Mapping[int, Recent], traits: Mapping[int, Traits], unusual: Collection[int]
) -> Usual:
    """Test the readings of the usual sensors.

    Parameters
    ----------
    rows : Rows
        In order of arrival, at least one, each with the flags that it gets by itself (`ingest.quality`).
    recent, traits : mapping
        As in `ingest.quality_checks.examine`.
    unusual : collection of int
        Sensors that are not usual in this batch for another reason.
    """
    order = np.argsort(rows.sensor_ids, kind="stable")
    ids, times, values = rows.sensor_ids[order], rows.observed_us[order], rows.values[order]
    received = rows.received_us[order]
    serials = np.full(ids.size, NO_SERIAL) if rows.serials is None else rows.serials[order]
    starts = np.flatnonzero(np.concatenate(([True], ids[1:] != ids[:-1])))
    counts = np.diff(np.append(starts, ids.size))
    sensors = ids[starts].tolist()
    before = [recent.get(key, _NOTHING) for key in sensors]
    told = zip(sensors, before, strict=True)
    known = _columns([_known(memory, traits.get(key, NO_TRAITS), key in unusual) for key, memory in told])
    of = np.repeat(np.arange(starts.size), counts)
    last_us, last = _before(times, starts, known.newest_us), _before(values, starts, known.newest)
    second_us, second = _before(last_us, starts, known.second_us), _before(last, starts, known.second)
    last_serial = _before(serials, starts, known.serial)
    is_level, since_us, age_us = known.is_level[of], times - last_us, received - times

    oldest_us = np.where(known.oldest_us == NEVER_US, times[starts], known.oldest_us)[of]
    may_be_flat = is_level & (values == last) & (values >= known.wet_from_m[of]) & (times - oldest_us >= FLAT_US)
    is_plain = (since_us > 0) & (times >= known.lost_us[of]) & (rows.qualities[order] < Quality.FAIL) & ~may_be_flat
    is_usual = known.is_usual & np.logical_and.reduceat(is_plain, starts)
    most, least = np.maximum.reduceat(values, starts), np.minimum.reduceat(values, starts)
    is_usual &= ~((most >= known.wet_m) & (most - np.fmin(least, known.least) >= INSIDE_RISE_M - _MICROMETRE_M))
    _leave_out_what_they_look_at(is_usual, sensors, traits)
    chosen = is_usual[of]

    has_last, has_second = last_us > NEVER_US, second_us > NEVER_US
    tests = np.zeros(ids.size, dtype=np.int32)
    for is_so, test in (
        (np.abs(age_us) > SKEW_US, QualityTest.CLOCK_SKEW),
        (age_us > BUFFERED_US, QualityTest.BUFFERED),
        (has_last & (since_us > GAP_INTERVALS * _US_PER_S * known.interval_s[of]), QualityTest.GAP),
        (has_last & (serials == last_serial) & (serials != NO_SERIAL), QualityTest.REPEATED_SERIAL),
        (is_level & (values > known.ceiling_m[of]), QualityTest.GROSS_RANGE),
        (_jumps(known.is_counter[of], (times, values), (last_us, last), (second_us, second)), QualityTest.COUNTER_JUMP),
        (
            is_level & has_last & (np.abs(values - last) > RATE_M_MIN * np.maximum(1.0, since_us / MINUTE_US)),
            QualityTest.RATE_OF_CHANGE,
        ),
        (
            _is_fast_within_a_minute(chosen & is_level, times - second_us, (of, times, values), before),
            QualityTest.RATE_OF_CHANGE,
        ),
    ):
        tests[is_so] |= int(test)
    is_away = np.abs(last - (second + values) / 2) > SPIKE_M
    is_back = (np.abs(values - second) <= SPIKE_BACK_M) & (times - second_us <= SPIKE_SPAN_US)
    is_spike = chosen & is_level & has_second & is_away & is_back
    spikes = list(zip(ids[is_spike].tolist(), last_us[is_spike].tolist(), strict=True))

    memory = {}
    ends = starts + counts
    is_last = np.arange(ids.size) >= np.repeat(ends - MOST_RECENT, counts)
    last_samples = iter(_samples(times[is_last], received[is_last], values[is_last], serials[is_last]))
    for place, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        new = list(islice(last_samples, min(end - start, MOST_RECENT)))
        if is_usual[place]:
            known_before = recent.get(sensors[place], _NOTHING)
            between = slice(start, end - len(new))
            memory[sensors[place]] = _remembering(
                known_before, new, times[between], values[between], known.wet_from_m[place]
            )
    return Usual(order[chosen], tests[chosen], spikes, memory)


def _leave_out_what_they_look_at(is_usual: NDArray[np.bool_], sensors: list[int], traits: Mapping[int, Traits]) -> None:
    """Read in order, too, what an unusual sensor is held against: its newest word is the one before, not the last."""
    place_of: dict[int, int] = {}
    for place in np.flatnonzero(~is_usual).tolist():
        for other in traits.get(sensors[place], NO_TRAITS).beside:
            place_of = place_of or {sensor_id: at for at, sensor_id in enumerate(sensors)}
            if other in place_of:
                is_usual[place_of[other]] = False


def _known(memory: Recent, traits: Traits, is_unusual: bool) -> _Known:
    is_usual = not is_unusual and not (traits.peers or traits.floats or traits.gauges)
    least = min(map(_value, memory.samples), default=np.nan) if traits.outside else np.nan
    oldest_us = newest_us = second_us = NEVER_US
    newest, second, serial = np.nan, np.nan, NO_SERIAL
    samples = memory.samples
    if samples:
        oldest_us = memory.oldest_us
        newest_us, _, newest, is_failed, serial = samples[-1]
        is_usual = is_usual and not is_failed
        if len(samples) > 1:
            second_us, _, second, is_failed, _ = samples[-2]
            is_usual = is_usual and not is_failed
            if traits.is_level and newest_us - second_us <= MINUTE_US:
                is_usual = is_usual and not any(sample.is_failed for sample in samples)
    site = (traits.is_level, traits.interval_s, traits.ceiling_m, traits.wet_m, traits.wet_from_m, traits.is_counter)
    return _Known(is_usual, oldest_us, newest_us, newest, serial, second_us, second, memory.lost_us, *site, least)


_Of = tuple[NDArray[np.intp], NDArray[np.int64], NDArray[np.float64]]
"""Place of the sensor, time and value of readings."""


def _is_fast_within_a_minute(
    is_tested: NDArray[np.bool_], since_second_us: NDArray[np.int64], said: _Of, before: list[Recent]
) -> NDArray[np.bool_]:
    """Tell which changed too fast since the oldest reading within a minute; only quick sensors have more than one."""
    found = np.zeros(is_tested.size, dtype=np.bool_)
    if np.any(is_tested & (since_second_us <= MINUTE_US)):
        rows = np.flatnonzero(is_tested)
        of, times, values = said
        remembered = [memory.samples for memory in before]
        first = first_of_minute(of[rows], times[rows], values[rows], remembered, MOST_RECENT)
        found[rows] = np.abs(values[rows] - first) > RATE_M_MIN
    return found


_Said = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Time and value of readings; `NEVER_US` and NaN where there is none."""


def _jumps(is_counter: NDArray[np.bool_], now: _Said, last: _Said, second: _Said) -> NDArray[np.bool_]:
    """Tell which rain counters go on from neither of their last two readings."""
    found = np.zeros(is_counter.size, dtype=np.bool_)
    rows = np.flatnonzero(is_counter & (last[0] > NEVER_US))
    if rows.size:
        times, values, alone = now[0][rows], now[1][rows], second[0][rows] == NEVER_US
        from_last, from_second = (
            cannot_be(before[1][rows], values, most_mm(times - before[0][rows])) for before in (last, second)
        )
        found[rows] = from_last & (from_second | alone)
    return found


def _columns(entries: list[_Known]) -> _Known:
    return _Known(*(np.array(column) for column in zip(*entries, strict=True)))


def _before(column: NDArray[Any], starts: NDArray[np.intp], known: NDArray[Any]) -> NDArray[Any]:
    """Return what stood one place before among the sensor's own readings; before its first stands what was known."""
    moved = np.empty_like(column)
    moved[1:] = column[:-1]
    moved[starts] = known
    return moved


def _samples(
    times: NDArray[np.int64], received: NDArray[np.int64], values: NDArray[np.float64], serials: NDArray[np.int64]
) -> Iterator[Sample]:
    columns = (times.tolist(), received.tolist(), values.tolist(), repeat(False, times.size), serials.tolist())
    return map(_sample, zip(*columns, strict=True))


def _remembering(
    memory: Recent, new: list[Sample], times: NDArray[np.int64], values: NDArray[np.float64], wet_from_m: float
) -> Recent:
    """Return a memory with new samples; between them and it stood readings of these times and values, none failed."""
    samples = deque(memory.samples, maxlen=MOST_RECENT)
    samples.extend(new)
    dropped = list(islice(memory.samples, len(memory.samples) + len(new) - len(samples)))
    same_us = memory.same_us
    if times.size or dropped:
        backwards = zip(times[::-1].tolist(), values[::-1].tolist(), strict=True)
        between = (Sample(at, at, value, False, NO_SERIAL) for at, value in backwards)
        same_us = memory.same_before(samples[0], chain(between, reversed(dropped)), wet_from_m)
    return Recent(samples, memory.lost_us, memory.strays, same_us)
