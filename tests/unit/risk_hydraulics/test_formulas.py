"""Expected values are those of the sources, or worked by hand in the docstrings; none comes from the code."""

from __future__ import annotations

import math

import numpy as np
import pytest

from risk.hydraulics import (
    LEAKAGE_LIMIT_M3_H_M2,
    door_handle_force_n,
    entrance_inflow_m3_s,
    fill_time_s,
    leakage_m3_s,
    pump_discharge_m3_s,
    pump_switch,
    specific_force_m2,
    stair_inflow_m3_s,
    stair_specific_force_m2,
    stair_velocity_m_s,
    submergence_factor,
    weir_m3_s,
)
from undercroft.site.model import LeakageGrade


@pytest.mark.parametrize(
    ("head_m", "flow"), [(0.05, 0.019), (0.10, 0.054), (0.15, 0.099), (0.20, 0.152), (0.30, 0.279), (0.50, 0.60)]
)
def test_weir_per_metre_as_in_the_table(head_m: float, flow: float) -> None:
    assert float(weir_m3_s(1.0, head_m)) == pytest.approx(flow, abs=0.0015)


def test_five_centimetres_over_a_six_metre_barrier() -> None:
    assert float(weir_m3_s(6.0, 0.05)) * 3600.0 == pytest.approx(410.0, abs=1.0)


def test_no_flow_at_or_below_the_crest() -> None:
    assert weir_m3_s(6.0, np.array([-1.0, 0.0])).tolist() == [0.0, 0.0]
    assert float(stair_inflow_m3_s(6.0, -0.2)) == 0.0


def test_unknown_level_gives_unknown_flow() -> None:
    assert math.isnan(float(weir_m3_s(6.0, math.nan)))
    assert math.isnan(float(entrance_inflow_m3_s(6.0, math.nan, 0.5, True, 0.2)))
    assert math.isnan(float(submergence_factor(math.nan, 0.1)))
    assert math.isnan(float(fill_time_s(0.0, math.nan, 1.0)))


def test_negative_width_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="width_m"):
        weir_m3_s(-1.0, 0.1)


def test_stairs_by_hand_and_near_the_weir_within_the_experiments() -> None:
    assert float(stair_inflow_m3_s(1.0, 0.10)) == pytest.approx(0.0474, abs=0.0001)
    for head_m in (0.05, 0.1, 0.2, 0.3, 0.5):
        assert float(stair_inflow_m3_s(1.0, head_m) / weir_m3_s(1.0, head_m)) == pytest.approx(1.0, abs=0.2)


def test_stairs_beyond_the_experiments_are_refused() -> None:
    with pytest.raises(ValueError, match="street_depth_m"):
        stair_inflow_m3_s(1.0, 0.51)


@pytest.mark.parametrize(
    ("inside", "factor"), [(-0.2, 1.0), (0.0, 1.0), (0.6, 1.0), (0.9, 0.739), (1.0, 0.0), (1.4, 0.0)]
)
def test_submergence(inside: float, factor: float) -> None:
    assert float(submergence_factor(1.0, inside)) == pytest.approx(factor, abs=0.0006)


def test_leakage_of_a_six_metre_barrier() -> None:
    grade = LEAKAGE_LIMIT_M3_H_M2[LeakageGrade.WS1]
    assert float(leakage_m3_s(6.0, 0.5, 0.5, grade)) * 3600.0 == pytest.approx(0.6)
    assert float(leakage_m3_s(6.0, 0.9, 0.5, grade)) * 3600.0 == pytest.approx(0.6)
    assert float(leakage_m3_s(6.0, -0.1, 0.5, grade)) == 0.0


@pytest.mark.parametrize(
    ("grade", "limit"),
    [("Ws-1", 0.2), ("Ws-2", 0.05), ("Ws-3", 0.02), ("Ws-4", 0.01), ("Ws-5", 0.004), ("Ws-6", 0.001)],
)
def test_grades_of_jis_a_4716(grade: str, limit: float) -> None:
    assert LEAKAGE_LIMIT_M3_H_M2[LeakageGrade(grade)] == limit


def test_entrance_open_closed_and_overtopped() -> None:
    assert float(entrance_inflow_m3_s(6.0, 0.55, 0.5, False, 0.2)) == pytest.approx(4.16, abs=0.01)
    assert float(entrance_inflow_m3_s(6.0, 0.55, 0.5, True, 0.2)) == pytest.approx(0.1142, abs=0.0002)
    assert float(entrance_inflow_m3_s(6.0, 0.5, 0.5, True, 0.2)) * 3600.0 == pytest.approx(0.6)


def test_pump_switches_with_hysteresis() -> None:
    running, seen = np.array(False), []
    for depth_m in (0.29, 0.30, 0.11, 0.10, 0.29):
        running = pump_switch(running, depth_m, 0.30, 0.10, True)
        seen.append(bool(running))
    assert seen == [False, True, True, False, False]


def test_pump_stands_still_without_power_and_keeps_its_state_when_depth_is_unknown() -> None:
    assert not bool(pump_switch(True, 0.5, 0.3, 0.1, False))
    assert bool(pump_switch(True, math.nan, 0.3, 0.1, True))
    assert not bool(pump_switch(False, math.nan, 0.3, 0.1, True))


def test_pump_with_on_below_off_is_refused() -> None:
    with pytest.raises(ValueError, match="on_depth_m"):
        pump_switch(False, 0.2, 0.1, 0.3, True)


def test_pump_lifts_at_most_what_is_there() -> None:
    assert float(pump_discharge_m3_s(0.05, True, 1.2, 60.0)) == pytest.approx(0.02)
    assert float(pump_discharge_m3_s(0.05, True, 100.0, 60.0)) == pytest.approx(0.05)
    assert float(pump_discharge_m3_s(0.05, False, 100.0, 60.0)) == 0.0
    with pytest.raises(ValueError, match="step_s"):
        pump_discharge_m3_s(0.05, True, 1.0, 0.0)


@pytest.mark.parametrize(
    ("area_m2", "head_m", "minutes"),
    [
        (2000.0, 0.2, (5.5, 11.0, 18.0)),
        (2000.0, 0.5, (1.4, 2.8, 4.6)),
        (5000.0, 0.2, (14.0, 27.0, 46.0)),
        (5000.0, 0.5, (3.5, 6.9, 11.6)),
    ],
)
def test_fill_times_of_a_garage_with_a_six_metre_ramp(
    area_m2: float, head_m: float, minutes: tuple[float, float, float]
) -> None:
    inflow = weir_m3_s(6.0, head_m)
    got = fill_time_s(0.0, area_m2 * np.array([0.15, 0.30, 0.50]), inflow) / 60.0
    assert got == pytest.approx(np.array(minutes), rel=0.03)


def test_fill_time_when_there_already_and_when_never() -> None:
    assert float(fill_time_s(300.0, 300.0, 0.0)) == 0.0
    assert float(fill_time_s(0.0, 300.0, 0.0)) == math.inf
    assert float(fill_time_s(0.0, 300.0, -0.1)) == math.inf


@pytest.mark.parametrize(
    ("street_m", "velocity"), [(0.0, 0.0), (0.1, 2.0), (0.2, 3.0), (0.3, 4.0), (0.5, 6.0), (0.8, 6.0)]
)
def test_velocity_on_stairs(street_m: float, velocity: float) -> None:
    assert float(stair_velocity_m_s(street_m)) == pytest.approx(velocity)


def test_specific_force_at_thirty_centimetres_passes_the_published_limit() -> None:
    assert float(specific_force_m2(4.0, 0.0698)) == pytest.approx(0.116, abs=0.0005)
    assert float(stair_specific_force_m2(4.0, 0.279)) == pytest.approx(0.116, abs=0.0005)
    assert float(stair_specific_force_m2(0.0, 0.0)) == 0.0


@pytest.mark.parametrize(("depth_m", "newtons"), [(0.2, 78.0), (0.3, 177.0), (0.4, 314.0), (0.5, 490.0)])
def test_door_force(depth_m: float, newtons: float) -> None:
    assert float(door_handle_force_n(0.8, depth_m)) == pytest.approx(newtons, abs=0.7)
