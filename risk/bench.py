"""``undercroft bench engine``: one tick over 10,000 spaces with two entrances each, beside its limit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np

from risk.ahead import answered
from risk.arrays import BoolArray, FloatArray, IntArray, SiteArrays, to_us
from risk.engine import Engine, Inputs, decide, question, tick, write_up
from risk.evidence import Samples
from risk.sensors import BARRIER, PUMP
from risk.warnings import KIND, Act
from undercroft.bench import Figure
from undercroft.quantities import BarrierState
from undercroft.site.model import Site

SPACES = 10_000
IN_ALARM = 0.05
CHANGING = 0.01
TICKS = 100
LIMIT_MS = 15.0
SPACING_MS = 200.0
TICK_S = 0.2
START = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)
WARNED = tuple(tuple(f"b{number:03d}" for number in range(first, first + 10)) for first in (0, 10, 20))
"""Basins of each warning in force."""
KINDS = ("car_park", "metro_entrance", "underpass", "mall", "civil_defence")


def tick_figures(
    monotonic_s: Callable[[], float], cpu_s: Callable[[], float], spaces: int, ticks: int = TICKS
) -> list[Figure]:
    """Return the median duration of a tick in which 5 % are in alarm and 1 % change level.

    ``tick_10k`` is the safety tick, with warnings in force: from readings to levels, alarms and scores, wall and CPU
    time. ``_written`` is the same with every reason and assessment in words; it is held against the spacing of live
    ticks.
    """
    engine = Engine.start(large_site(spaces), 1, START)
    driver = Driver(engine, spaces)
    engine = driver.warm_up(engine)
    rows = []
    for number in range(ticks):
        inputs = driver.inputs(number)
        start, start_cpu = monotonic_s(), cpu_s()
        engine, decision = decide(engine, inputs)
        decided, decided_cpu = monotonic_s(), cpu_s()
        write_up(decision)
        rows.append((decided - start, decided_cpu - start_cpu, monotonic_s() - start, cpu_s() - start_cpu))
    wall, cpu, written, written_cpu = (round(float(value) * 1000, 3) for value in np.median(np.array(rows), axis=0))
    name = "tick_10k" if spaces == SPACES else f"tick_{spaces}"
    return [
        Figure(name, wall, "ms", LIMIT_MS, "issue 4", "lower"),
        Figure(f"{name}_cpu", cpu, "ms", LIMIT_MS, "issue 4", "lower"),
        Figure(f"{name}_written", written, "ms", SPACING_MS, "spacing of live ticks", "lower"),
        Figure(f"{name}_written_cpu", written_cpu, "ms", SPACING_MS, "spacing of live ticks", "lower"),
    ]


def nowcast_figures(monotonic_s: Callable[[], float], cpu_s: Callable[[], float], spaces: int) -> list[Figure]:
    """Return the duration of the ensemble with a fifth of the spaces wet, and with all: 64 members, 60 minutes."""
    figures = []
    name = "tick_nowcast_10k" if spaces == SPACES else f"tick_nowcast_{spaces}"
    site = large_site(spaces)
    for share, limit_ms, suffix in ((0.2, 500.0, ""), (1.0, 2000.0, "_all_wet")):
        engine = Engine.start(site, 1, START)
        arrays = engine.plant.arrays
        engine = _storm(engine, arrays.l_outside & (arrays.l_space < round(spaces * share)))
        rows = []
        for _ in range(5):
            start, start_cpu = monotonic_s(), cpu_s()
            answered(question(engine))
            rows.append((monotonic_s() - start, cpu_s() - start_cpu))
        wall, cpu = (round(float(value) * 1000, 3) for value in np.median(np.array(rows), axis=0))
        figures.append(Figure(f"{name}{suffix}", wall, "ms", limit_ms, "issue 4", "lower"))
        figures.append(Figure(f"{name}{suffix}_cpu", cpu, "ms", limit_ms, "issue 4", "lower"))
    return figures


def _storm(engine: Engine, wet: BoolArray) -> Engine:
    """Let some streets rise at 0.5 to 3 cm/min for three minutes; three barriers in ten are closed, half the pumps run.

    So every member differs in most spaces: members that are alike would be run once.
    """
    arrays, rng = engine.plant.arrays, np.random.default_rng(7)
    start, rate = rng.uniform(0.05, 0.35, wet.size), rng.uniform(0.005, 0.03, wet.size)
    switches = np.flatnonzero(np.isin(arrays.s_role, (BARRIER, PUMP)))
    is_barrier = arrays.s_role[switches] == BARRIER
    says = np.where(is_barrier, float(BarrierState.DEPLOYED), 1.0)
    said = np.where(rng.random(switches.size) < np.where(is_barrier, 0.3, 0.5), says, 0.0)
    sensor = np.concatenate((arrays.l_sensor, switches))

    def at(minute: int) -> Inputs:
        value = np.concatenate((np.where(wet, start + rate * minute, 0.0), said))
        at_us = to_us(START) + minute * 60_000_000
        samples = Samples(sensor, np.full(sensor.size, at_us), value, np.ones(sensor.size, np.int8))
        return Inputs(minute + 1, at_us, minute + 1, None, samples)

    for minute in range(4):
        engine, _ = decide(engine, at(minute))
    return engine


class Driver:
    """Readings of a storm in which 5 % of the spaces are in alarm and 1 % change level in every tick.

    Half of those that change are in alarm and go up or down within it; the others go between normal and blue. Three
    yellow warnings are in force, each of ten of the hundred basins: blue, which is no alarm; none of the others that
    change lies there.
    """

    def __init__(self, engine: Engine, spaces: int) -> None:
        arrays = engine.plant.arrays
        self._rng = np.random.default_rng(7)
        self._start_us = to_us(START)
        self._levels = arrays.l_sensor
        underpass = np.array([space.kind == "underpass" for space in arrays.spaces])
        blue = np.array([space.kind in {"metro_entrance", "mall"} for space in arrays.spaces])  # from 2 cm on
        warned = np.isin(arrays.basin_of_space, [arrays.basins.index(name) for names in WARNED for name in names])
        chosen = self._rng.permutation(spaces)
        alarmed, others = chosen[: round(spaces * IN_ALARM)], chosen[round(spaces * IN_ALARM) :]
        group = round(spaces * CHANGING / 2)
        # Half of those in alarm that are told of more water stand at their highest level already.
        self._high = self._alternating(arrays, alarmed, 2 * group, np.where(underpass, 0.12, 0.28), 0.33)
        self._low = self._alternating(arrays, others[(blue & ~warned)[others]], group, np.zeros(spaces), 0.025)
        self._busy = np.unique(np.concatenate([rows for rows, _, _ in (*self._high, *self._low)]))
        self._seq = 0

    def _alternating(
        self, arrays: SiteArrays, spaces: IntArray, size: int, low_m: FloatArray, high_m: float
    ) -> list[tuple[IntArray, FloatArray, FloatArray]]:
        """Return groups of spaces as (outside level sensors, low depths, high depths)."""
        groups = []
        for first in range(0, min(len(spaces), 5 * size) - size + 1, size):
            level = np.flatnonzero(arrays.l_outside & np.isin(arrays.l_space, spaces[first : first + size]))
            low = low_m[arrays.l_space[level]]
            groups.append((arrays.l_sensor[level], low, np.full(low.size, high_m)))
        return groups

    def _inputs(self, at_us: int, sensor: IntArray, value: FloatArray, acts: tuple[Act, ...] = ()) -> Inputs:
        self._seq += 1
        size = sensor.size
        samples = Samples(sensor, np.full(size, at_us), value, np.ones(size, np.int8))
        return Inputs(self._seq, at_us, self._seq, None, samples, acts)

    def warm_up(self, engine: Engine) -> Engine:
        """Give every sensor readings until 5 % of the spaces are in alarm and the others are dry."""
        value = np.zeros(len(engine.plant.arrays.sensors))
        for rows, low, _ in self._high:
            value[rows] = low
        for minute in range(6):
            at_us = self._start_us + minute * 60_000_000
            acts = _warnings(at_us) if minute == 0 else ()
            engine, _ = tick(engine, self._inputs(at_us, self._levels, value[self._levels], acts))
        return engine

    def inputs(self, number: int) -> Inputs:
        """Return one live tick: the share that reports within 200 ms, and 1 % of the spaces that change level."""
        at_us = self._start_us + 360_000_000 + round(number * TICK_S * 1e6)
        quiet = self._rng.choice(self._levels, size=max(self._levels.size // 300, 1), replace=False)
        quiet = np.setdiff1d(quiet, self._busy)
        parts = [(quiet, np.zeros(quiet.size))]
        for groups in (self._high, self._low):
            turn, place = divmod(number, len(groups))
            rows, low, high = groups[place]
            parts.append((rows, low if turn % 2 else high))
        sensor, value = (np.concatenate(column) for column in zip(*parts, strict=True))
        return self._inputs(at_us, sensor, value)


def _warnings(at_us: int) -> tuple[Act, ...]:
    bodies = [{"colour": "yellow", "state": "in_force", "basins": list(names)} for names in WARNED]
    return tuple(Act(n, KIND, f"warning/{n}", "bench", at_us, body) for n, body in enumerate(bodies, 1))


def large_site(spaces: int) -> Site:
    """Return a site of this many spaces with two entrances each, in 100 basins with a gauge each."""
    names = {"name_zh": "测试", "name_en": "Bench", "street": "bench", "lat": 22.5, "lon": 114.0}
    basins = [f"b{number:03d}" for number in range(100)]
    return Site.model_validate(
        {
            "district": {"id": "bench", "name_zh": "测试", "name_en": "Bench", "datum": "bench"},
            "basin": [{"id": basin, "name_zh": "测试", "name_en": "Bench"} for basin in basins],
            "gauge": [_gauge(basin, names) for basin in basins],
            "space": [_space(number, basins[number % 100], names) for number in range(spaces)],
        }
    )


def _gauge(basin: str, names: dict[str, Any]) -> dict[str, Any]:
    device = {"id": f"rain-{basin}", "sensors": [{"quantity": "rain_total_mm"}]}
    return {"id": f"g-{basin}", **names, "basin": basin, "devices": [device]}


def _space(number: int, basin: str, names: dict[str, Any]) -> dict[str, Any]:
    name = f"s{number:05d}"
    doors = ("a", "b")
    outside = [
        {
            "id": f"{name}-{door}",
            "sensors": [
                {"quantity": "water_depth_m", "entrance": door},
                {"quantity": "barrier_state", "entrance": door},
            ],
        }
        for door in doors
    ]
    inside = {"id": f"{name}-in", "sensors": [{"quantity": "water_depth_m"}, {"quantity": "pump_running"}]}
    return {
        "id": name, **names, "kind": KINDS[number % len(KINDS)], "basin": basin, "floor_level_m": -4.0,
        "storage": [{"depth_m": 0.0, "area_m2": 2000.0}],
        "pumps": [{"id": "p", "capacity_m3_s": 0.02, "on_depth_m": 0.1, "off_depth_m": 0.05}],
        "devices": [*outside, inside],
        "entrances": [
            {
                "id": door, "name_zh": "测试", "name_en": "Bench", "width_m": 4.0, "crest_level_m": 0.3,
                "roadway_level_m": 0.0, "barrier": {"height_m": 0.6, "deploy_min": 10.0},
            }
            for door in doors
        ],
    }  # fmt: skip
