"""Three storms counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from risk.hindcast.scores import Contingency
from risk.hindcast.truth import TrueStorm, lead_shares, score_truth

NEVER = math.nan


def storm(space: str, *, red_s: float, alarm_red_s: float, barrier_open: bool = False) -> TrueStorm:
    return TrueStorm("storm", space, 600.0, 1800.0, red_s, barrier_open, 900.0, alarm_red_s)


def test_red_foreseen_red_at_the_next_sample_and_red_missed() -> None:
    storms = [
        storm("a", red_s=2400.0, alarm_red_s=2000.0),
        storm("b", red_s=2400.0, alarm_red_s=2460.0, barrier_open=True),
        storm("c", red_s=2400.0, alarm_red_s=2461.0),
        storm("d", red_s=2400.0, alarm_red_s=NEVER, barrier_open=True),
        storm("e", red_s=NEVER, alarm_red_s=100.0, barrier_open=True),
    ]
    scores = score_truth(storms)
    assert scores.red == Contingency(hits=2, misses=2, false_alarms=1, quiet=0)
    assert scores.missed_red_while_open == (("storm", "d"),)
    assert scores.orange_lead_share == pytest.approx(0.75)
    assert not scores.good_enough
    assert score_truth(storms[:2]).red + score_truth(storms[2:]).red == scores.red
    assert score_truth(storms[:2]).good_enough


def test_lead_shares_by_hand() -> None:
    alarm = np.array([900.0, NEVER, 2000.0, 0.0, 900.0])
    crossing = np.array([1800.0, 1800.0, 1800.0, 1800.0, NEVER])
    wet = np.array([600.0, 600.0, 600.0, NEVER, 600.0])
    assert lead_shares(alarm, crossing, wet).tolist() == [0.75, 0.0, 0.0]


def test_nothing_happened_is_not_good_enough() -> None:
    assert not score_truth([]).good_enough
