"""Observed floods in batches for the engine: each alone, or storm by storm with what was known of earlier ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from risk.ahead import Question
from risk.arrays import NEVER_US, IntArray, to_us
from risk.hindcast.floodnet_csv import Event
from risk.hydraulics.arrays import FloatArray, floats
from risk.past.build import flood_of
from risk.past.foreseen import PastAsked
from risk.past.inforce import Past
from risk.past.library import PastFlood, PastSensor, library_of
from risk.past.traces import Traces

START = datetime(2000, 1, 1, tzinfo=UTC)
"""Where the clock of the tables begins, see `risk.hindcast.floodnet_csv`."""
EVENTS_AT_ONCE = 500
DAY_S = 86400.0


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Floods that are run at once from one instant, each a road of its own.

    Attributes
    ----------
    ids : ndarray
        Which of the events.
    offset_s : ndarray
        When each begins after the first tick. [s]
    history : History
        What was known of earlier floods, None for nothing.
    """

    ids: IntArray
    offset_s: FloatArray
    history: History | None


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """What was known at each flood: storms of many years run at once, so each asks the library of its own time.

    Attributes
    ----------
    pasts : sequence of Past
        Libraries, all of the same sensors.
    of_road, row, shift_us, storm : ndarray
        Of each road of a batch: its library, its sensor's row in it, how much later it was in truth [µs], and its
        storm: roads of one storm are neighbours of each other for the library, and for nothing else.
    """

    pasts: Sequence[Past]
    of_road: IntArray
    row: IntArray
    shift_us: IntArray
    storm: IntArray

    def asked(self, question: Question) -> Question:
        """Return a question with the libraries of the time of each road, and the time as it was in truth."""
        if not question.past:
            return question
        (whole,) = question.past
        road = whole.wet_space
        at_us = np.where(whole.wet.at_us == NEVER_US, NEVER_US, whole.wet.at_us + self.shift_us[road][:, None])
        spell_us = whole.wet.spell_us + self.shift_us[road]
        wet = replace(whole.wet, at_us=at_us, spell_us=spell_us, basin=self.storm[road])
        of_wet = self.of_road[road]
        of_place = of_wet[whole.of_wet]
        found = []
        for period in np.unique(of_place).tolist():
            past = self.pasts[period]
            mine = of_wet == period  # a storm has one library, so whoever is a neighbour has this one
            enough = np.isin(wet.row[whole.of_wet], list(past.row.values()))
            chosen = np.flatnonzero((of_place == period) & enough)
            if chosen.size:
                found.append(
                    PastAsked(
                        past, period, whole.at_us, wet.part(mine), road[mine], whole.place[chosen],
                        (np.cumsum(mine) - 1)[whole.of_wet[chosen]], whole.since_us[chosen], whole.missing_m[chosen],
                    )
                )  # fmt: skip
        return replace(question, past=tuple(found))


def each_alone(events: Sequence[Event]) -> Iterator[Batch]:
    """Yield the floods in large batches, the short ones first; nothing is known of other floods."""
    order = sorted(range(len(events)), key=lambda k: (float(events[k].track.time_s[-1]), k))
    for first in range(0, len(order), EVENTS_AT_ONCE):
        ids = np.array(order[first : first + EVENTS_AT_ONCE], np.int64)
        yield Batch(ids, np.zeros(ids.size), None)


def storm_by_storm(events: Sequence[Event], relearn_days: int) -> Iterator[Batch]:
    """Yield the floods in large batches, those that overlap as one storm, each with a library of what had ended before.

    The library is made again every so many days, at midnight, from floods that had ended by then.
    """
    sensors, floods = past_of(events)
    row = {key: k for k, key in enumerate(sorted(sensor.key for sensor in sensors))}
    periods: dict[int, int] = {}
    pasts, rows, traces = list[Past](), list[tuple[int, float, int, int, int, int]](), Traces()
    for number, ids in enumerate(storms(events)):
        start_s = events[ids[0]].track.started_at_s // 60.0 * 60.0
        period = int(start_s // (relearn_days * DAY_S))
        if period not in periods:
            periods[period] = len(pasts)
            ended_by_us = to_us(START) + round(1e6 * period * relearn_days * DAY_S)
            ended = [one for one in floods if one.ended_us <= ended_by_us]
            pasts.append(Past(period, library_of(sensors, ended), traces))
        for k in ids:
            track = events[k].track
            place = (periods[period], row[track.sensor_id], round(1e6 * start_s))
            rows.append((k, track.started_at_s - start_s, number, *place))
    ids_, offset, storm, period_, row_, shift = (np.array(column) for column in zip(*rows, strict=True))
    for part in _whole_storms(storm, floats([events[k].track.time_s[-1] for k in ids_.tolist()]) + offset):
        history = History(pasts, period_[part], row_[part], shift[part], storm[part])
        yield Batch(ids_[part], floats(offset[part]), history)


def _whole_storms(storm: IntArray, end_s: FloatArray) -> Iterator[IntArray]:
    """Yield rows of whole storms in large parts, the short storms first."""
    last_s = np.zeros(storm.max() + 1)
    np.maximum.at(last_s, storm, end_s)
    order = np.lexsort((np.arange(storm.size), storm, last_s[storm]))
    first = 0
    for after in [*(np.flatnonzero(np.diff(storm[order])) + 1).tolist(), order.size]:
        if after - first >= EVENTS_AT_ONCE or after == order.size:
            yield np.sort(order[first:after])
            first = after


def past_of(events: Sequence[Event]) -> tuple[list[PastSensor], list[PastFlood]]:
    """Return the events as floods of a library, and their sensors; times count from 1970 on the tables' own clock."""
    sensors = {
        event.sensor_id: PastSensor(event.sensor_id, event.track.x_km, event.track.y_km, event.track.tidal)
        for event in events
    }
    floods = [flood_of(event, event.sensor_id, to_us(START)) for event in events if event.track.time_s.size > 1]
    return list(sensors.values()), floods


def storms(events: Sequence[Event]) -> Iterator[list[int]]:
    """Yield events that overlap in time, by number, in order of their starts."""
    order = sorted(range(len(events)), key=lambda k: (events[k].track.started_at_s, events[k].sensor_id, k))
    storm: list[int] = []
    end_s = -np.inf
    for k in order:
        track = events[k].track
        if storm and track.started_at_s > end_s:
            yield storm
            storm = []
        storm.append(k)
        end_s = max(end_s, track.ended_at_s)
    if storm:
        yield storm
