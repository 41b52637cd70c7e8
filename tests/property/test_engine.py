"""Properties of the engine that hold for every feed.

Readings are drawn as runs (what, minutes), not as single characters: a fault that matters lasts.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

import numpy as np
import orjson
from hypothesis import example, given, settings
from hypothesis import strategies as st

from risk.arrays import from_us
from risk.engine import Engine, plant_of
from risk.output import TickOutput
from risk.snapshot import dump_state, load_state
from risk.state import array_fields
from tests.same_log import assert_same_log
from tests.unit.risk.builders import START, Crank, Reading, guarded, site, underpass
from undercroft.site.model import Site

UP, OUT, IN, GATE, RAIN = (
    "up-lvl:water_depth_m", "s-out:water_depth_m", "s-in:water_depth_m", "s-out:barrier_state", "rain-1:rain_total_mm",
)  # fmt: skip

depths = st.sampled_from([0.0, 0.03, 0.08, 0.12, 0.16, 0.22, 0.28, 0.35, 0.5])
GOOD_RUN = st.tuples(st.just(1), depths, st.integers(1, 14))
UNKNOWN_RUN = st.tuples(st.sampled_from([0, 2, 3, 4, 9]), depths, st.integers(1, 45))
"""(quality, depth, minutes); quality 0 is silence."""


def a_site() -> Site:
    return site(underpass(), guarded("s", "car_park"))


def readings_of(runs: list[tuple[int, float, int]], key: str, start: int = 0) -> list[list[Reading]]:
    """One list of readings per minute."""
    minutes: list[list[Reading]] = []
    for quality, depth, length in runs:
        for _ in range(length):
            minute = start + len(minutes)
            minutes.append([(key, minute, depth, quality)] if quality else [])
    return minutes


def log_of(outputs: list[TickOutput]) -> bytes:
    return b"\n".join(orjson.dumps(asdict(output), option=orjson.OPT_SORT_KEYS) for output in outputs)


def level(crank: Crank, name: str) -> int:
    return crank.levels[name]


@settings(max_examples=15, deadline=None)
@example(before=[(1, 0.35, 4), (1, 0.0, 5)], unknown=[(0, 0.0, 40)])  # fell, and fell silent before the off-delay ended
@example(before=[(1, 0.35, 4), (1, 0.0, 5)], unknown=[(3, 0.0, 40)])
@example(before=[(1, 0.16, 1), (1, 0.03, 1)], unknown=[(0, 0.0, 1)])  # a fall that takes back what was foreseen
@given(before=st.lists(GOOD_RUN, min_size=1, max_size=4), unknown=st.lists(UNKNOWN_RUN, min_size=1, max_size=4))
def test_unknown_evidence_never_lowers_nor_clears(
    before: list[tuple[int, float, int]], unknown: list[tuple[int, float, int]]
) -> None:
    crank = Crank(a_site())
    known = readings_of(
        [*before, (1, before[-1][1], 1)], UP
    )  # once more: a forecast is in force a tick after its reading
    for minute, readings in enumerate(known):
        crank.tick(minute, *readings, (RAIN, minute, 0.0))
    last_level = level(crank, "up")
    severity = int(crank.engine.state.alarm_severity[1])
    assert crank.engine.plant.arrays.spaces[1].id == "up"
    for offset, readings in enumerate(readings_of(unknown, UP, len(known))):
        minute = len(known) + offset
        crank.tick(minute, *readings, (RAIN, minute, 0.0))
        assert level(crank, "up") >= last_level
        assert int(crank.engine.state.alarm_severity[1]) >= severity
        last_level, severity = level(crank, "up"), int(crank.engine.state.alarm_severity[1])


flaps = st.lists(
    st.tuples(
        st.sampled_from([0.0, 1.0, 2.0, 4.0, 5.0, 6.0]),
        st.integers(1, 4),
        st.sampled_from([1, 2, 3]),
        st.integers(1, 5),
    ),
    min_size=1,
    max_size=3,
)
"""(state other than deployed, minutes of it, its quality, minutes of `deployed` after it): under 10 in all."""


@settings(max_examples=10, deadline=None)
@given(depth=st.sampled_from([0.16, 0.27, 0.31, 0.35, 0.5]), flap=flaps)
def test_a_flapping_barrier_never_lowers_a_level_nor_an_alarm(
    depth: float, flap: list[tuple[float, int, int, int]]
) -> None:
    """Steady water before a switch that said deployed: from when it first says otherwise, no `deployed` calms again."""
    said = [(3.0, 1)] * 4
    for other, away, quality, back in flap:
        said += [(other, quality)] * away + [(3.0, 1)] * back
    crank = Crank(a_site(), nowcast=False)
    last = (0, 0)
    for minute, (state, quality) in enumerate(said):
        readings = [(OUT, minute, depth), (IN, minute, 0.0), (UP, minute, 0.0), (RAIN, minute, 0.0)]
        crank.tick(minute, *readings, (GATE, minute, state, quality))
        shown = level(crank, "s"), int(crank.engine.state.alarm_severity[0])
        if minute > 4:
            assert shown[0] >= last[0], f"level at minute {minute}"
            assert shown[1] >= last[1], f"alarm at minute {minute}"
        last = shown


@settings(max_examples=15, deadline=None)
@given(
    runs=st.lists(GOOD_RUN, min_size=1, max_size=5),
    more=st.floats(0.0, 0.4),
    key=st.sampled_from([UP, IN]),
)
def test_more_water_is_never_a_lower_level(runs: list[tuple[int, float, int]], more: float, key: str) -> None:
    less, extra = Crank(a_site()), Crank(a_site())
    for minute, readings in enumerate(readings_of(runs, key)):
        less.tick(minute, *readings)
        extra.tick(minute, *[(k, at, value + more, q) for k, at, value, q in _full(readings)])
    for name in ("up", "s"):
        assert level(extra, name) >= level(less, name)


def _full(readings: list[Reading]) -> list[tuple[str, float, float, int]]:
    return [(*entry, 1)[:4] for entry in readings]


feed = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from([UP, OUT, IN, GATE, RAIN]),
            st.floats(-1.5, 0.0),
            st.sampled_from([0.0, 0.05, 0.16, 0.29, 3.0, 20.0]),
            st.sampled_from([1, 1, 1, 2, 3, 4, 9]),
        ),
        max_size=8,
    ),
    min_size=1,
    max_size=12,
)
"""Per tick: readings as (key, minutes before the tick, value, quality), repeats, conflicts and late ones among them."""


def play(ticks: list[list[Any]], order: list[int] | None = None) -> bytes:
    crank = Crank(a_site())
    for number, entries in enumerate(ticks):
        minute = number + 1
        readings = [(key, round(minute + at, 1), value, quality) for key, at, value, quality in entries]
        if order is not None:
            readings = [readings[i % len(readings)] for i in _permutation(order, len(readings))] if readings else []
        crank.tick(minute, *readings)
    return log_of(crank.outputs)


def _permutation(keys: list[int], size: int) -> list[int]:
    return sorted(range(size), key=lambda i: (keys[i % len(keys)], i * 7919 % 31))


@settings(max_examples=25, deadline=None)
@given(ticks=feed, order=st.lists(st.integers(0, 100), min_size=8, max_size=8))
def test_order_within_a_tick_does_not_matter(ticks: list[list[Any]], order: list[int]) -> None:
    assert play(ticks, order) == play(ticks)


@settings(max_examples=15, deadline=None)
@given(ticks=feed, at=st.integers(0, 11))
def test_restored_snapshot_goes_on_as_if_nothing_happened(ticks: list[list[Any]], at: int) -> None:
    crank = Crank(a_site())
    for number, entries in enumerate(ticks):
        minute = number + 1
        if number == at:
            data = dump_state(crank.engine.state, crank.engine.plant.arrays)
            plant = plant_of(a_site(), from_us(crank.engine.state.tick_us) if number else START)
            crank.engine = Engine(load_state(data, plant.arrays), plant)
        crank.tick(minute, *[(key, round(minute + a, 1), value, quality) for key, a, value, quality in entries])
    plain = Crank(a_site())
    for number, entries in enumerate(ticks):
        plain.tick(number + 1, *[(key, round(number + 1 + a, 1), value, quality) for key, a, value, quality in entries])
    assert_same_log(log_of(crank.outputs), log_of(plain.outputs))
    assert memory_of(crank) == memory_of(plain)


def test_every_array_of_the_memory_comes_back_from_a_snapshot() -> None:
    """Each filled with numbers of its own, the nowcast's times among them, whatever a drawn feed would leave empty."""
    crank = Crank(a_site())
    state, arrays = crank.engine.state, crank.engine.plant.arrays
    rng = np.random.default_rng(3)
    for entry in array_fields():
        values = getattr(state, entry.name)
        values[...] = rng.integers(1, 100, values.shape)
    loaded = load_state(dump_state(state, arrays), arrays)
    for entry in array_fields():
        assert np.array_equal(getattr(loaded, entry.name), getattr(state, entry.name)), entry.name
    assert {"ahead_us", "ahead_min", "ahead_p", "ahead_members", "ahead_order_min"} <= {f.name for f in array_fields()}


def memory_of(crank: Crank) -> bytes:
    return dump_state(crank.engine.state, crank.engine.plant.arrays)


@settings(max_examples=40, deadline=None)
@given(
    depths_m=st.lists(st.sampled_from([0.0, 0.149, 0.15, 0.2]), min_size=2, max_size=30),
    step_s=st.integers(12, 80),
)
def test_two_consecutive_samples_at_15_cm_alarm_orange_within_one_tick(depths_m: list[float], step_s: int) -> None:
    """FloodNet's requirement: no later than the second sample plus one 60 s tick."""
    crank = Crank(a_site())
    samples = [(number * step_s / 60, depth) for number, depth in enumerate(depths_m)]
    last_minute = int(samples[-1][0]) + 1
    raised_at: float | None = None
    for minute in range(1, last_minute + 1):
        due = [(UP, at, depth) for at, depth in samples if minute - 1 < at <= minute or (minute == 1 and at == 0)]
        output = crank.tick(minute, *due)
        if raised_at is None and any(e.subject == "space/up" and e.severity >= 3 for e in output.events):
            raised_at = minute
    second = next(
        (samples[i][0] for i in range(1, len(samples)) if samples[i][1] >= 0.15 and samples[i - 1][1] >= 0.15), None
    )
    if second is not None:
        assert raised_at is not None
        assert timedelta(minutes=raised_at - second) <= timedelta(minutes=1)
