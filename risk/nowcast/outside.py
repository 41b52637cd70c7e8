"""Nowcast of the outside level at many sensors, learning from floods as they finish, in wall-clock order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from risk.hydraulics.arrays import FloatArray, floats
from risk.nowcast.analogues import RAIN_TUNING, TIDE_TUNING, FinishedFlood, Library, Member, Tuning, remember
from risk.nowcast.moments import Moments, describe
from risk.nowcast.surroundings import look_around
from risk.nowcast.tide import TideClock, fit_tide_clock
from risk.nowcast.track import Track
from risk.nowcast.trend import RAIN_COEFFICIENTS, TIDE_COEFFICIENTS, refit, trend_probability, trend_terms

DAY_S = 86400.0
OVERLAP_S = 10 * 3600.0
"""Tracks that started this long before another may still say something about it. [s]"""
REFIT_EVERY_S = 30 * DAY_S


@dataclass(frozen=True, slots=True)
class Target:
    """What is forecast: that the depth reaches a threshold within a horizon."""

    threshold_m: float
    horizon_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """Forecast along one track.

    Attributes
    ----------
    track : Track
        The wet spell.
    probability : ndarray
        At each sample, that the threshold is reached within the horizon; 1 from the crossing on.
    """

    track: Track
    probability: FloatArray


@dataclass(slots=True, eq=False)
class _Kind:
    """What is learned about one kind of site."""

    tuning: Tuning
    library: Library
    coefficients: FloatArray
    held_to: FloatArray
    terms: list[FloatArray]
    crossed: list[FloatArray]
    floods: list[FinishedFlood]
    refitted_at_s: float = -np.inf
    fresh: int = 0


class OutsideNowcast:
    """Forecasts tracks in the order in which they started; each from what was known at that sample.

    A track's own samples count up to the sample; other sensors' samples up to the same moment; finished floods from
    the day after their end (the site's own from their end).
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._clock: TideClock | None = None
        self._finished: list[Track] = []
        self._own: dict[str, list[Track]] = {}
        self._kinds = {
            True: _Kind(TIDE_TUNING, Library((), TIDE_TUNING), *_start(TIDE_COEFFICIENTS), [], [], []),
            False: _Kind(RAIN_TUNING, Library((), RAIN_TUNING), *_start(RAIN_COEFFICIENTS), [], [], []),
        }

    def run(self, tracks: Sequence[Track]) -> Iterator[Forecast]:
        """Yield the forecasts of the tracks, sorted by start and sensor."""
        ordered = sorted(tracks, key=lambda track: (track.started_at_s, track.sensor_id))
        ending = sorted(range(len(ordered)), key=lambda k: (ordered[k].ended_at_s, ordered[k].sensor_id, k))
        starts = np.array([track.started_at_s for track in ordered])
        learned: dict[int, tuple[Track, Moments, FloatArray]] = {}
        remembered = taught = 0
        day_end_s = -np.inf
        for k, track in enumerate(ordered):
            while remembered < len(ending) and ordered[ending[remembered]].ended_at_s <= track.started_at_s:
                past = ordered[ending[remembered]]
                self._own.setdefault(past.sensor_id, []).append(past)
                remembered += 1
            if track.started_at_s >= day_end_s:
                day_start_s = np.floor(track.started_at_s / DAY_S) * DAY_S
                day_end_s = day_start_s + DAY_S
                while taught < len(ending) and ordered[ending[taught]].ended_at_s <= day_start_s:
                    self._take(*learned.pop(ending[taught]))
                    taught += 1
                self._learn(day_start_s)
            lo = int(np.searchsorted(starts, track.started_at_s - OVERLAP_S))
            hi = int(np.searchsorted(starts, track.ended_at_s, side="right"))
            around = look_around(track, self._own.get(track.sensor_id, ()), ordered[lo:hi], self._target.threshold_m)
            phase = None if self._clock is None or not track.tidal else self._clock.to_high_water_rad(track)
            moments = describe(track, around, phase)
            terms = trend_terms(track, moments, around, self._target.threshold_m, self._target.horizon_s)
            yield Forecast(track, self._probability(track, moments, terms))
            learned[k] = (track, moments, terms)

    def members(self, track: Track, moments: Moments, row: int) -> list[Member]:
        """Return the analogues behind a forecast, heaviest first."""
        return self._kinds[track.tidal].library.members(track, moments, row)

    def _probability(self, track: Track, moments: Moments, terms: FloatArray) -> FloatArray:
        kind = self._kinds[track.tidal]
        before = track.before_crossing(self._target.threshold_m)
        probability = np.where(before, 0.0, 1.0)
        rows = np.nonzero(before & moments.judged)[0].astype(np.int64)
        trend = trend_probability(terms[rows], kind.coefficients)
        missing = self._target.threshold_m - track.depth_m[rows]
        probability[rows] = kind.library.probability(moments, rows, missing, trend)
        return floats(probability)

    def _take(self, track: Track, moments: Moments, terms: FloatArray) -> None:
        """Remember a flood that has ended."""
        kind = self._kinds[track.tidal]
        self._finished.append(track)
        kind.floods.append(remember(track, moments, self._target.horizon_s, kind.tuning))
        kind.fresh += 1
        left_s = track.crossing_s(self._target.threshold_m) - track.time_s
        rows = track.before_crossing(self._target.threshold_m) & moments.judged
        kind.terms.append(terms[rows])
        kind.crossed.append((left_s[rows] <= self._target.horizon_s).astype(np.float64))

    def _learn(self, now_s: float) -> None:
        """Bring what is learned up to the floods remembered."""
        if self._kinds[True].fresh:
            self._clock = fit_tide_clock(self._finished)
        for kind in self._kinds.values():
            if not kind.fresh:
                continue
            kind.library = Library(kind.floods, kind.tuning)
            if now_s - kind.refitted_at_s >= REFIT_EVERY_S:
                terms, crossed = np.concatenate(kind.terms), np.concatenate(kind.crossed)
                kind.coefficients = refit(terms, crossed, kind.coefficients, kind.held_to)
                kind.refitted_at_s = now_s
            kind.fresh = 0


def _start(coefficients: Sequence[float]) -> tuple[FloatArray, FloatArray]:
    return floats(coefficients), floats(coefficients)
