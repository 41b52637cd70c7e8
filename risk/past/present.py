"""What the engine's memory tells of wet sensors at one moment, in the form in which past floods are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from risk.arrays import NEVER_US, BoolArray, FloatArray, IntArray
from risk.hydraulics.arrays import floats
from risk.nowcast.moments import Moments, describe
from risk.nowcast.surroundings import FADE_KM, FRESH_S, NEAR_KM, Surroundings
from risk.nowcast.track import RISE_WINDOWS_S
from risk.past.known import Known
from risk.past.traces import CROSSED_M

NEIGHBOURS = 256
"""Wet sensors that speak for a basin: the deepest."""


@dataclass(frozen=True, slots=True, eq=False)
class Wet:
    """Wet spells that run, a row per sensor, as the engine's memory has them.

    Attributes
    ----------
    row : ndarray, shape (W,)
        Of the sensor in the library.
    basin : ndarray, shape (W,)
        Where it is.
    at_us, depth_m : ndarray, shape (W, slots)
        Good samples, newest last, `NEVER_US` for none. [µs since 1970], [m]
    spell_us, wet_us : ndarray, shape (W,)
        When the spell began, and its newest sample of 1 cm. [µs since 1970]
    peak_m : ndarray, shape (W,)
        Greatest depth of the spell so far. [m]
    """

    row: IntArray
    basin: IntArray
    at_us: IntArray
    depth_m: FloatArray
    spell_us: IntArray
    wet_us: IntArray
    peak_m: FloatArray

    def part(self, chosen: IntArray | BoolArray) -> Wet:
        """Return some of the sensors."""
        return Wet(*(getattr(self, name)[chosen] for name in self.__slots__))


@dataclass(frozen=True, slots=True, eq=False)
class Present:
    """One moment of many sensors of one kind, a row each; see `risk.nowcast.track.Seen`."""

    time_s: FloatArray
    depth_m: FloatArray
    peak_so_far_m: FloatArray
    rise_m_10min: Mapping[float, FloatArray]
    tidal: bool


def present(wet: Wet, *, tidal: bool) -> Present:
    """Return what is seen of wet sensors at their newest samples."""
    newest = wet.at_us[:, -1:]
    valid = (wet.at_us != NEVER_US) & (wet.at_us >= wet.spell_us[:, None])
    valid[:, -1] = True
    since_s = np.where(valid, (wet.at_us - newest) / 1e6, 0.0)
    depth = np.where(valid, wet.depth_m, 0.0)
    rises = {
        window: 600.0 * _slope_m_s(since_s, depth, valid & (since_s >= -window - 1e-9)) for window in RISE_WINDOWS_S
    }
    age_s = floats((newest[:, 0] - wet.spell_us) / 1e6)
    peak = np.maximum(wet.peak_m, depth[:, -1])
    return Present(np.maximum(age_s, 0.0), floats(depth[:, -1]), floats(peak), MappingProxyType(rises), tidal)


def _slope_m_s(time_s: FloatArray, depth_m: FloatArray, use: BoolArray) -> FloatArray:
    """Return the least-squares slope of the samples in use, a row each; 0 with one alone. [m/s]"""
    n = np.maximum(use.sum(axis=1), 1)[:, None]
    t = np.where(use, time_s, 0.0)
    d = np.where(use, depth_m, 0.0)
    t = np.where(use, t - t.sum(axis=1, keepdims=True) / n, 0.0)
    d = np.where(use, d - d.sum(axis=1, keepdims=True) / n, 0.0)
    spread = (t * t).sum(axis=1)
    return floats(np.where(spread > 1e-6, (t * d).sum(axis=1) / np.maximum(spread, 1e-6), 0.0))


def described(known: Known, now: Present, wet: Wet, others: Wet, at_us: int) -> tuple[Moments, Surroundings]:
    """Return the states of wet sensors of one kind, from their own past and from the others of the kind."""
    around = _around(known, now, wet, others, at_us)
    phase = None
    if now.tidal and known.clock is not None:
        phase = known.clock.left_rad(floats(wet.at_us[:, -1] / 1e6), known.phase_rad[wet.row])
    return describe(now, around, phase), around


def _around(known: Known, now: Present, wet: Wet, others: Wet, at_us: int) -> Surroundings:
    """Return what their own past and the wet neighbours of the same basin say, see `risk.nowcast.surroundings`."""
    size = wet.row.size
    crossed, nearness, near_peak = np.zeros(size), np.zeros(size), np.zeros(size)
    rise = known.site_rise_m(wet.row, now.peak_so_far_m, now.rise_m_10min[620.0])
    if not now.tidal:
        fresh = others.part(at_us - others.wet_us < FRESH_S * 1e6)
        spoken = _deepest_of_basins(fresh)
        for basin, mine in _by_basin(wet.basin):
            near = spoken.get(basin, _NONE)
            other, peak = fresh.row[near], fresh.peak_m[near]
            own = wet.row[mine]
            elsewhere = own[:, None] != other
            crossed[mine] = (elsewhere & (peak >= CROSSED_M)).sum(axis=1)
            distance_km = np.hypot(
                known.x_km[own][:, None] - known.x_km[other], known.y_km[own][:, None] - known.y_km[other]
            )
            distance_km = np.where(elsewhere & ~np.isnan(distance_km), distance_km, np.inf)
            nearness[mine] = np.exp(distance_km / -FADE_KM).sum(axis=1)
            near_peak[mine] = np.where(distance_km < NEAR_KM, peak, 0.0).max(axis=1, initial=0.0)
    return Surroundings(known.mean_peak_m[wet.row], rise, crossed, nearness, near_peak)


_NONE = np.zeros(0, np.int64)


def _by_basin(basin: IntArray) -> Iterator[tuple[int, IntArray]]:
    """Yield each basin with the rows in it."""
    order = np.argsort(basin, kind="stable")
    names, first = np.unique(basin[order], return_index=True)
    yield from zip(names.tolist(), np.split(order, first[1:]), strict=True)


def _deepest_of_basins(fresh: Wet) -> dict[int, IntArray]:
    """Return the wet sensors that speak for each basin."""
    if not fresh.row.size:
        return {}
    order = np.lexsort((fresh.row, -fresh.peak_m))
    return {basin: order[rows][:NEIGHBOURS] for basin, rows in _by_basin(fresh.basin[order])}
