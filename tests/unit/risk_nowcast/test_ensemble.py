"""Times worked by hand, and what must hold of every forecast."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.nowcast.deadline import last_order_min
from risk.nowcast.ensemble import nowcast
from risk.nowcast.members import OUTSIDE_PATHS, SHARES, OutsidePath, outside_rise_m
from risk.nowcast.summary import weighted_quantiles
from tests.unit.risk_nowcast.spaces import garages, street


def test_sixty_four_members_whose_shares_are_one() -> None:
    assert SHARES.size == 64
    assert SHARES.sum() == pytest.approx(1.0)
    assert sum(path.share for path in OUTSIDE_PATHS) == pytest.approx(1.0)


@pytest.mark.parametrize(("persistence", "rise_m"), [(0.0, 0.1896), (0.5, 0.2448), (1.0, 0.30), (1.5, 0.3552)])
def test_outside_rise_by_hand(persistence: float, rise_m: float) -> None:
    """2 cm/min for 15 min: 0.02 * (15 p + 15 (1 - p) 0.6321)."""
    got = outside_rise_m(np.array([0.02, -0.02]), OutsidePath(persistence, 1.0, 1.0), np.array([15.0]))
    assert got[0].tolist() == pytest.approx([rise_m, 0.0], abs=0.0001)


def test_open_ramp_fills_as_in_the_table_of_fill_times() -> None:
    """A = 2000 m², 6 m ramp, 0.20 m: 0.15 and 0.30 m inside in 5.5 and 11 min, whatever the barrier would do."""
    layout = garages(1)
    result = nowcast(layout, street(layout, 0.2))
    for times in (result.earliest_min, result.likely_min, result.latest_min):
        assert times[:, 0].tolist() == pytest.approx([5.48, 10.96], abs=0.02)
    assert result.probability[:, :, 0].tolist() == [[1.0, 1.0]] * 3


def test_a_closed_barrier_holds_and_its_failure_is_a_member() -> None:
    """Only the 5 % of members in which it fails let the water in; leakage alone is 6 * 0.2 * 0.2 = 0.24 m³/h."""
    layout = garages(1)
    result = nowcast(layout, street(layout, 0.2, closed=True))
    assert result.probability[0, 0, 0] == pytest.approx(0.05)
    assert math.isinf(result.likely_min[0, 0])
    assert result.earliest_min[0, 0] == pytest.approx(5.48, abs=0.02)
    assert np.isnan(result.last_order_min[:, 0]).all()


def test_a_pump_as_large_as_the_inflow_keeps_the_level_unless_it_fails() -> None:
    layout = garages(1, pump_m3_s=1.0)
    result = nowcast(layout, street(layout, 0.2))
    assert result.probability[2, 0, 0] == pytest.approx(0.10)
    without_power = replace(street(layout, 0.2), pump_powered=np.zeros((1, 1), dtype=bool))
    assert nowcast(layout, without_power).probability[2, 0, 0] == pytest.approx(1.0)


def test_an_outside_threshold_counts_as_well() -> None:
    """Street at -0.20 m rising 1 cm/min steadily reaches -0.10 m in 10 min; half of the members rise faster."""
    layout = replace(garages(1), target_level_m=np.array([[-0.10], [np.inf]]))
    result = nowcast(layout, street(layout, -0.20, 0.01))
    assert result.earliest_min[0, 0] < 10.0 < result.latest_min[0, 0]


def test_dry_and_far_from_wet_is_not_reached_and_unknown_is_unknown() -> None:
    layout = garages(3)
    now = street(layout, -3.0)
    now.outside_m[1] = np.nan
    result = nowcast(layout, now)
    assert np.isinf(result.likely_min[:, [0, 2]]).all()
    assert result.probability[:, :, [0, 2]].tolist() == [[[0.0, 0.0]] * 2] * 3
    assert np.isnan(result.likely_min[:, 1]).all()
    assert np.isnan(result.probability[:, :, 1]).all()


def test_rain_on_the_ramp_runs_in() -> None:
    """60 mm/h on 500 m² is 0.5 m³/min: 15 m³ in 30 min at persistence 1; 16 m³ only where rain grows."""
    layout = replace(garages(1), ramp_m2=np.array([500.0]), target_m3=np.array([[16.0], [1e9]]))
    result = nowcast(layout, replace(street(layout, -3.0), rain_mm_h=np.array([60.0])))
    assert result.probability[1, 0, 0] == pytest.approx(0.20)
    assert result.probability[2, 0, 0] == pytest.approx(0.60)


def test_last_order_by_hand() -> None:
    """Open in 20 min, 4 min to deploy: by minute 16. In 3 it is too late; 5 min are what a barrier must gain."""

    def last(open_min: list[float], up_min: list[float], deploy_min: float = 4.0) -> float:
        opened, up = np.array([open_min]).T, np.array([up_min]).T
        share = np.full(len(open_min), 1.0 / len(open_min))
        return float(last_order_min(opened, up, np.full(opened.shape, deploy_min), share)[0])

    assert last([20.0], [math.inf]) == 16.0
    assert last([3.0], [math.inf]) == -math.inf
    assert last([math.inf], [math.inf]) == math.inf
    assert last([20.0], [25.0]) == 16.0, "overtopped later: no reason not to deploy it"
    assert math.isnan(last([20.0], [24.9])), "it would gain less than 5 min"
    assert last([0.0], [0.0]) == -math.inf, "it stands already"
    assert last([8.0, 20.0], [math.inf, math.inf]) == 4.0, "the sooner of two alike"
    assert last([3.0, 20.0], [math.inf, math.inf]) == 0.0, "perhaps too late, perhaps not: now"
    assert last([3.0, 20.0], [3.0, math.inf]) == 16.0, "a path on which it does not help has no say"


def test_the_barrier_is_in_time_though_the_steepest_street_overtops_it_at_last() -> None:
    """10 cm under the crest and 1 cm/min: 10 min at that rate, 0.6 m to its top. The steepest path: 5.4 min.

    1.7 (1.5 t - 7.5 (1 - e^(-t / 15))) = 10: t = 5.4. With 4 min to deploy the order must come by minute 1.4.
    """
    layout = replace(garages(1), target_level_m=np.array([[0.0], [np.inf]]), barrier_height_m=np.full(1, 0.6))
    result = nowcast(layout, street(layout, -0.10, 0.01))
    assert result.earliest_min[0, 0] == pytest.approx(5.4, abs=0.05)
    assert result.last_order_min[0, 0] == pytest.approx(1.4, abs=0.05)
    steep = nowcast(layout, street(layout, -0.10, 0.10))
    assert steep.last_order_min[0, 0] == -math.inf, "on every path the crest is reached before minute 4"


def test_only_barriers_that_matter_have_to_be_up() -> None:
    """A second door, 2 m higher, takes 40 min: nobody waits for it."""
    layout = garages(1, 2)
    layout = replace(
        layout, crest_m=np.array([0.0, 2.0]), deploy_min=np.array([4.0, 40.0]),
        target_level_m=np.array([[0.0, 2.0], [np.inf, np.inf]]),
    )  # fmt: skip
    result = nowcast(layout, street(layout, -0.10, 0.01))
    assert result.last_order_min[0, 0] == pytest.approx(1.4, abs=0.05)


def test_weighted_quantile_by_hand() -> None:
    values, share = np.array([[3.0], [1.0], [2.0]]), np.array([0.5, 0.2, 0.3])
    assert [float(found[0]) for found in weighted_quantiles(values, share, (0.05, 0.5, 0.95))] == [1.0, 2.0, 3.0]


def test_blocks_do_not_matter() -> None:
    layout = garages(300, 2)
    levels = np.linspace(-0.5, 0.5, 600)
    now = replace(street(layout, 0.0, 0.01), outside_m=levels)
    whole = nowcast(layout, now)
    for space in (0, 255, 256, 299):
        one = garages(1, 2)
        alone = nowcast(one, replace(street(one, 0.0, 0.01), outside_m=levels[2 * space : 2 * space + 2]))
        assert alone.member_min[..., 0].tolist() == whole.member_min[..., space].tolist()


def test_impossible_layouts_are_refused() -> None:
    with pytest.raises(ValueError, match="sorted"):
        replace(garages(2), space=np.array([1, 0]))
    with pytest.raises(ValueError, match="pump_on_m3"):
        replace(garages(1, pump_m3_s=1.0), pump_on_m3=np.array([[1.0]]))


heads = st.floats(-0.5, 0.6)
rates = st.floats(-0.02, 0.05)


@settings(max_examples=40)
@given(heads, st.floats(0.0, 0.3), rates, st.floats(0.0, 0.02), st.booleans(), st.floats(0.0, 0.5))
def test_more_water_is_never_less_danger(
    level: float, more: float, rate: float, faster: float, closed: bool, pump: float
) -> None:
    layout = garages(1, pump_m3_s=pump)
    less = nowcast(layout, street(layout, level, rate, closed=closed))
    high = nowcast(layout, street(layout, level + more, rate + faster, closed=closed))
    assert np.all(high.probability >= less.probability - 1e-9)
    if pump == 0.0:
        assert np.all(high.member_min <= less.member_min + 1e-3)


@settings(max_examples=40)
@given(heads, rates)
def test_probabilities_grow_with_time_and_a_barrier_never_harms(level: float, rate: float) -> None:
    layout = garages(1)
    opened = nowcast(layout, street(layout, level, rate))
    closed = nowcast(layout, street(layout, level, rate, closed=True))
    assert np.all(np.diff(opened.probability, axis=0) >= 0.0)
    assert np.all(closed.probability <= opened.probability + 1e-9)
    assert np.all(opened.earliest_min <= opened.likely_min)
    assert np.all(opened.likely_min <= opened.latest_min)
