"""Made-up floods: spring tides over a street, and short rain floods, from a seed."""

from __future__ import annotations

import numpy as np

from risk.nowcast.track import Track

TIDE_S = 12.4206012 * 3600.0


def tidal_flood(number: int, peak_m: float, sensor_id: str = "tide-1", x_km: float = 0.0) -> Track:
    """A flood whose depth follows a tide of 0.7 m amplitude with high water at ``number`` lunar tides."""
    width_s = TIDE_S / (2 * np.pi) * np.arccos(1.0 - peak_m / 0.7)
    time_s = np.arange(0.0, 2 * width_s, 60.0)
    depth_m = peak_m - 0.7 * (1.0 - np.cos(2 * np.pi * (time_s - width_s) / TIDE_S))
    start_s = number * TIDE_S - width_s
    return Track(sensor_id, float(start_s), time_s, np.maximum(depth_m, 0.0), x_km, 0.0, tidal=True)


def rain_flood(start_s: float, peak_m: float, sensor_id: str = "rain-1", x_km: float = 0.0) -> Track:
    """A flood that rises for ten minutes and drains for forty."""
    time_s = np.arange(0.0, 3000.0, 60.0)
    depth_m = np.interp(time_s, (0.0, 600.0, 3000.0), (0.0, peak_m, 0.0))
    return Track(sensor_id, start_s, time_s, depth_m, x_km, 0.0, tidal=False)


def season(seed: int, tides: int = 40, rains: int = 12) -> list[Track]:
    """Tidal floods of two neighbours with peaks around the threshold, and rain floods in between."""
    rng = np.random.default_rng(seed)
    floods = []
    for k in range(tides):
        peak_m = float(rng.uniform(0.05, 0.30))
        floods.append(tidal_flood(2 * k, peak_m))
        floods.append(tidal_flood(2 * k, max(0.04, peak_m - 0.03), "tide-2", 2.0))
    for k in range(rains):
        start_s = float(rng.uniform(0.0, 2 * tides * TIDE_S))
        floods += [rain_flood(start_s + 300.0 * j, float(rng.uniform(0.05, 0.4)), f"rain-{j}", j) for j in range(3)]
        del k
    return floods
