"""The measured floods themselves, where `UNDERCROFT_FLOODNET_DIR` has them."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from simulators.floodnet import FloodDay, device_id, flood_day, floodnet_run, floodnet_site, read_events, read_sensors
from simulators.truth import crossings

FOLDER = os.environ.get("UNDERCROFT_FLOODNET_DIR", "")

pytestmark = pytest.mark.skipif(not FOLDER, reason="UNDERCROFT_FLOODNET_DIR is not set: no measured floods here")


@pytest.fixture(scope="module")
def day() -> FloodDay:
    events = read_events(Path(FOLDER) / "flood-events.csv")
    return flood_day(events, read_sensors(Path(FOLDER) / "sensor-metadata.csv"), date(2023, 9, 29))


def test_every_event_and_sensor_is_read() -> None:
    # The folder's own README counts 1,417 events, 507 of them past 15 cm and 147 past 30 cm, and 433 sensors.
    events = read_events(Path(FOLDER) / "flood-events.csv")
    sensors = read_sensors(Path(FOLDER) / "sensor-metadata.csv")
    assert (len(events), len(sensors)) == (1417, 433)
    assert len(crossings(events, 0.15)) == pytest.approx(507, abs=3)  # told in whole millimetres
    assert len(crossings(events, 0.30)) == pytest.approx(147, abs=3)
    assert len({device_id(sensor_id) for sensor_id in sensors}) == 433


def test_day_of_the_flash_flood(day: FloodDay) -> None:
    # Carroll Street and 4th Avenue, 11:53:39 in the file, 35.94 in = 0.913 m at its deepest.
    carroll = next(event for event in day.of_day if event.sensor_id == "BK-carroll-st-4th-av-0ery00")
    assert carroll.start_at == datetime(2023, 9, 29, 15, 53, 39, tzinfo=UTC)
    assert max(sample.depth_m for sample in carroll.samples) == 0.913


def test_run_of_the_day(day: FloodDay) -> None:
    steps = list(floodnet_run(day).steps)
    assert steps[-1].now == day.end
    assert sum(step.readings for step in steps) == sum(len(step.messages) for step in steps) > 10_000
    assert len(floodnet_site(day.events, day.sensors).spaces) == len(day.sensors) == 24
