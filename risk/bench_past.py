"""``tick_nowcast_10k_past``: the nowcast with a library of past floods in force, at its greatest size."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import numpy as np

from risk.ahead import answered
from risk.arrays import FloatArray, to_us
from risk.bench import SPACES, START
from risk.engine import Engine, Inputs, decide, question, with_past
from risk.evidence import Samples
from risk.hindcast.compare import road_site
from risk.past.inforce import Past
from risk.past.library import FLOODS, FloodLibrary, PastFlood, PastSensor, library_of
from undercroft.bench import Figure

BASINS = 100
MINUTES = 12
FLOOD_EVERY_H = 25.0
FLOODS_EACH = 40


def past_figures(monotonic_s: Callable[[], float], cpu_s: Callable[[], float], spaces: int) -> list[Figure]:
    """Return the duration of the nowcast with a fifth of the spaces wet, and with all, each told by past floods."""
    name = "tick_nowcast_10k_past" if spaces == SPACES else f"tick_nowcast_{spaces}_past"
    site = road_site(spaces, BASINS)
    past = Past(1, full_library(spaces))
    _ = past.known  # made once, when it is taken into use
    figures = []
    for share, limit_ms, suffix in ((0.2, 500.0, ""), (1.0, 2000.0, "_all_wet")):
        wet = round(spaces * share)
        engine = _rising(with_past(Engine.start(site, 1, START), past), wet)
        rows = []
        for _ in range(5):
            start, start_cpu = monotonic_s(), cpu_s()
            found = answered(question(engine))
            rows.append((monotonic_s() - start, cpu_s() - start_cpu))
        foreseen = int((found.floods > 0).sum())
        if foreseen != wet:
            raise RuntimeError(f"bench engine: {foreseen} of {wet} wet spaces were foreseen from past floods")
        wall, cpu = (round(float(value) * 1000, 3) for value in np.median(np.array(rows), axis=0))
        figures.append(Figure(f"{name}{suffix}", wall, "ms", limit_ms, "issue 4", "lower"))
        figures.append(Figure(f"{name}{suffix}_cpu", cpu, "ms", limit_ms, "issue 4", "lower"))
    return figures


def _rising(engine: Engine, wet: int) -> Engine:
    """Let the first spaces rise from 2 to 5 cm at 0.2 to 2 cm/min."""
    sensor, rng = engine.plant.arrays.l_sensor, np.random.default_rng(7)
    start, rate = rng.uniform(0.02, 0.05, wet), rng.uniform(0.002, 0.02, wet)
    depth_m = np.zeros(sensor.size)
    for minute in range(MINUTES):
        depth_m[:wet] = start + rate * minute
        at_us = to_us(START) + minute * 60_000_000
        samples = Samples(sensor, np.full(sensor.size, at_us), depth_m, np.ones(sensor.size, np.int8))
        engine, _ = decide(engine, Inputs(minute + 1, at_us, minute + 1, None, samples))
    return engine


def full_library(spaces: int) -> FloodLibrary:
    """Return as many made-up floods as a library keeps, of the first sensors; half of all sensors are tidal.

    The sensors flood on the same days, so that many floods overlap. Each rises for a quarter of an hour to two
    hours to 5 to 60 cm, one sample a minute, and falls as it rose.
    """
    rng = np.random.default_rng(11)
    sensors = [
        PastSensor(f"l{k:05d}:water_depth_m", float(x), float(y), k % 2 == 1)
        for k, (x, y) in enumerate(rng.uniform(0.0, 30.0, (spaces, 2)))
    ]
    floods = []
    for k in range(FLOODS):
        sensor = sensors[(k // FLOODS_EACH) % spaces]
        started = START - timedelta(hours=FLOOD_EVERY_H * (1 + k % FLOODS_EACH) + float(rng.uniform(0.0, 3.0)))
        up_min = int(rng.integers(15, 120))
        depth_m = _flood_m(rng, up_min, float(rng.uniform(0.05, 0.6)))
        times = tuple(60 * minute for minute in range(depth_m.size))
        floods.append(
            PastFlood(sensor.key, to_us(started), times, tuple(np.round(1000.0 * depth_m).astype(int).tolist()))
        )
    return library_of(sensors, floods)


def _flood_m(rng: np.random.Generator, up_min: int, peak_m: float) -> FloatArray:
    phase = np.linspace(0.0, np.pi, 2 * up_min + 1)
    depth_m = peak_m * np.sin(phase) ** float(rng.uniform(0.7, 2.0)) + rng.normal(0.0, 0.002, phase.size)
    return np.asarray(np.maximum(depth_m, 0.0))
