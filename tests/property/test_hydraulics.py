"""What holds for every head, barrier and storage table: more water outside never means less inside, none is lost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from risk.hydraulics import (
    StorageCurve,
    entrance_inflow_m3_s,
    pump_discharge_m3_s,
    pump_switch,
    submergence_factor,
    weir_m3_s,
)

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


@example(StorageCurve.from_rows([(0.0, 10.0)]), [0.06, 0.0], 1.0, True)  # 3.6 m³ are there, 60 could be lifted
@given(curves(), st.lists(st.floats(0.0, 2.0), min_size=1, max_size=30), st.floats(0.0, 1.0), st.booleans())
def test_mass_balance_of_a_pumped_space(
    curve: StorageCurve, inflows: list[float], capacity: float, powered: bool
) -> None:
    """Integrated in depth, the space holds what came in less what was lifted, and never less than nothing."""
    step_s, depth, running, entered, lifted = 60.0, 0.0, np.array(False), 0.0, 0.0
    for inflow in inflows:
        running = pump_switch(running, depth, 0.3, 0.1, powered)
        volume = float(curve.volume_at_m3(depth)) + inflow * step_s
        out = float(pump_discharge_m3_s(capacity, running, volume, step_s)) * step_s
        entered, lifted = entered + inflow * step_s, lifted + out
        depth = float(curve.depth_at_m(max(0.0, volume - out)))
    assert float(curve.volume_at_m3(depth)) == pytest.approx(entered - lifted, rel=1e-6, abs=1e-4)
    assert powered or lifted == 0.0
