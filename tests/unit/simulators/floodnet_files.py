"""Files of FloodNet's form, made up for tests."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

EVENT_COLUMNS = [
    "sensor_name",
    "sensor_id",
    "flood_start_time",
    "flood_end_time",
    "max_depth_inches",
    "onset_time_mins",
    "drain_time_mins",
    "duration_mins",
    "duration_above_4_inches_mins",
    "duration_above_12_inches_mins",
    "duration_above_24_inches_mins",
    "flood_profile_depth_inches",
    "flood_profile_time_secs",
]
SENSOR_COLUMNS = [
    "sensor_name",
    "sensor_id",
    "date_installed",
    "tidally_influenced",
    "date_removed",
    "street_name",
    "borough",
    "zipcode",
    "community_board",
    "council_district",
    "census_tract",
    "nta",
    "latitude",
    "longitude",
    "lowest_point_height_delta_inches",
    "location",
]


def an_event(
    sensor_id: str, start: str, end: str, inches: Sequence[float], seconds: Sequence[float] | None = None
) -> dict[str, str]:
    """One row of the event table; a sample a minute unless told otherwise."""
    seconds = [60 * number for number in range(len(inches))] if seconds is None else seconds
    return {
        "sensor_name": f"Name of {sensor_id}",
        "sensor_id": sensor_id,
        "flood_start_time": start,
        "flood_end_time": end,
        "max_depth_inches": str(max(inches, default=0)),
        "flood_profile_depth_inches": json.dumps(list(inches)),
        "flood_profile_time_secs": json.dumps(list(seconds)),
    }


def a_sensor(sensor_id: str, **changes: str) -> dict[str, str]:
    """One row of the sensor table."""
    row = {
        "sensor_name": f"Name of {sensor_id}",
        "sensor_id": sensor_id,
        "street_name": "Canal Street",
        "borough": "Brooklyn",
        "latitude": "40.7",
        "longitude": "-73.9",
        "tidally_influenced": "No",
    }
    return {**row, **changes}


def write_events(path: Path, rows: Sequence[dict[str, str]]) -> Path:
    return _write(path, EVENT_COLUMNS, rows)


def write_sensors(path: Path, rows: Sequence[dict[str, str]]) -> Path:
    return _write(path, SENSOR_COLUMNS, rows)


def _write(path: Path, columns: list[str], rows: Sequence[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="", quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(rows)
    return path
