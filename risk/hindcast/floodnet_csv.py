"""Reading FloodNet's event and sensor tables, and writing the hindcast's.

Start times carry no offset and, as the times of high water show, do not follow daylight saving: they are read as one
clock without jumps (`docs/nowcast.md`).
"""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from risk.hydraulics.arrays import FloatArray
from risk.nowcast.track import Track
from undercroft.errors import BadInput
from undercroft.quantities import QUANTITIES

INCH_M = 0.0254
KM_PER_DEGREE = 111.2
DEPTHS = QUANTITIES["water_depth_m"]
LONGEST_S = 30 * 86400.0
"""No flood of a street lasts longer. [s]"""
_EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001 - the tables carry local times without an offset
_SENSOR_COLUMNS = ("sensor_id", "latitude", "longitude", "tidally_influenced")
_EVENT_COLUMNS = ("sensor_id", "flood_start_time", "flood_profile_depth_inches", "flood_profile_time_secs")
_NOWHERE = (math.nan, math.nan, False)


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """One row of the event table."""

    sensor_id: str
    flood_start_time: str
    """Verbatim."""
    started_at: datetime
    track: Track


def read_events(events: Path, sensors: Path) -> list[Event]:
    """Return the events in the order of the file; a sensor that the table lacks counts as not tidal, nowhere."""
    places = _read_places(sensors)
    found = []
    for number, row in _rows(events, _EVENT_COLUMNS):
        try:
            found.append(_event(row, places))
        except (TypeError, ValueError, OverflowError) as error:
            raise BadInput(f"{events}: row {number}: {error}") from error
    return found


def write_alarms(out: Path, rows: Iterable[tuple[Event, float, float]]) -> None:
    """Write a row per event: alarm and crossing in seconds after the start, empty where never (NaN)."""
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("sensor_id", "flood_start_time", "first_forecast_s", "first_crossing_s"))
        for event, forecast_s, crossing_s in rows:
            writer.writerow((event.sensor_id, event.flood_start_time, _seconds(forecast_s), _seconds(crossing_s)))


def _seconds(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.10g}"


def _rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    csv.field_size_limit(sys.maxsize)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = [name for name in columns if name not in (reader.fieldnames or ())]
            if missing:
                raise BadInput(f"{path}: column {missing[0]} is missing")
            yield from enumerate(reader, start=2)
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path}: not a CSV file: {error}") from error


def _read_places(path: Path) -> dict[str, tuple[float, float, bool]]:
    """East and north in km, and whether it is tidal, by sensor."""
    rows = [row for _, row in _rows(path, _SENSOR_COLUMNS)]
    degrees = [(_number(row["latitude"]), _number(row["longitude"])) for row in rows]
    latitudes = [latitude for latitude, _ in degrees if math.isfinite(latitude)]
    shrink = math.cos(math.radians(sum(latitudes) / len(latitudes))) if latitudes else 1.0
    return {
        row["sensor_id"]: (
            longitude * KM_PER_DEGREE * shrink,
            latitude * KM_PER_DEGREE,
            (row["tidally_influenced"] or "").strip().lower() == "yes",
        )
        for row, (latitude, longitude) in zip(rows, degrees, strict=True)
    }


def _number(text: str | None) -> float:
    return float(text) if text and text.strip() else math.nan


def _event(row: Mapping[str, str], places: Mapping[str, tuple[float, float, bool]]) -> Event:
    started_at = datetime.fromisoformat(row["flood_start_time"]).replace(tzinfo=None)
    time_s, depth_m = _profile(row["flood_profile_time_secs"]), _profile(row["flood_profile_depth_inches"]) * INCH_M
    if time_s.size != depth_m.size:
        raise ValueError(f"{time_s.size} times but {depth_m.size} depths in the flood profile")
    _must_be(depth_m / INCH_M, (DEPTHS.least / INCH_M, DEPTHS.most / INCH_M), "flood_profile_depth_inches", "inches")
    _must_be(time_s, (0.0, LONGEST_S), "flood_profile_time_secs", "seconds")
    known = np.isfinite(time_s) & np.isfinite(depth_m)
    x_km, y_km, tidal = places.get(row["sensor_id"], _NOWHERE)
    started_at_s = (started_at - _EPOCH).total_seconds()
    track = Track(row["sensor_id"], started_at_s, time_s[known], depth_m[known], x_km, y_km, tidal)
    return Event(row["sensor_id"], row["flood_start_time"], started_at, track)


def _must_be(values: FloatArray, limits: tuple[float, float], column: str, unit: str) -> None:
    """Refuse values that cannot be; one that is not known is NaN."""
    least, most = limits
    wrong = values[~np.isnan(values) & ~((values >= least) & (values <= most))]
    if wrong.size:
        raise ValueError(f"{column}: {wrong[0]:g} {unit}, expected {least:.4g} to {most:.4g}")


def _profile(text: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    values = json.loads(text)
    if not isinstance(values, list):
        raise TypeError("a flood profile must be a list of numbers")
    return np.array([math.nan if value is None else float(value) for value in values])
