"""The two CSV files of FloodNet (NYC Open Data aq7i-eu5q and kb2e-tjy3), read strictly: a bad cell is one line."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from undercroft.errors import ScenarioInvalid

NEW_YORK = ZoneInfo("America/New_York")
INCH_M = 0.0254
MOST_INCHES = 400.0
LONGEST_NAME = 120
LONGEST_EVENT_S = 40 * 86_400

EVENT_COLUMNS = (
    "sensor_id",
    "flood_start_time",
    "flood_end_time",
    "flood_profile_depth_inches",
    "flood_profile_time_secs",
)
SENSOR_COLUMNS = ("sensor_name", "sensor_id", "street_name", "borough", "latitude", "longitude")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sample:
    """One reading of an event.

    Attributes
    ----------
    observed_at : datetime
        UTC, whole seconds.
    depth_m : float
        Over the roadway, in whole millimetres as it is published. [m]
    """

    observed_at: datetime
    depth_m: float


@dataclass(frozen=True, slots=True)
class FloodEvent:
    """One measured flood; samples in order of time, no time twice."""

    sensor_id: str
    start_time: str
    """``flood_start_time`` as in the file."""
    start_at: datetime
    end_at: datetime
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class FloodSensor:
    """One row of the sensor table."""

    sensor_id: str
    name: str
    street: str
    borough: str
    lat: float
    lon: float


def read_events(path: Path, timezone: ZoneInfo = NEW_YORK) -> list[FloodEvent]:
    """Return the events of a file, whose times are local without an offset.

    Raises
    ------
    ScenarioInvalid
        On the first cell that cannot be used; names file, row and column.
    """
    return [_event(row, timezone) for row in _rows(path, EVENT_COLUMNS)]


def read_sensors(path: Path) -> dict[str, FloodSensor]:
    """Return the sensors of a file by their id; raises as `read_events` does."""
    found: dict[str, FloodSensor] = {}
    for row in _rows(path, SENSOR_COLUMNS):
        sensor_id = row.text("sensor_id")
        if sensor_id in found:
            raise row.invalid("sensor_id", "a sensor that has no earlier row")
        found[sensor_id] = FloodSensor(
            sensor_id,
            row.text("sensor_name"),
            row.text("street_name"),
            row.text("borough"),
            row.cell("latitude", "a latitude", _within(-90.0, 90.0)),
            row.cell("longitude", "a longitude", _within(-180.0, 180.0)),
        )
    return found


@dataclass(frozen=True, slots=True)
class _Row:
    """One row and where it stands."""

    path: Path
    number: int
    cells: dict[str, str]

    def invalid(self, column: str, expected: str) -> ScenarioInvalid:
        text = self.cells[column]
        got = repr(text if len(text) <= 60 else text[:57] + "...")
        return ScenarioInvalid(f"{self.path}: row {self.number}: {column}: expected {expected}, got {got}")

    def cell(self, column: str, expected: str, parse: Callable[[str], T]) -> T:
        try:
            return parse(self.cells[column])
        except (ValueError, OverflowError, RecursionError) as error:
            raise self.invalid(column, expected) from error

    def text(self, column: str) -> str:
        return self.cell(column, "a text", _filled)


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[_Row]:
    """Yield the rows; row 1 is the heading, as a spreadsheet counts."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            missing = [column for column in columns if column not in (reader.fieldnames or ())]
            if missing:
                raise ScenarioInvalid(f"{path}: row 1: column {missing[0]} is missing")
            for number, cells in enumerate(reader, start=2):
                short = next((column for column in columns if cells[column] is None), None)
                if short is not None or None in cells:
                    what = f"{short}: the row ends before it" if short else "the row has more cells than the heading"
                    raise ScenarioInvalid(f"{path}: row {number}: {what}")
                yield _Row(path, number, cells)
    except csv.Error as error:
        raise ScenarioInvalid(f"{path}: not CSV: {error}") from error
    except UnicodeDecodeError as error:
        raise ScenarioInvalid(f"{path}: not UTF-8: {error.reason} at byte {error.start}") from error
    except OSError as error:
        raise ScenarioInvalid(f"{path}: cannot be read: {error.strerror or error}") from error


def _event(row: _Row, timezone: ZoneInfo) -> FloodEvent:
    def local_time(text: str) -> datetime:
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            raise ValueError("an offset")
        return found.replace(tzinfo=timezone, microsecond=0).astimezone(UTC)

    time_expected = "a local time such as 2023-09-29T07:23:34.000"
    start_at = row.cell("flood_start_time", time_expected, local_time)
    end_at = row.cell("flood_end_time", time_expected, local_time)
    seconds = row.cell("flood_profile_time_secs", "a list of seconds from the start", _numbers(0.0, LONGEST_EVENT_S))
    inches = row.cell("flood_profile_depth_inches", "a list of depths in inches", _numbers(-MOST_INCHES, MOST_INCHES))
    if len(inches) != len(seconds):
        raise row.invalid("flood_profile_depth_inches", f"{len(seconds)} depths, one for each time")
    if end_at < start_at:
        raise row.invalid("flood_end_time", "a time after flood_start_time")
    # A few profiles have a sample out of order or a second twice: order them, and keep the deeper of two.
    depth_mm: dict[int, int] = {}
    for second, inch in zip(seconds, inches, strict=True):
        depth_mm[round(second)] = max(depth_mm.get(round(second), -(10**9)), round(inch * INCH_M * 1000.0))
    samples = tuple(Sample(start_at + timedelta(seconds=s), mm / 1000.0) for s, mm in sorted(depth_mm.items()))
    return FloodEvent(row.text("sensor_id"), row.cells["flood_start_time"], start_at, end_at, samples)


def _filled(text: str) -> str:
    if not text.strip():
        raise ValueError("empty")
    return text.strip()[:LONGEST_NAME]  # one street is called by all the highways that share it


def _within(least: float, most: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        value = float(text)
        if not least <= value <= most:
            raise ValueError("out of range")
        return value

    return parse


def _numbers(least: float, most: float) -> Callable[[str], list[float]]:
    def parse(text: str) -> list[float]:
        found: Any = json.loads(text)
        if not isinstance(found, list) or not found:
            raise ValueError("not a list")
        for value in found:
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if not is_number or not math.isfinite(value) or not least <= value <= most:
                raise ValueError("not a number in range")
        return [float(value) for value in found]

    return parse
