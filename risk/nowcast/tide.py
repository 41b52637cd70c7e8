"""A tide clock learned from finished floods: when the next high water comes to a site.

The moment of high water is the principal lunar tide (12.42 h) with small corrections for the other constituents, so
the phase of the lunar tide at the observed peaks is regressed on the phase differences to them; each site has its own
delay. Nothing but the times of past peaks goes in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from risk.hydraulics.arrays import FloatArray, floats
from risk.nowcast.track import Track

_HOUR_S = 3600.0
LUNAR_RAD_S = 2.0 * np.pi / (12.4206012 * _HOUR_S)
"""Speed of the principal lunar constituent M2, period 12.4206 h. [rad/s]"""
_OTHERS_RAD_S = tuple(2.0 * np.pi / (hours * _HOUR_S) for hours in (12.0, 12.65834751, 23.93447213, 25.81933871))
"""S2, N2, K1 and O1."""
LEAST_PEAKS = 12
"""Finished tidal floods below which there is no clock."""
LEAST_PEAK_M = 0.05
_OUTLIER_RAD = 0.25
"""Half weight of a peak that comes this far off (30 min): rain moves peaks. [rad]"""
_ROUNDS = 8
_NEAR_KM = 3.0


@dataclass(frozen=True, slots=True)
class _Delay:
    """Phase of the lunar tide at the peaks of one site, and from how many."""

    phase_rad: float
    peaks: int
    x_km: float
    y_km: float


@dataclass(frozen=True)
class TideClock:
    """Corrections shared by the network, and the delay of each site."""

    corrections: FloatArray
    delays: Mapping[str, _Delay]

    def to_high_water_rad(self, track: Track) -> FloatArray:
        """Return the lunar phase left until high water at each sample, -pi to pi, negative after it.

        A site with few peaks of its own borrows from its neighbours.
        """
        return self.left_rad(track.at_s, self.phase_rad(track.sensor_id, track.x_km, track.y_km))

    def left_rad(self, at_s: FloatArray, phase_rad: float | FloatArray) -> FloatArray:
        """Return the lunar phase left until high water at some times where its phase at high water is this."""
        at = at_s
        peak, left = at, np.zeros(at.shape)
        for _ in range(3):
            corrected = (_differences(peak) * self.corrections).sum(axis=1)
            left = _wrap(phase_rad + corrected - LUNAR_RAD_S * at)
            peak = at + left / LUNAR_RAD_S
        return floats(left)

    def phase_rad(self, sensor_id: str, x_km: float, y_km: float) -> float:
        """Return the phase of the lunar tide at high water of a site."""
        phase, peaks, x, y = self._table
        near = np.exp(-np.hypot(x - x_km, y - y_km) / _NEAR_KM)
        weight = np.where(np.isnan(near), 0.0, 0.3 * np.minimum(peaks, 5.0) * near)
        at = self._row.get(sensor_id)
        if at is not None:  # its own peaks count in full
            weight[at] = 3.0 * peaks[at]
        return float(np.angle(sum((weight * np.exp(1j * phase)).tolist(), 0.0j)))

    @cached_property
    def _row(self) -> Mapping[str, int]:
        return {name: row for row, name in enumerate(self.delays)}

    @cached_property
    def _table(self) -> FloatArray:
        """Phase, peaks, east and north of the sites, a row each."""
        return floats([[one.phase_rad, one.peaks, one.x_km, one.y_km] for one in self.delays.values()]).reshape(-1, 4).T


def fit_tide_clock(finished: Sequence[Track]) -> TideClock | None:
    """Return the clock learned from finished floods, or None while there are too few tidal ones."""
    used = [track for track in finished if track.tidal and track.peak_m > LEAST_PEAK_M]
    if len(used) < LEAST_PEAKS:
        return None
    peak_at_s = np.array([track.peak_at_s() for track in used])
    sensor_ids, site, count = np.unique([track.sensor_id for track in used], return_inverse=True, return_counts=True)
    basis, phase = _differences(peak_at_s), LUNAR_RAD_S * peak_at_s
    corrections, base = np.zeros(basis.shape[1]), 1.0 / np.sqrt(count[site])
    weight = base
    for _ in range(_ROUNDS):
        turned = weight * np.exp(1j * (phase - basis @ corrections))
        delay = np.angle(np.bincount(site, turned.real) + 1j * np.bincount(site, turned.imag))
        residual = _wrap(phase - delay[site] - basis @ corrections)
        weight = base / (1.0 + (residual / _OUTLIER_RAD) ** 2)
        normal = basis.T @ (basis * weight[:, None]) + np.eye(basis.shape[1])
        corrections = corrections + np.linalg.solve(normal, basis.T @ (weight * residual))
    place = {track.sensor_id: track for track in used}
    delays = {
        str(name): _Delay(float(delay[k]), int(count[k]), place[str(name)].x_km, place[str(name)].y_km)
        for k, name in enumerate(sensor_ids)
    }
    return TideClock(corrections, delays)


def _wrap(angle_rad: FloatArray) -> FloatArray:
    """Return the angle between -pi and pi."""
    return floats(np.angle(np.exp(1j * angle_rad)))


def _differences(at_s: FloatArray) -> FloatArray:
    """Sine and cosine of the phase differences of the other constituents to the lunar tide."""
    columns = []
    for speed in _OTHERS_RAD_S:
        angle = (speed - LUNAR_RAD_S) * at_s
        columns += [np.sin(angle), np.cos(angle)]
    return np.stack(columns, axis=-1)


def tidal_rise_m(rise_m_s: FloatArray, to_high_water_rad: FloatArray) -> FloatArray:
    """Return how far a tide that rises at this rate still rises: ``s / w * tan(phase / 2)``.

    Parameters
    ----------
    rise_m_s : ndarray
        Present rate of rise; a falling tide adds nothing. [m/s]
    to_high_water_rad : ndarray
        Lunar phase left until high water; after it nothing is added. NaN: unknown, and so is the rise. [rad]

    Returns
    -------
    ndarray
        Rise until high water. [m]

    Notes
    -----
    Level = mean + A cos(phase): the rate is A w sin(phase) and the rise still to come A (1 - cos(phase)); their ratio
    is tan(phase / 2) / w. The phase is taken as at most 1.3 rad (2.6 h), beyond which a street is not yet wet.

    By hand: 0.05 m per 10 min, 1 h before high water: w = 1.405e-4 rad/s, phase 0.506 rad, tan(0.253) = 0.2585:
    8.33e-5 / 1.405e-4 * 0.2585 = 0.153 m.
    """
    phase = np.clip(to_high_water_rad, 0.0, 1.3)
    return floats(np.maximum(rise_m_s, 0.0) / LUNAR_RAD_S * np.tan(phase / 2.0))
