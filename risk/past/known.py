"""A library made ready to be asked: moments of its floods by likeness, a tide clock, and what each sensor is like."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from risk.arrays import FloatArray, IntArray
from risk.hydraulics.arrays import floats
from risk.nowcast.analogues import RAIN_TUNING, TIDE_TUNING, Tuning, rate_scale, weights
from risk.nowcast.moments import describe
from risk.nowcast.outside import OVERLAP_S
from risk.nowcast.surroundings import MEMORY_TRACKS, Surroundings, rate_likeness
from risk.nowcast.tide import TideClock, fit_tide_clock
from risk.nowcast.track import Track
from risk.past.library import FloodLibrary
from risk.past.traces import RISES_MIN, Traces, joined, kept, kept_around

MOST_MOMENTS = 100_000
"""Of a kind; the oldest floods are dropped beyond it."""

FADES_S = 3.0 * 365.25 * 86400.0
"""Time by which a flood counts 1/e of the newest one of its library: streets, drains and the sea change. [s]"""

LEAF = 32
"""Moments that the tree compares one by one; with a hundred thousand moments quicker than the usual 16."""


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """The moments of all floods of one kind of site (tidal or not).

    Attributes
    ----------
    tree : cKDTree
        Their coordinates, see `risk.nowcast.moments`.
    rise_m : ndarray, shape (moments, times)
        How far the flood rose within each of `RISES_MIN`. [m]
    rate_m_10min : ndarray, shape (moments,)
        Rate of rise then. [m per 10 min]
    flood, sample : ndarray, shape (moments,)
        Which flood of the library, and which of its samples.
    counts : ndarray, shape (moments,)
        How much its flood counts for its age, 1 for the newest of the library.
    """

    tuning: Tuning
    floods: int
    tree: cKDTree
    rise_m: FloatArray
    rate_m_10min: FloatArray
    flood: IntArray
    sample: IntArray
    counts: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Members of some states, a row each: which moment, its weight, and its rise within each of `RISES_MIN`. [m]"""

    moment: IntArray
    weight: FloatArray
    rise_m: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class OwnFloods:
    """Newest floods of each sensor, laid end to end, so that many sensors are asked at once.

    ``first, count``: floods of each sensor. ``peak_m``: of each flood. ``key``: number of the flood times `STRIDE_M`
    plus the peak so far, so it never falls; ``rate``: rate of rise of the same samples. ``end``: where each flood ends.
    """

    first: IntArray
    count: IntArray
    peak_m: FloatArray
    key: FloatArray
    rate_m_10min: FloatArray
    end: IntArray


STRIDE_M = 1000.0
"""Deeper than any flood."""


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """A library made ready. Rows of sensors are those of ``library.sensors``."""

    library: FloodLibrary
    tidal: np.ndarray[tuple[int], np.dtype[np.bool_]]
    x_km: FloatArray
    y_km: FloatArray
    clock: TideClock | None
    phase_rad: FloatArray
    mean_peak_m: FloatArray
    own: OwnFloods
    kinds: Mapping[bool, Kind]

    @classmethod
    def of(cls, library: FloodLibrary, traces: Traces | None = None) -> Known:
        """Make a library ready; the same library is the same memory, whatever ``traces`` has of others already."""
        traces = traces or Traces()
        sensors = {sensor.key: sensor for sensor in library.sensors}
        tracks = [traces.track(flood, sensors[flood.sensor]) for flood in library.floods]
        clock = fit_tide_clock(tracks)
        by_sensor: dict[str, list[Track]] = defaultdict(list)
        for track in sorted(tracks, key=lambda one: (one.ended_at_s, one.started_at_s)):
            by_sensor[track.sensor_id].append(track)
        phase = [
            0.0 if clock is None or not one.tidal else clock.phase_rad(one.key, one.x_km, one.y_km)
            for one in library.sensors
        ]
        phase_of = {one.key: value for one, value in zip(library.sensors, phase, strict=True)}
        peaks = [_mean_peak_m(by_sensor[one.key]) for one in library.sensors]
        around = [_around(traces, tracks, k, by_sensor) for k in range(len(tracks))]
        return cls(
            library,
            np.array([one.tidal for one in library.sensors], np.bool_),
            floats([one.x_km for one in library.sensors]), floats([one.y_km for one in library.sensors]),
            clock, floats(phase), floats(peaks),
            _own([by_sensor[one.key][-MEMORY_TRACKS:] for one in library.sensors]),
            {kind: _kind(traces, tracks, around, (clock, phase_of), tidal=kind) for kind in (False, True)},
        )  # fmt: skip

    def site_rise_m(self, sensor: IntArray, peak_m: FloatArray, rate_m_10min: FloatArray) -> FloatArray:
        """Return how far the past floods of some sensors went on from this depth at a like rate; NaN without one. [m]

        The same as of `risk.nowcast.surroundings`, for many sensors at once.
        """
        own = self.own
        count = own.count[sensor]
        row = np.repeat(np.arange(sensor.size), count)
        start = np.cumsum(count) - count
        flood = own.first[sensor][row] + np.arange(row.size) - start[row]
        at = np.searchsorted(own.key, flood * STRIDE_M + peak_m[row])
        reached = at < own.end[flood]
        past_rate = own.rate_m_10min[np.minimum(at, own.end[flood] - 1)]
        weight = rate_likeness(past_rate, rate_m_10min[row]) * reached
        total = np.bincount(row, weight * (own.peak_m[flood] - peak_m[row]), minlength=sensor.size)
        weights = np.bincount(row, weight, minlength=sensor.size)
        return floats(np.where(weights > 0.2, total / np.maximum(weights, 1e-9), np.nan))


def drawn(kind: Kind, coordinates: FloatArray, rate_m_10min: FloatArray) -> Drawn:
    """Return the members of some states, as `risk.nowcast.analogues` draws them; newer floods count more."""
    count = min(kind.tuning.members, kind.rate_m_10min.size)
    distance, member = kind.tree.query(coordinates, k=np.arange(1, count + 1))
    rise = kind.rise_m[member]
    if kind.tuning.scale_with_rate:
        rise = rise * rate_scale(rate_m_10min, kind.rate_m_10min[member])[:, :, None]
    return Drawn(member, floats(weights(distance, kind.tuning) * kind.counts[member]), rise)


def counts_for_age(started_at_s: FloatArray) -> FloatArray:
    """Return how much floods count beside the newest of them.

    By hand: three years older than the newest 1/e = 0.368, half a year exp(-1/6) = 0.846.
    """
    return floats(np.exp((started_at_s - started_at_s.max(initial=-np.inf)) / FADES_S))


def _mean_peak_m(floods: Sequence[Track]) -> float:
    return (sum(flood.peak_m for flood in floods) + 3 * 0.1) / (len(floods) + 3)


def _around(traces: Traces, tracks: Sequence[Track], k: int, by_sensor: Mapping[str, Sequence[Track]]) -> Surroundings:
    """Return what had happened around a flood by then."""
    track = tracks[k]
    own = by_sensor[track.sensor_id]
    past = own[: bisect_right(own, track.started_at_s, key=lambda one: one.ended_at_s)]
    others = () if track.tidal else _overlapping(tracks, k)  # tidal moments have no neighbours in them
    return traces.around(track, past, others)


def _overlapping(tracks: Sequence[Track], k: int) -> list[Track]:
    """Return the floods that may say something about one; tracks are in order of their starts."""
    track = tracks[k]
    first = k
    while first > 0 and tracks[first - 1].started_at_s >= track.started_at_s - OVERLAP_S:
        first -= 1
    last = k
    while last + 1 < len(tracks) and tracks[last + 1].started_at_s <= track.ended_at_s:
        last += 1
    return [one for one in tracks[first : last + 1] if not one.tidal]


def _kind(
    traces: Traces,
    tracks: Sequence[Track],
    around: Sequence[Surroundings],
    clock: tuple[TideClock | None, Mapping[str, float]],
    *,
    tidal: bool,
) -> Kind:
    """Describe the floods of a kind from what had happened by then; only the tide clock is that of today."""
    chosen = [k for k, track in enumerate(tracks) if track.tidal == tidal]
    total = 0
    for place in range(len(chosen) - 1, -1, -1):
        total += traces.sample(tracks[chosen[place]]).size
        if total > MOST_MOMENTS:
            chosen = chosen[place + 1 :]
            break
    listed = [tracks[k] for k in chosen]
    rows = [traces.sample(track) for track in listed]
    sizes = np.array([of.size for of in rows], np.int64)
    phase = None
    tide, phase_rad = clock
    if tide is not None and tidal:
        each = np.repeat(floats([phase_rad[track.sensor_id] for track in listed]), sizes)
        phase = tide.left_rad(joined([track.at_s for track in listed], rows), each)
    moments = describe(kept(listed, rows, tidal=tidal), kept_around([around[k] for k in chosen], rows), phase)
    tree = cKDTree(moments.coordinates, leafsize=LEAF, balanced_tree=False)
    rise = np.concatenate([np.zeros((0, len(RISES_MIN))), *(traces.rise_m(track) for track in listed)])
    flood = np.repeat(np.array(chosen, np.int64), sizes)
    return Kind(
        TIDE_TUNING if tidal else RAIN_TUNING, len(chosen), tree, rise, moments.rate_m_10min, flood,
        np.concatenate([np.zeros(0, np.int64), *rows]),
        counts_for_age(floats([track.started_at_s for track in tracks]))[flood],
    )  # fmt: skip


def _own(floods: Sequence[Sequence[Track]]) -> OwnFloods:
    count = np.array([len(of) for of in floods], np.int64)
    listed = [track for of in floods for track in of]
    sizes = np.array([track.time_s.size for track in listed], np.int64)
    keys = [k * STRIDE_M + track.peak_so_far_m for k, track in enumerate(listed)]
    none: list[FloatArray] = [np.zeros(0)]
    return OwnFloods(
        np.cumsum(count) - count, count, floats([track.peak_m for track in listed]),
        np.concatenate(none + keys), np.concatenate(none + [track.rise_m_10min[620.0] for track in listed]),
        np.cumsum(sizes),
    )  # fmt: skip
