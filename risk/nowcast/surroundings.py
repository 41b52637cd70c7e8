"""What a site's own past and the sensors around it say at each sample of a wet spell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from risk.hydraulics.arrays import FloatArray, floats
from risk.nowcast.track import Track

MEMORY_TRACKS = 40
"""Most recent finished floods of the site that are compared."""
FRESH_S = 3600.0
"""A neighbour's flood counts until this long after it ended. [s]"""
NEAR_KM = 6.0
"""Neighbours whose depth is taken as it is. [km]"""
FADE_KM = 4.0
"""Distance over which a neighbour's say falls to 1/e. [km]"""


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """In each row of a track (or of many sensors at one moment), from what had happened elsewhere and before.

    Attributes
    ----------
    site_mean_peak_m : float or ndarray
        Mean peak of the site's finished floods, drawn towards 0.1 m with the weight of three. [m]
    site_rise_m : ndarray
        How far the site's past floods went on rising from the same depth at a like rate; NaN without one. [m]
    crossed : ndarray
        Other sites of the same kind whose wet spell has passed the threshold.
    nearness : ndarray
        Wet sites of the same kind, each weighted by exp(-distance / 4 km).
    near_peak_m : ndarray
        Highest depth so far within 6 km. [m]
    """

    site_mean_peak_m: float | FloatArray
    site_rise_m: FloatArray
    crossed: FloatArray
    nearness: FloatArray
    near_peak_m: FloatArray


def look_around(track: Track, own_past: Sequence[Track], others: Sequence[Track], threshold_m: float) -> Surroundings:
    """Return the surroundings of a track.

    Parameters
    ----------
    track : Track
        The wet spell.
    own_past : sequence of Track
        Finished floods of the same sensor, oldest first; all ended before the track started.
    others : sequence of Track
        Tracks of other sensors that may overlap; only their samples up to each moment are used.
    threshold_m : float
        Depth that counts as crossed. [m]
    """
    size = track.time_s.size
    crossed, nearness, near_peak = np.zeros(size), np.zeros(size), np.zeros(size)
    for other in others:
        if other.sensor_id == track.sensor_id or other.tidal != track.tidal:
            continue
        last = np.searchsorted(other.at_s, track.at_s, side="right") - 1
        wet = (last >= 0) & (track.at_s - other.ended_at_s < FRESH_S)
        if not wet.any():
            continue
        peak = np.where(wet, other.peak_so_far_m[np.maximum(last, 0)], 0.0)
        distance_km = float(np.hypot(other.x_km - track.x_km, other.y_km - track.y_km))
        crossed += wet & (peak >= threshold_m)
        if np.isfinite(distance_km):
            nearness += wet * np.exp(-distance_km / FADE_KM)
            if distance_km < NEAR_KM:
                near_peak = np.maximum(near_peak, peak)
    peaks = [past.peak_m for past in own_past]
    mean_peak = (sum(peaks) + 3 * 0.1) / (len(peaks) + 3)
    return Surroundings(mean_peak, _site_rise_m(track, own_past[-MEMORY_TRACKS:]), crossed, nearness, near_peak)


def _site_rise_m(track: Track, own_past: Sequence[Track]) -> FloatArray:
    """Weighted mean of what the site's past floods still rose, weights by likeness of the rate of rise."""
    rate, peak = track.rise_m_10min[620.0], track.peak_so_far_m
    total, weights = np.zeros(rate.size), np.zeros(rate.size)
    for past in own_past:
        at = np.searchsorted(past.peak_so_far_m, peak)
        reached = at < past.time_s.size
        past_rate = past.rise_m_10min[620.0][np.minimum(at, past.time_s.size - 1)]
        weight = rate_likeness(past_rate, rate) * reached
        total += weight * (past.peak_m - peak)
        weights += weight
    return floats(np.where(weights > 0.2, total / np.maximum(weights, 1e-9), np.nan))


def rate_likeness(past_rate: FloatArray, rate: FloatArray) -> FloatArray:
    """Return how much alike two rates of rise are, 0 to 1. [m per 10 min]

    By hand: 3.35 and 1 cm per 10 min: the scale is 0.01 + 0.0035 = 0.0135, exp(-(0.0235 / 0.0135)² / 2) = 0.22.
    """
    return floats(np.exp(-0.5 * ((past_rate - rate) / (0.01 + 0.35 * np.abs(rate))) ** 2))
