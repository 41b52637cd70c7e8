"""Libraries of made-up floods, and an engine on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from risk.arrays import to_us
from risk.engine import with_past
from risk.nowcast.track import Track
from risk.past.inforce import Past
from risk.past.library import FloodLibrary, PastFlood, PastSensor, library_of
from tests.unit.risk.builders import START, Crank, site, underpass

SENSOR = "up-lvl:water_depth_m"


def flood(start_us: int, depths_m: Sequence[float], sensor: str = SENSOR) -> PastFlood:
    """A flood of one sample a minute."""
    times = tuple(60 * k for k in range(len(depths_m)))
    return PastFlood(sensor, start_us, times, tuple(round(1000 * depth) for depth in depths_m))


def days_before(days: float) -> int:
    return to_us(START - timedelta(days=days))


def rises(peak_m: float, rate_m_min: float = 0.01) -> list[float]:
    """Depths that rise steadily from 0 to a peak, stand half an hour, and fall as they rose."""
    steps = round(peak_m / rate_m_min)
    up = [rate_m_min * k for k in range(steps + 1)]
    return [*up, *([peak_m] * 30), *reversed(up)]


def library(peaks_m: Iterable[float], sensor: str = SENSOR, apart_days: float = 1.0) -> FloodLibrary:
    """A library of one sensor without a tide, a flood a day of each peak."""
    floods = [flood(days_before(apart_days * (100 - k)), rises(peak), sensor) for k, peak in enumerate(peaks_m)]
    return library_of([PastSensor(sensor, 0.0, 0.0, tidal=False)], floods)


def of_tracks(tracks: Iterable[Track]) -> FloodLibrary:
    """A library of made-up tracks, to the millimetre and second."""
    listed = list(tracks)
    sensors = {one.sensor_id: PastSensor(one.sensor_id, one.x_km, one.y_km, one.tidal) for one in listed}
    floods = [
        PastFlood(
            one.sensor_id,
            round(1e6 * one.started_at_s),
            tuple(round(at) for at in one.time_s.tolist()),
            tuple(round(1000 * depth) for depth in one.depth_m.tolist()),
        )
        for one in listed
    ]
    return library_of(sensors.values(), floods)


def road(past: FloodLibrary | None, *, nowcast: bool = True) -> Crank:
    """An underpass that only its own water tells of, on a library."""
    crank = Crank(site(underpass()), nowcast=nowcast)
    if past is not None:
        crank.engine = with_past(crank.engine, Past(1, past))
    return crank


def without_last(floods: FloodLibrary, count: int) -> FloodLibrary:
    return replace(floods, floods=floods.floods[:-count])
