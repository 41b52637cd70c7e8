"""The tick looks only at the level sensors that can matter; looking at all of them must give the same, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import risk.rules
from risk.arrays import FloatArray, IntArray, SiteArrays
from risk.evidence import Seen
from risk.evidence import _seen as seen_after
from risk.levels import in_force, level_table
from risk.rules import DERIVED as STEP_FAMILIES
from risk.rules import _rise as rise_family
from risk.rules import _water as water_family
from risk.rules import rows_with_memory
from risk.snapshot import dump_state
from risk.state import FAMILIES, EngineState, fresh_state
from risk.statics import statics_of
from tests.property.test_engine import GATE, IN, OUT, RAIN, UP, log_of
from tests.unit.risk.builders import START, Crank, guarded, site, underpass

feed = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from([UP, OUT, IN, GATE, RAIN, "met-out:water_depth_m", "met-in:water_depth_m"]),
            st.floats(-2.5, 0.0),
            st.sampled_from([-0.01, 0.0, 0.009, 0.01, 0.019, 0.02, 0.03, 0.1, 0.16, 0.29, 3.0, 20.0]),
            st.sampled_from([1, 1, 1, 1, 2, 3, 4, 9]),
        ),
        max_size=8,
    ),
    min_size=1,
    max_size=30,
)
"""Depths around what wakes a sensor (1 cm), what a rule can fire at (2 cm), and far above."""

SITE = SiteArrays.from_site(site(underpass(), guarded("s", "car_park"), guarded("met", "metro_entrance")), START)
STATICS = statics_of(SITE)


def every_row(state: EngineState, seen: Seen, depth: FloatArray) -> IntArray:
    del state, seen
    return np.arange(depth.size)


def play(ticks: list[list[Any]]) -> tuple[bytes, bytes]:
    crank = Crank(site(underpass(), guarded("s", "car_park"), guarded("met", "metro_entrance", crest=0.04)))
    for number, entries in enumerate(ticks):
        minute = number + 1
        crank.tick(minute, *[(key, round(minute + at, 1), value, quality) for key, at, value, quality in entries])
    return log_of(crank.outputs), dump_state(crank.engine.state, crank.engine.plant.arrays)


@settings(max_examples=30, deadline=None)
@given(ticks=feed)
def test_narrowed_tick_says_what_the_full_one_says(ticks: list[list[Any]]) -> None:
    narrowed = play(ticks)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(risk.rules, "rows_that_matter", every_row)
        assert play(ticks) == narrowed


@settings(max_examples=20)
@given(
    steps=st.lists(
        st.tuples(st.lists(st.booleans(), min_size=2, max_size=2), st.lists(st.booleans(), min_size=5, max_size=5)),
        min_size=1,
        max_size=8,
    )
)
def test_table_in_force_kept_up_is_the_one_made_anew(steps: list[tuple[list[bool], list[bool]]]) -> None:
    """Only columns that changed are worked out; that must leave what working out all of them gives."""
    arrays = SITE
    assert (len(arrays.entrances), arrays.l_sensor.size) == (3, 5)
    kept = level_table(arrays)
    for closed, rising in steps:
        shut, climbing = np.array([*closed, False]), np.array(rising)
        anew = in_force(level_table(arrays), arrays, shut, climbing)
        assert np.array_equal(in_force(kept, arrays, shut, climbing), anew)
        for column, entrance in enumerate(arrays.l_entrance):
            top = kept.closed_m if entrance >= 0 and shut[entrance] else kept.open_m
            assert np.array_equal(anew[:3, column], top[:3, column])


@given(space=st.integers(0, 2), family=st.sampled_from(STEP_FAMILIES), place=st.integers(0, 2), of=st.integers(1, 4))
def test_no_space_with_a_memory_is_passed_over(space: int, family: int, place: int, of: int) -> None:
    memory = fresh_state(SITE, 1)
    memory.derived_last[space, family, place] = of
    assert space in rows_with_memory(memory)


@settings(max_examples=75, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from([0.0, 0.005, 0.02, 0.16]),
            st.tuples(*[st.sampled_from([-np.inf, 0.0, 0.005, 0.03, 0.16, 0.4])] * 3),
            st.booleans(),
            st.integers(0, 3),
        ),
        min_size=5,
        max_size=5,
    )
)
def test_every_sensor_that_can_say_something_wakes(rows: list[tuple[float, tuple[float, ...], bool, int]]) -> None:
    """What stands now, three samples, a part in an alarm, good samples in a row: nobody asleep says a thing.

    Past samples and a part in an alarm matter for what lasts only, which a drawn feed seldom shows.
    """
    state = fresh_state(SITE, 1)
    state.held[SITE.l_sensor] = [depth for depth, *_ in rows]
    state.last_m[:] = [samples for _, samples, *_ in rows]
    state.last_rate[:] = 0.004
    state.implicated[:] = [part for *_, part, _ in rows]
    state.good_run[SITE.l_sensor] = [good for *_, good in rows]
    seen = seen_after(state, SITE, (np.zeros(SITE.n_spaces, np.bool_),) * 2, [])
    depth, least = seen.depth_m, STATICS.levels.open_m
    said = []
    for chosen in (np.arange(depth.size), risk.rules.rows_that_matter(state, seen, depth)):
        views = tuple(np.zeros((len(FAMILIES), SITE.n_spaces), np.int8) for _ in range(4))
        part = water_family(state, SITE, STATICS, seen, (depth, least, chosen), views)
        part |= rise_family(state, SITE, STATICS, seen, (depth, chosen), views)
        said.append((*views, part))
    assert all(np.array_equal(full, narrowed) for full, narrowed in zip(*said, strict=True))
