"""Analogue ensemble: the members are moments of finished floods that looked like this one; each says what came next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from risk.hydraulics.arrays import FloatArray, floats
from risk.nowcast.moments import Moments
from risk.nowcast.track import Track

IntArray = NDArray[np.int64]

RATE_OFFSET_M_10MIN = 0.02
"""Rain floods: a member's rise is scaled with the rates of rise plus this. [m per 10 min]"""


@dataclass(frozen=True, slots=True)
class Tuning:
    """How the ensemble is drawn.

    Attributes
    ----------
    members : int
        Most members.
    width_rank : int
        The kernel is as wide as the distance to the member of this rank, times 0.8.
    trend_members : float
        Weight of the trend's estimate, in members.
    least_depth_m : float
        Moments below this depth are not kept. [m]
    every_s : float
        At most one moment of a flood per this time is kept; 0 keeps all. [s]
    scale_with_rate : bool
        Whether a member's rise is scaled to the present rate of rise.
    """

    members: int
    width_rank: int
    trend_members: float
    least_depth_m: float
    every_s: float
    scale_with_rate: bool


TIDE_TUNING = Tuning(120, 30, 3.0, 0.015, 120.0, scale_with_rate=False)
RAIN_TUNING = Tuning(60, 15, 30.0, -np.inf, 0.0, scale_with_rate=True)
WIDTH_LIMITS = (0.15, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class FinishedFlood:
    """The moments of a finished flood worth remembering and, now that it is over, what followed each of them.

    Attributes
    ----------
    track : Track
        The flood.
    sample : ndarray
        Samples that are kept.
    coordinates, rate_m_10min, rise_ahead_m : ndarray
        Their states, rates of rise [m per 10 min] and rise within the horizon [m].
    """

    track: Track
    sample: IntArray
    coordinates: FloatArray
    rate_m_10min: FloatArray
    rise_ahead_m: FloatArray


def remember(track: Track, moments: Moments, horizon_s: float, tuning: Tuning) -> FinishedFlood:
    """Return what is kept of a flood that has ended."""
    rows = kept_samples(track, tuning)
    rise = track.rise_ahead_m(horizon_s)[rows]
    return FinishedFlood(track, rows, moments.coordinates[rows], moments.rate_m_10min[rows], rise)


def kept_samples(track: Track, tuning: Tuning) -> IntArray:
    """Return the samples of a flood that are worth remembering."""
    keep = track.depth_m > tuning.least_depth_m
    if tuning.every_s > 0.0:
        _, first = np.unique(np.floor(track.time_s / tuning.every_s), return_index=True)
        thinned = np.zeros(keep.shape, dtype=bool)
        thinned[first] = True
        keep &= thinned
    return np.nonzero(keep)[0].astype(np.int64)


def weights(distance: FloatArray, tuning: Tuning) -> FloatArray:
    """Return how much each member counts, a row per state, from its distance; nearest first."""
    rank = min(tuning.width_rank, distance.shape[1] - 1)
    width = 0.8 * np.clip(distance[:, [rank]], *WIDTH_LIMITS)
    return floats(np.exp(-0.5 * (distance / width) ** 2))


def rate_scale(rate_m_10min: FloatArray, past_m_10min: FloatArray) -> FloatArray:
    """Return what the rises of members are scaled with, a row per state, from the rates of rise. [m per 10 min]"""
    return floats((rate_m_10min[:, None] + RATE_OFFSET_M_10MIN) / (past_m_10min + RATE_OFFSET_M_10MIN))


@dataclass(frozen=True, slots=True)
class Member:
    """One analogue: where and when it was, how much it counts, and the depth it foresees."""

    sensor_id: str
    started_at_s: float
    time_s: float
    weight: float
    foreseen_m: float


class Library:
    """Moments of finished floods of one kind of site, searchable by likeness."""

    def __init__(self, floods: Sequence[FinishedFlood], tuning: Tuning) -> None:
        self._floods, self._tuning = tuple(floods), tuning
        self._flood = np.repeat(np.arange(len(floods)), [flood.sample.size for flood in floods])
        self.size = int(self._flood.size)
        if self.size:
            self._sample = np.concatenate([flood.sample for flood in floods])
            self._tree = cKDTree(np.concatenate([flood.coordinates for flood in floods]), balanced_tree=False)
            self._rise = np.concatenate([flood.rise_ahead_m for flood in floods])
            self._rate = np.concatenate([flood.rate_m_10min for flood in floods])

    def _draw(self, coordinates: FloatArray, rate: FloatArray) -> tuple[IntArray, FloatArray, FloatArray]:
        """Members, their weights and the rise that each foresees, a row per state."""
        count = min(self._tuning.members, self.size)
        distance, member = self._tree.query(coordinates, k=np.arange(1, count + 1))
        weight = weights(distance, self._tuning)
        rise = self._rise[member]
        if self._tuning.scale_with_rate:
            rise = rise * rate_scale(rate, self._rate[member])
        return member, weight, rise

    def probability(self, moments: Moments, rows: IntArray, missing_m: FloatArray, trend: FloatArray) -> FloatArray:
        """Return the share of members, the trend's estimate among them, that make up the missing depth.

        Parameters
        ----------
        moments : Moments
            States of the track.
        rows : ndarray
            Samples asked for.
        missing_m : ndarray
            Depth that is missing at those samples. [m]
        trend : ndarray
            The trend's probability at those samples, counted as ``trend_members`` members.
        """
        if not self.size or not rows.size:
            return trend
        _, weight, rise = self._draw(moments.coordinates[rows], moments.rate_m_10min[rows])
        hits = (weight * (rise >= missing_m[:, None])).sum(axis=1)
        return floats((hits + self._tuning.trend_members * trend) / (weight.sum(axis=1) + self._tuning.trend_members))

    def members(self, track: Track, moments: Moments, row: int) -> list[Member]:
        """Return the members behind the forecast at one sample, heaviest first."""
        if not self.size:
            return []
        member, weight, rise = self._draw(moments.coordinates[[row]], moments.rate_m_10min[[row]])
        found = []
        for k, share, up in zip(member[0], weight[0] / weight[0].sum(), rise[0], strict=True):
            past = self._floods[int(self._flood[k])].track
            at_s = float(past.time_s[self._sample[k]])
            depth_m = float(track.depth_m[row] + up)
            found.append(Member(past.sensor_id, past.started_at_s, at_s, float(share), depth_m))
        return sorted(found, key=lambda one: (-one.weight, one.sensor_id, one.started_at_s, one.time_s))
