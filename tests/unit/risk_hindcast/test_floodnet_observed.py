"""The figures promised for observed floods: late events, which nothing was tuned on."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from risk.hindcast.floodnet import report, run_hindcast
from risk.hindcast.floodnet_csv import read_events
from risk.nowcast.outside import Target

FOLDER = os.environ.get("UNDERCROFT_FLOODNET_DIR", "")
LATE = date(2024, 7, 1)


@pytest.mark.slow
@pytest.mark.skipif(not FOLDER, reason="UNDERCROFT_FLOODNET_DIR names no folder with FloodNet events")
def test_late_floods_are_foreseen_better_than_by_simple_alarms_and_reliably() -> None:
    events = read_events(Path(FOLDER) / "flood-events.csv", Path(FOLDER) / "sensor-metadata.csv")
    scores = report(run_hindcast(events, Target(0.15, 1800.0)), 0.8, LATE)
    whole, tidal, _ = scores["parts"]
    assert [row["csi"] >= row["goal_csi"] for row in whole["frontier"]] == [True] * 3, whole["frontier"]
    for row in tidal["frontier"][:2]:  # at 15 min tidal floods miss the goal: 14.7 % of the gap, see docs/nowcast.md
        assert row["csi"] >= row["goal_csi"], row
    for part in (whole, tidal):  # at the median lead that the probability of the earlier events has on the late ones
        assert all(row["held_out"] and row["gap_closed_at_its_lead"] >= 0.15 for row in part["frontier"]), part
    for part in scores["parts"]:
        assert [row for row in part["reliability"] if not row["reliable"]] == []
