"""Scores on generated storms whose truth is known: was every red foreseen, how early was orange, what was false."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from risk.hindcast.scores import Contingency, contingency
from risk.hydraulics.arrays import FloatArray, floats

GRACE_S = 60.0
"""An alarm this long after the true crossing still counts: a reading tells of it one sample later. [s]"""
POD_GOAL, LEAD_SHARE_GOAL = 0.98, 0.60


@dataclass(frozen=True, slots=True)
class TrueStorm:
    """One space in one storm, truth and alarms in seconds after the storm began; NaN for never.

    Attributes
    ----------
    storm, space : str
        Which.
    first_wet_s : float
        First wet reading outside any of its entrances.
    orange_s, red_s : float
        When the true state reached orange and red.
    barrier_open : bool
        Whether a barrier that should have kept the water out was truly open when red was reached.
    alarm_orange_s, alarm_red_s : float
        When the alarm first stood at orange or above, and at red.
    """

    storm: str
    space: str
    first_wet_s: float
    orange_s: float
    red_s: float
    barrier_open: bool
    alarm_orange_s: float
    alarm_red_s: float


@dataclass(frozen=True, slots=True)
class TruthScores:
    """What the storms say.

    Attributes
    ----------
    red, orange : Contingency
        Alarms against true crossings.
    missed_red_while_open : tuple of (storm, space)
        Reds that were missed although a barrier was truly open; must be empty.
    orange_lead_share : float
        Median of lead over the time from the first wet outside reading to orange; NaN without a case.
    """

    red: Contingency
    orange: Contingency
    missed_red_while_open: tuple[tuple[str, str], ...]
    orange_lead_share: float

    @property
    def good_enough(self) -> bool:
        """Whether all three goals are met; unknown figures do not meet them."""
        return self.red.pod >= POD_GOAL and not self.missed_red_while_open and self.orange_lead_share >= LEAD_SHARE_GOAL


def score_truth(storms: Sequence[TrueStorm], grace_s: float = GRACE_S) -> TruthScores:
    """Return the scores over storms; tables of parts add up to that of the whole."""
    red_alarm, red = _column(storms, "alarm_red_s"), _column(storms, "red_s")
    orange_alarm, orange = _column(storms, "alarm_orange_s"), _column(storms, "orange_s")
    caught = red_alarm <= red + grace_s
    missed = tuple(
        (storm.storm, storm.space)
        for storm, hit in zip(storms, caught, strict=True)
        if storm.barrier_open and np.isfinite(storm.red_s) and not hit
    )
    shares = lead_shares(orange_alarm, orange, _column(storms, "first_wet_s"))
    median = float(np.median(shares)) if shares.size else float("nan")
    return TruthScores(
        contingency(red_alarm, red + grace_s), contingency(orange_alarm, orange + grace_s), missed, median
    )


def lead_shares(alarm_s: FloatArray, crossing_s: FloatArray, first_wet_s: FloatArray) -> FloatArray:
    """Return lead over the time there was, per crossing; a missed crossing counts 0.

    By hand: wet at 600 s, orange at 1800 s: 1200 s there were; alarm at 900 s leads by 900 s: 0.75. An alarm before the
    first wet reading can give more than 1. Crossings without a wet reading before them are left out: nothing could be
    seen outside.
    """
    available = crossing_s - first_wet_s
    usable = available > 0.0
    lead = np.where(np.isnan(alarm_s), 0.0, np.maximum(crossing_s - alarm_s, 0.0))
    return floats(lead[usable] / available[usable])


def _column(storms: Sequence[TrueStorm], name: str) -> FloatArray:
    return floats([getattr(storm, name) for storm in storms])
