"""A wet spell at one outside sensor, with what can be said at each of its samples from the samples so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

import numpy as np

from risk.hydraulics.arrays import BoolArray, FloatArray, floats

RISE_WINDOWS_S = (200.0, 320.0, 620.0, 920.0, 1820.0)
"""Windows of the recent rise. [s]"""


class Seen(Protocol):
    """What is seen of wet spells, a row each: the samples of one track, or one moment of many sensors.

    Fields as those of `Track`.
    """

    @property
    def time_s(self) -> FloatArray: ...  # noqa: D102

    @property
    def depth_m(self) -> FloatArray: ...  # noqa: D102

    @property
    def peak_so_far_m(self) -> FloatArray: ...  # noqa: D102

    @property
    def rise_m_10min(self) -> Mapping[float, FloatArray]: ...  # noqa: D102

    @property
    def tidal(self) -> bool: ...  # noqa: D102


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """Depth over the roadway at one sensor from the first wet sample on.

    Attributes
    ----------
    sensor_id : str
        The sensor.
    started_at_s : float
        First moment on one clock shared by all tracks. [s]
    time_s : ndarray
        Seconds after the start, never falling. [s]
    depth_m : ndarray
        Depth over the roadway, finite. [m]
    x_km, y_km : float
        Place, east and north; NaN where it is unknown. [km]
    tidal : bool
        Whether the site floods with the tide.
    at_s, peak_so_far_m : ndarray
        Time on the shared clock [s] and running maximum of the depth [m], made from the above.
    rise_m_10min : mapping
        Least-squares slope over each window of `RISE_WINDOWS_S` up to the sample. [m per 10 min]
    """

    sensor_id: str
    started_at_s: float
    time_s: FloatArray
    depth_m: FloatArray
    x_km: float
    y_km: float
    tidal: bool
    at_s: FloatArray = field(init=False)
    peak_so_far_m: FloatArray = field(init=False)
    rise_m_10min: Mapping[float, FloatArray] = field(init=False)

    def __post_init__(self) -> None:
        time, depth = floats(self.time_s), floats(self.depth_m)
        if time.ndim != 1 or time.shape != depth.shape or time.size == 0:
            raise ValueError("time_s and depth_m must be two rows of equal length, at least 1")
        if not (np.all(np.isfinite(time)) and np.all(np.isfinite(depth))):
            raise ValueError("time_s and depth_m must be finite")
        if np.any(np.diff(time) < 0.0):
            raise ValueError("time_s must not fall")
        set_ = object.__setattr__
        set_(self, "time_s", time)
        set_(self, "depth_m", depth)
        set_(self, "at_s", self.started_at_s + time)
        set_(self, "peak_so_far_m", np.maximum.accumulate(depth))
        rises = {window: 600.0 * window_slope(time, depth, window) for window in RISE_WINDOWS_S}
        set_(self, "rise_m_10min", MappingProxyType(rises))

    @property
    def ended_at_s(self) -> float:
        """Time of the last sample on the shared clock. [s]"""
        return float(self.at_s[-1])

    @property
    def peak_m(self) -> float:
        """Highest depth of the whole spell; known only once it has ended. [m]"""
        return float(self.peak_so_far_m[-1])

    def peak_at_s(self) -> float:
        """Middle of the time at 97 % of the peak and above, on the shared clock; known only after the end. [s]"""
        top = self.at_s[self.depth_m >= 0.97 * self.peak_m]
        return float((top[0] + top[-1]) / 2.0)

    def crossing_s(self, threshold_m: float) -> float:
        """Seconds after the start at which the threshold is first reached; NaN when it never is. [s]"""
        reached = np.nonzero(self.depth_m >= threshold_m)[0]
        return float(self.time_s[reached[0]]) if reached.size else float("nan")

    def before_crossing(self, threshold_m: float) -> BoolArray:
        """Tell which samples come before the threshold is first reached."""
        return np.asarray(self.peak_so_far_m < threshold_m, dtype=np.bool_)

    def rise_ahead_m(self, horizon_s: float) -> FloatArray:
        """Return how far the depth rises within the horizon after each sample; known only afterwards. [m]"""
        last = np.searchsorted(self.time_s, self.time_s + horizon_s, side="right")
        ends = np.stack((np.arange(last.size), last), axis=1).ravel()
        highest = np.maximum.reduceat(np.append(self.depth_m, -np.inf), ends)[::2]
        return floats(highest - self.depth_m)


def window_slope(time_s: FloatArray, depth_m: FloatArray, window_s: float) -> FloatArray:
    """Return the least-squares slope of the samples within a window up to each sample, from those alone.

    Parameters
    ----------
    time_s, depth_m : ndarray
        Samples; time never falls. [s], [m]
    window_s : float
        Length of the window. [s]

    Returns
    -------
    ndarray
        Slope, 0 while the window holds one sample only. [m/s]

    Notes
    -----
    slope = (n sum(t d) - sum(t) sum(d)) / (n sum(t²) - sum(t)²), by running sums.

    By hand: (0 s, 0 m), (60 s, 0.06 m), (120 s, 0.06 m): n = 3, sums 180, 0.12, 10.8, 18000: (32.4 - 21.6) /
    (54000 - 32400) = 0.0005 m/s.
    """
    first = np.searchsorted(time_s, time_s - window_s - 1e-9)
    upto = np.arange(time_s.size) + 1

    def window_sum(values: FloatArray) -> FloatArray:
        running = np.concatenate(([0.0], np.cumsum(values)))
        return floats(running[upto] - running[first])

    n = (upto - first).astype(np.float64)
    t, d = window_sum(time_s), window_sum(depth_m)
    spread = n * window_sum(time_s * time_s) - t * t
    joint = n * window_sum(time_s * depth_m) - t * d
    enough = (n > 1.0) & (spread > 1e-6)
    return floats(np.divide(joint, spread, out=np.zeros(time_s.size), where=enough))
