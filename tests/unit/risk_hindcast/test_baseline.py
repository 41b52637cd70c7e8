from __future__ import annotations

import math

import numpy as np

from risk.hindcast.baseline import fraction_alarm_s, simple_alarms, time_needed_s, trend_alarm_s
from risk.nowcast.track import Track

MINUTES = np.arange(0.0, 900.0, 60.0)
RAMP = Track("a", 0.0, MINUTES, 0.01 * MINUTES / 60.0, 0.0, 0.0, tidal=False)
"""1 cm a minute: 0.14 m after 14 minutes."""


def test_fraction_of_the_threshold() -> None:
    """Half of 0.09 m is reached with the sample of minute 5."""
    assert fraction_alarm_s(RAMP, 0.09, 0.5) == 300.0
    assert math.isnan(fraction_alarm_s(RAMP, 1.0, 0.5))


def test_trend_by_hand() -> None:
    """0.10 m at 1 cm a minute: from 3 cm (minute 3) 7 min away; within 5 min at minute 5, alarm at minute 6."""
    need = time_needed_s(RAMP, 0.10, 300.0)
    assert np.isinf(need[:3]).all()
    assert np.allclose(need[3:10], 60.0 * np.arange(7, 0, -1))
    assert trend_alarm_s(RAMP, 0.10, need, 301.0) == 360.0
    assert trend_alarm_s(RAMP, 0.10, need, 3000.0) == 240.0


def test_a_sample_at_the_threshold_alarms_at_once() -> None:
    jump = Track("a", 0.0, np.array([0.0, 60.0]), np.array([0.0, 0.5]), 0.0, 0.0, tidal=False)
    assert trend_alarm_s(jump, 0.15, time_needed_s(jump, 0.15, 300.0), 300.0) == 60.0


def test_every_alarm_is_tried() -> None:
    alarms = list(simple_alarms([RAMP], 0.10))
    assert len(alarms) == 17 + 5 * 10
    assert len({alarm.name for alarm in alarms}) == len(alarms)
