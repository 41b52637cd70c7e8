"""What holds for every head, barrier and storage table: more water outside never means less inside, none is lost."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.hydraulics import (
    StorageCurve,
    entrance_inflow_m3_s,
    pump_switch,
    submergence_factor,
    weir_m3_s,
)
from risk.nowcast.balance import run_balance
from risk.nowcast.block import Likeness, block_of
from risk.nowcast.layout import Layout, Now
from risk.nowcast.members import EFFECTIVE_MIN, MIDDLE_MIN, OUTSIDE_PATHS, STEPS
from tests.unit.risk_nowcast.test_kernel import drawn

HEADS = st.floats(-1.0, 5.0)
WIDTHS = st.floats(0.1, 50.0)


@st.composite
def curves(draw: st.DrawFn) -> StorageCurve:
    steps = draw(st.lists(st.floats(0.05, 3.0), min_size=0, max_size=5))
    depths = np.concatenate(([0.0], np.cumsum(steps)))
    areas = draw(st.lists(st.floats(1.0, 1e5), min_size=len(depths), max_size=len(depths)))
    return StorageCurve(depths, np.array(areas))


@given(WIDTHS, HEADS, HEADS, st.floats(0.0, 2.0), st.booleans())
def test_inflow_never_falls_as_the_outside_rises(width: float, a: float, b: float, height: float, closed: bool) -> None:
    low, high = sorted((a, b))
    flow = entrance_inflow_m3_s(width, np.array([low, high]), height, closed, 0.2)
    assert flow[0] <= flow[1]


@given(WIDTHS, HEADS, st.floats(0.0, 2.0))
def test_a_closed_barrier_never_lets_in_more_than_an_open_one(width: float, head: float, height: float) -> None:
    opened, closed = (float(entrance_inflow_m3_s(width, head, height, state, 0.0)) for state in (False, True))
    assert closed <= opened
    assert opened == pytest.approx(float(weir_m3_s(width, head)))


@given(st.floats(0.01, 5.0), HEADS, HEADS)
def test_water_inside_only_ever_slows_the_inflow(outside: float, a: float, b: float) -> None:
    low, high = sorted((a, b))
    factor = submergence_factor(outside, np.array([low, high]))
    assert 0.0 <= factor[1] <= factor[0] + 1e-9
    assert factor[0] <= 1.0 + 1e-9


@given(curves(), st.floats(0.0, 10.0))
def test_depth_and_volume_are_inverses(curve: StorageCurve, depth: float) -> None:
    assert float(curve.depth_at_m(curve.volume_at_m3(depth))) == pytest.approx(depth, rel=1e-6, abs=1e-6)


@given(curves(), st.floats(0.0, 10.0), st.floats(0.0, 10.0))
def test_more_depth_is_more_volume(curve: StorageCurve, a: float, b: float) -> None:
    low, high = sorted((a, b))
    volume = curve.volume_at_m3(np.array([low, high]))
    assert volume[0] <= volume[1]


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 20.0))
def test_mass_balance_of_a_pumped_space(seed: int, stronger: float) -> None:
    """In the ensemble's own kernel each space holds what came in less what was lifted, and never less than nothing.

    What comes in and which pumps run is worked out here by the formulas, step by step from the kernel's volumes.
    """
    layout, now = drawn(seed, 4)
    layout = replace(layout, pump_m3_s=layout.pump_m3_s * stronger)
    volume = run_balance(block_of(layout, now, np.arange(4), Likeness.of(layout, now))).volume_m3.astype(np.float64)
    _, paths, barriers, pumps, spaces = volume.shape
    for path, barrier, pump, space in product((0, paths - 1), range(barriers), range(pumps), range(spaces)):
        held = volume[:, path, barrier, pump, space]
        rows, powered = layout.space == space, now.pump_powered[space] & (pump == 0)
        running, entered, lifted = now.pump_running[space], 0.0, 0.0
        for step in range(STEPS):
            running = pump_switch(running, held[step], layout.pump_on_m3[space], layout.pump_off_m3[space], powered)
            coming = _comes_in_m3(layout, now, (space, rows), (step, path), hold=barrier == 0)
            out = min(60.0 * float((layout.pump_m3_s[space] * running).sum()), held[step] + coming)
            entered, lifted = entered + coming, lifted + out
        assert held[-1] == pytest.approx(held[0] + entered - lifted, rel=1e-4, abs=0.05)
        assert held.min() >= 0.0


def _comes_in_m3(layout: Layout, now: Now, space: tuple[int, np.ndarray], at: tuple[int, int], *, hold: bool) -> float:
    """Return what comes into a space in a step of a path: through its entrances, as rain, and unseen. [m³]"""
    (row, rows), (step, path) = space, at
    head = now.outside_m[rows] + MIDDLE_MIN[step, path] * np.maximum(now.rise_m_min[rows], 0.0) - layout.crest_m[rows]
    closed = now.closed[rows] & hold
    flow = entrance_inflow_m3_s(
        layout.width_m[rows], head, layout.barrier_height_m[rows], closed, layout.leakage_m3_h_m2[rows]
    )
    rain = now.rain_mm_h[row] / 3.6e6 * layout.ramp_m2[row] * OUTSIDE_PATHS[path].rain_persistence
    unseen = now.unseen_m3_min[row] * (EFFECTIVE_MIN[step + 1, path] - EFFECTIVE_MIN[step, path])
    return 60.0 * (float(flow.sum()) + float(rain)) + float(unseen)
