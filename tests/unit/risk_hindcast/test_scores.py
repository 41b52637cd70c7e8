"""Scores counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.hindcast.scores import (
    Cases,
    Contingency,
    Point,
    best_at_lead,
    bootstrap,
    bootstrap_median,
    brier,
    contingency,
    gap_closed,
    lead_times_min,
    median_lead_min,
    reliability,
)

NAN = math.nan
ALARM = np.array([0.0, 600.0, 700.0, NAN, 300.0, NAN])
CROSSING = np.array([600.0, 600.0, 600.0, 900.0, NAN, NAN])


def test_table_by_hand() -> None:
    """Early and simultaneous alarms hit; a late one and none miss; one without a crossing is false."""
    table = contingency(ALARM, CROSSING)
    assert table == Contingency(hits=2, misses=2, false_alarms=1, quiet=1)
    assert [table.pod, table.far, table.csi] == pytest.approx([0.5, 1 / 3, 0.4])
    assert lead_times_min(ALARM, CROSSING).tolist() == [10.0, 0.0]
    assert median_lead_min(ALARM, CROSSING) == 5.0


def test_scores_without_any_event_are_unknown_not_zero() -> None:
    empty = contingency(np.array([NAN]), np.array([NAN]))
    assert math.isnan(empty.pod)
    assert math.isnan(empty.far)
    assert math.isnan(empty.csi)


times = st.lists(st.tuples(*[st.one_of(st.just(NAN), st.floats(0, 1e4))] * 2), max_size=30)


@given(times, st.integers(0, 30))
def test_tables_add_up_over_storms(pairs: list[tuple[float, float]], cut: int) -> None:
    rows = np.array(pairs).reshape(-1, 2)
    parts = [contingency(part[:, 0], part[:, 1]) for part in (rows[:cut], rows[cut:])]
    whole = contingency(rows[:, 0], rows[:, 1])
    assert parts[0] + parts[1] == whole
    assert whole.hits + whole.misses + whole.false_alarms + whole.quiet == len(pairs)


def test_best_point_needs_the_lead() -> None:
    points = [Point(0.9, 5.0, "late"), Point(0.6, 12.0, "early"), Point(0.5, 20.0, "earlier")]
    assert best_at_lead(points, 8.0).name == "early"
    assert best_at_lead(points, 30.0) == Point(0.0, 0.0, "none")


def test_gap_closed() -> None:
    assert gap_closed(0.7, 0.6) == pytest.approx(0.25)
    assert math.isnan(gap_closed(1.0, 1.0))


def test_brier_and_reliability_by_hand() -> None:
    """Two events with 2 + 1 cases at 0.25: residuals 0.75, -0.25 | -0.25; SE = sqrt(0.5² + 0.25²) / 3 = 0.186."""
    cases = Cases(np.array([0.25, 0.25, 0.25, 1.0]), np.array([1.0, 0.0, 0.0, 1.0]), np.array([0, 0, 1, 2]))
    assert brier(cases) == pytest.approx((0.5625 + 0.0625 + 0.0625) / 4)
    low, high = reliability(cases)
    assert (low.low, low.cases, low.events) == (0.2, 3, 2)
    assert low.observed == pytest.approx(1 / 3)
    assert low.standard_error == pytest.approx(math.sqrt(0.25 + 0.0625) / 3)
    assert low.reliable
    assert (high.low, high.forecast, high.observed) == (0.9, 1.0, 1.0)


def test_a_biased_bin_is_not_reliable() -> None:
    cases = Cases(np.full(400, 0.75), np.tile([1.0, 0.0], 200), np.arange(400))
    assert not reliability(cases)[0].reliable


def test_bootstrap_draws_days_not_events() -> None:
    """One day all hits, one day all false alarms: draws of two days give CSI 0, 0.5 or 1."""
    alarm, crossing = np.zeros(20), np.array([60.0] * 10 + [NAN] * 10)
    days = np.repeat([1, 2], 10)
    assert bootstrap(alarm, crossing, days, "csi") == (0.0, 1.0)
    assert bootstrap(alarm, crossing, days, "far") == (0.0, 1.0)
    assert bootstrap(alarm, crossing, days, "pod") == (1.0, 1.0)  # draws without any crossing have none
    assert bootstrap(alarm[:10], crossing[:10], np.repeat([1, 2], 5), "csi") == (1.0, 1.0)
    assert all(math.isnan(end) for end in bootstrap(np.array([NAN]), np.array([NAN]), np.array([1]), "csi"))


def test_bootstrap_of_a_median_draws_days() -> None:
    """Medians of draws of the days (1, 1) and (3): 1, 1 or 3; of one day alone, its own."""
    assert bootstrap_median(np.array([1.0, 1.0, 3.0]), np.array([1, 1, 2])) == (1.0, 3.0)
    assert bootstrap_median(np.array([1.0, 2.0, 3.0]), np.array([1, 1, 1])) == (2.0, 2.0)
    assert all(math.isnan(end) for end in bootstrap_median(np.zeros(0), np.zeros(0, np.int64)))
