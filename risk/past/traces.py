"""Past floods as tracks, with what was around each then: made once, for however many libraries they are in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from risk.arrays import FloatArray, IntArray
from risk.hydraulics.arrays import floats
from risk.nowcast.analogues import RAIN_TUNING, TIDE_TUNING, kept_samples
from risk.nowcast.surroundings import Surroundings, look_around
from risk.nowcast.track import RISE_WINDOWS_S, Track
from risk.past.library import PastFlood, PastSensor, track_of

AHEAD_MIN = (5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0)
"""Times ahead of now that a library speaks of. [min]"""
OLDEST_MIN = 5.0
"""A newest sample that is older counts as this old: what is missing since then is silence, not time. [min]"""
RISES_MIN = (*AHEAD_MIN, AHEAD_MIN[-1] + OLDEST_MIN)
"""Times after a sample at which it is told how far a flood rose: the newest sample is older than now. [min]"""
CROSSED_M = 0.15
"""Depth at which a neighbour's flood counts as high, orange on a road. [m]"""

Around = tuple[Track, tuple[Track, ...], tuple[Track, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Traces:
    """Tracks of floods and their surroundings, each made at its first use. A track is known by being the same one."""

    _track: dict[tuple[PastFlood, PastSensor], Track] = field(default_factory=dict)
    _around: dict[Around, Surroundings] = field(default_factory=dict)
    _sample: dict[Track, IntArray] = field(default_factory=dict)
    _rise_m: dict[Track, FloatArray] = field(default_factory=dict)

    def track(self, flood: PastFlood, sensor: PastSensor) -> Track:
        """Return a flood as a track."""
        key = flood, sensor
        if key not in self._track:
            self._track[key] = track_of(flood, sensor)
        return self._track[key]

    def around(self, track: Track, past: Sequence[Track], others: Sequence[Track]) -> Surroundings:
        """Return the surroundings of a track, see `risk.nowcast.surroundings.look_around`."""
        key = track, tuple(past), tuple(others)
        if key not in self._around:
            self._around[key] = look_around(track, past, others, CROSSED_M)
        return self._around[key]

    def sample(self, track: Track) -> IntArray:
        """Return the samples of a track that are kept."""
        if track not in self._sample:
            self._sample[track] = kept_samples(track, TIDE_TUNING if track.tidal else RAIN_TUNING)
        return self._sample[track]

    def rise_m(self, track: Track) -> FloatArray:
        """Return how far the water rose within each of `RISES_MIN` of each kept sample. [m]"""
        if track not in self._rise_m:
            rows = self.sample(track)
            rises = [track.rise_ahead_m(60.0 * ahead)[rows] for ahead in RISES_MIN]
            self._rise_m[track] = floats(np.stack(rises, axis=1))
        return self._rise_m[track]


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """The kept samples of floods of one kind, end to end; see `risk.nowcast.track.Seen`."""

    time_s: FloatArray
    depth_m: FloatArray
    peak_so_far_m: FloatArray
    rise_m_10min: Mapping[float, FloatArray]
    tidal: bool


def kept(tracks: Sequence[Track], rows: Sequence[IntArray], *, tidal: bool) -> Kept:
    """Return some samples of tracks as they were seen then."""
    return Kept(
        joined([track.time_s for track in tracks], rows),
        joined([track.depth_m for track in tracks], rows),
        joined([track.peak_so_far_m for track in tracks], rows),
        {window: joined([track.rise_m_10min[window] for track in tracks], rows) for window in RISE_WINDOWS_S},
        tidal,
    )


def kept_around(around: Sequence[Surroundings], rows: Sequence[IntArray]) -> Surroundings:
    """Return what was around the same samples."""
    mean = [np.full(of.size, one.site_mean_peak_m) for one, of in zip(around, rows, strict=True)]
    names = ("site_rise_m", "crossed", "nearness", "near_peak_m")
    return Surroundings(end_to_end(mean), *(joined([getattr(one, name) for one in around], rows) for name in names))


def joined(values: Sequence[FloatArray], rows: Sequence[IntArray]) -> FloatArray:
    """Return some rows of arrays, end to end."""
    return end_to_end([of[chosen] for of, chosen in zip(values, rows, strict=True)])


def end_to_end(arrays: Sequence[FloatArray]) -> FloatArray:
    """Return arrays end to end; nothing of none."""
    return floats(np.concatenate(arrays)) if arrays else np.zeros(0)
