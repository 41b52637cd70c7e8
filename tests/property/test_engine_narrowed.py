"""The tick looks only at the level sensors that can matter; looking at all of them must give the same, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import risk.rules
from risk.arrays import FloatArray, IntArray
from risk.evidence import Seen
from risk.snapshot import dump_state
from risk.state import EngineState
from tests.property.test_engine import GATE, IN, OUT, RAIN, UP, log_of
from tests.unit.risk.builders import Crank, guarded, site, underpass

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


def every_row(state: EngineState, seen: Seen, depth: FloatArray) -> IntArray:
    del state, seen
    return np.arange(depth.size)


def play(ticks: list[list[Any]]) -> tuple[bytes, bytes]:
    crank = Crank(site(underpass(), guarded("s", "car_park"), guarded("met", "metro_entrance", crest=0.04)))
    for number, entries in enumerate(ticks):
        minute = number + 1
        crank.tick(minute, *[(key, round(minute + at, 1), value, quality) for key, at, value, quality in entries])
    return log_of(crank.outputs), dump_state(crank.engine.state, crank.engine.plant.arrays)


@settings(max_examples=150, deadline=None)
@given(ticks=feed)
def test_narrowed_tick_says_what_the_full_one_says(ticks: list[list[Any]]) -> None:
    narrowed = play(ticks)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(risk.rules, "rows_that_matter", every_row)
        assert play(ticks) == narrowed
