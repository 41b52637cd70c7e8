"""Simple alarms to be compared with: a fraction of the threshold, and a straight line through the recent depths."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from risk.hydraulics.arrays import FloatArray, floats
from risk.nowcast.track import Track, window_slope

FRACTIONS = tuple(percent / 100.0 for percent in range(15, 100, 5))
WINDOWS_S = (180.0, 300.0, 600.0, 900.0, 1200.0)
HORIZONS_S = (300.0, 450.0, 600.0, 750.0, 900.0, 1200.0, 1500.0, 1800.0, 2400.0, 3000.0)
LEAST_DEPTH_M = 0.025
"""Below this the line is not trusted. [m]"""
IN_A_ROW = 2
"""Samples in a row that must agree."""


@dataclass(frozen=True, slots=True)
class SimpleAlarm:
    """One simple alarm: its name, and its first alarm at each event in seconds after the start, NaN for never."""

    name: str
    alarm_s: FloatArray


def fraction_alarm_s(track: Track, threshold_m: float, fraction: float) -> float:
    """Return the first time at which the depth reaches a fraction of the threshold; NaN when never. [s]"""
    return track.crossing_s(threshold_m * fraction)


def trend_alarm_s(track: Track, threshold_m: float, need_s: FloatArray, horizon_s: float) -> float:
    """Return the first time at which the line reaches the threshold within the horizon, twice in a row. [s]

    A sample at the threshold itself alarms at once. ``need_s`` is `time_needed_s` of the window.
    """
    soon = need_s <= horizon_s
    agreed = soon.copy()
    for back in range(1, IN_A_ROW):
        agreed[back:] &= soon[:-back]
        agreed[:back] = False
    hits = np.nonzero(agreed | (track.depth_m >= threshold_m))[0]
    return float(track.time_s[hits[0]]) if hits.size else math.nan


def time_needed_s(track: Track, threshold_m: float, window_s: float) -> FloatArray:
    """Return the time that the line through the last window needs to the threshold; infinite when it does not. [s]"""
    slope = window_slope(track.time_s, track.depth_m, window_s)
    usable = (slope > 0.0) & (track.depth_m >= LEAST_DEPTH_M)
    missing = threshold_m - track.depth_m
    return floats(np.divide(missing, slope, out=np.full(slope.shape, np.inf), where=usable))


def simple_alarms(tracks: Sequence[Track], threshold_m: float) -> Iterator[SimpleAlarm]:
    """Yield every simple alarm over the tracks."""
    for fraction in FRACTIONS:
        alarm = np.array([fraction_alarm_s(track, threshold_m, fraction) for track in tracks])
        yield SimpleAlarm(f"{100 * fraction:.0f} % of threshold", alarm)
    for window_s in WINDOWS_S:
        need = [time_needed_s(track, threshold_m, window_s) for track in tracks]
        for horizon_s in HORIZONS_S:
            pairs = zip(tracks, need, strict=True)
            alarm = np.array([trend_alarm_s(track, threshold_m, needed, horizon_s) for track, needed in pairs])
            yield SimpleAlarm(f"trend {window_s:.0f} s, horizon {horizon_s:.0f} s", alarm)
