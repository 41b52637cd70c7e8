"""``undercroft bench series``: a day of readings as simulated devices make them, the last fifth of it wet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from simulators.bench_site import bench_site
from simulators.chance import drawn
from simulators.payload import Sent
from simulators.scenario import Scenario
from simulators.simulated import SimulatedDistrict
from undercroft.quantities import BARRIER_STATE_BY_WORD

DAY_MIN = 1440
WET_FROM_MIN = 1152
"""A warning is in force from here to the end of the day, so that every device reports at its wet interval. [min]"""
BEFORE_MIN = 10
"""Dry minutes before the day: in the first minute of a run everybody reports. [min]"""
RETURN_PERIODS_YEARS = (5, 20, 100)
OFFSET_MOST_MS, TREMBLE_MOST_MS = 2_000, 50
"""How far a device's clock is off, and how far a reading's time is from that. [ms]"""
_START = datetime(2026, 6, 1, tzinfo=UTC) - timedelta(minutes=BEFORE_MIN)


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """One reading: by the device's clock, milliseconds after the begin of the day; the value as it is stored."""

    device: str
    quantity: str
    observed_ms: int
    value: float


def bench_series(
    sensors: Annotated[int, typer.Option(min=1, help="sensors in the simulated site")] = 500,
    seed: Annotated[int, typer.Option(min=0, help="storm, barriers and clocks are drawn from it")] = 1,
) -> None:
    """Print a simulated day as CSV: device, quantity, milliseconds after the begin of the day, value."""
    for row in series(sensors, seed):
        typer.echo(f"{row.device},{row.quantity},{row.observed_ms},{row.value!r}")


def series(sensors: int, seed: int) -> Iterator[SeriesRow]:
    """Yield the readings of a day, in the order in which they are sent."""
    world = SimulatedDistrict(bench_site(sensors), _scenario(seed), seed)
    for minute in world.minutes(BEFORE_MIN + DAY_MIN):
        for device, sent in [*world.events(minute), *world.observations(minute)]:
            if minute.number >= BEFORE_MIN:
                yield from _rows(device.id, sent, world.start_s + 60 * BEFORE_MIN, seed)


def _rows(device: str, sent: Sent, day_s: int, seed: int) -> Iterator[SeriesRow]:
    off_ms = (2 * drawn("clock", seed, device) - 1) * OFFSET_MOST_MS
    off_ms += (2 * drawn("tremble", seed, device, sent.observed_s) - 1) * TREMBLE_MOST_MS
    for value in sent.values:
        yield SeriesRow(device, value.quantity, 1000 * (sent.observed_s - day_s) + round(off_ms), stored(value.text))


def stored(text: str) -> float:
    """Return a payload's value as it is stored: states by their codes.

    Examples
    --------
    >>> [stored("0.125"), stored("true"), stored('"deployed"')]
    [0.125, 1.0, 3.0]
    """
    value = json.loads(text)
    return float(BARRIER_STATE_BY_WORD[value] if isinstance(value, str) else value)


def _scenario(seed: int) -> Scenario:
    wet = _START + timedelta(minutes=BEFORE_MIN + WET_FROM_MIN)
    return Scenario.model_validate(
        {
            "run": {"name": "bench", "label": "bench", "start": _START, "hours": 25},
            "storm": {
                "kind": "chicago",
                "return_period_years": RETURN_PERIODS_YEARS[seed % len(RETURN_PERIODS_YEARS)],
                "start": wet,
                "duration_min": 180,
            },
            "act": [
                {"kind": "warning_signal", "colour": "red", "at": wet},
                {"kind": "deploy_barrier", "at": wet, "share": 0.7},
            ],
        }
    )
