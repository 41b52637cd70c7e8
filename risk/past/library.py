"""A library of floods: a versioned input of the engine, as one canonical document."""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import orjson

from risk.nowcast.track import Track
from undercroft.errors import BadInput

FORM = 1
"""Of the document."""
FLOODS_OF_SENSOR = 400
"""Newest floods kept of each sensor: fewer lose the deep ones, which are rare, and red is foreseen too seldom."""
FLOODS = 4000
"""Newest floods kept in all."""
SAMPLES = 240
"""Most samples kept of a flood; a longer one is thinned."""


@dataclass(frozen=True, slots=True)
class PastSensor:
    """A level sensor that the library speaks of: its name in the site, where it is [km], whether tides flood it."""

    key: str
    x_km: float
    y_km: float
    tidal: bool


@dataclass(frozen=True, slots=True)
class PastFlood:
    """A flood that has ended: when it began [µs since 1970], seconds since then [s], depth over ground [mm]."""

    sensor: str
    started_us: int
    time_s: tuple[int, ...]
    depth_mm: tuple[int, ...]

    @property
    def ended_us(self) -> int:
        """Time of the last sample. [microseconds since 1970]"""
        return self.started_us + 1_000_000 * self.time_s[-1]


@dataclass(frozen=True, slots=True)
class FloodLibrary:
    """Sensors by key, and floods by start and sensor."""

    sensors: tuple[PastSensor, ...]
    floods: tuple[PastFlood, ...]


def library_of(sensors: Iterable[PastSensor], floods: Iterable[PastFlood]) -> FloodLibrary:
    """Return a library of bounded size: the newest floods, thinned; floods of other sensors are left out."""
    known = {sensor.key: sensor for sensor in sensors}
    by_sensor: dict[str, list[PastFlood]] = defaultdict(list)
    for flood in floods:
        if flood.sensor in known:
            by_sensor[flood.sensor].append(_thinned(flood))
    newest = [
        flood for of in by_sensor.values() for flood in sorted(of, key=lambda one: one.ended_us)[-FLOODS_OF_SENSOR:]
    ]
    kept = sorted(newest, key=lambda one: (one.ended_us, one.sensor))[-FLOODS:]
    return FloodLibrary(
        tuple(known[key] for key in sorted(known)),
        tuple(sorted(kept, key=lambda one: (one.started_us, one.sensor))),
    )


def _thinned(flood: PastFlood) -> PastFlood:
    """Return a flood with few enough samples: the greatest depth of each stretch, and its last."""
    size = len(flood.time_s)
    if size <= SAMPLES:
        return flood
    edges = np.linspace(0, size - 1, SAMPLES).astype(np.int64)
    depth = np.array(flood.depth_mm)
    picked = [int(low + np.argmax(depth[low:high])) for low, high in pairwise(edges.tolist())]
    rows = [*picked, size - 1]
    return PastFlood(
        flood.sensor, flood.started_us, tuple(flood.time_s[k] for k in rows), tuple(flood.depth_mm[k] for k in rows)
    )


def document(library: FloodLibrary) -> str:
    """Return the library as canonical JSON: the same floods are the same text."""
    return orjson.dumps(
        {
            "form": FORM,
            "sensors": [[one.key, _place(one.x_km), _place(one.y_km), one.tidal] for one in library.sensors],
            "floods": [[one.sensor, one.started_us, one.time_s, one.depth_mm] for one in library.floods],
        }
    ).decode()


def _place(km: float) -> float | None:
    return round(km, 3) if math.isfinite(km) else None


def read_document(text: str) -> FloodLibrary:
    """Return the library that `document` wrote.

    Raises
    ------
    BadInput
        If it is of another form.
    """
    body = orjson.loads(text)
    if body.get("form") != FORM:
        raise BadInput(f"flood library: form {body.get('form')!r}, expected {FORM}")
    sensors = tuple(
        PastSensor(key, math.nan if x is None else x, math.nan if y is None else y, tidal)
        for key, x, y, tidal in body["sensors"]
    )
    floods = tuple(PastFlood(key, at, tuple(time), tuple(depth)) for key, at, time, depth in body["floods"])
    return FloodLibrary(sensors, floods)


def sha256_of(text: str) -> str:
    """Return the hash of a document."""
    return hashlib.sha256(text.encode()).hexdigest()


def track_of(flood: PastFlood, sensor: PastSensor) -> Track:
    """Return a flood as `risk.nowcast` takes it."""
    time_s, depth_m = np.array(flood.time_s, np.float64), np.array(flood.depth_mm, np.float64) / 1000.0
    return Track(sensor.key, flood.started_us / 1e6, time_s, depth_m, sensor.x_km, sensor.y_km, sensor.tidal)
