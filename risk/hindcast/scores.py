"""Scores of warnings: contingency tables that add up, lead times, Brier score, reliability, bootstrap over days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from risk.hydraulics.arrays import FloatArray, floats

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Contingency:
    """Warnings against events. Tables of separate storms add up with ``+``."""

    hits: int = 0
    misses: int = 0
    false_alarms: int = 0
    quiet: int = 0
    """Neither warned nor happened."""

    def __add__(self, other: Contingency) -> Contingency:
        return Contingency(
            self.hits + other.hits,
            self.misses + other.misses,
            self.false_alarms + other.false_alarms,
            self.quiet + other.quiet,
        )

    @property
    def pod(self) -> float:
        """Probability of detection, hits over all that happened; NaN when nothing did."""
        return _ratio(self.hits, self.hits + self.misses)

    @property
    def far(self) -> float:
        """False alarm ratio, false alarms over all warnings; NaN without a warning."""
        return _ratio(self.false_alarms, self.hits + self.false_alarms)

    @property
    def csi(self) -> float:
        """Critical success index, hits over hits, misses and false alarms; NaN when there were none of the three."""
        return _ratio(self.hits, self.hits + self.misses + self.false_alarms)


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def contingency(alarm_s: FloatArray, crossing_s: FloatArray) -> Contingency:
    """Return the table of alarms against crossings, both NaN for never; an alarm after the crossing is a miss."""
    crossed, alarmed = np.isfinite(crossing_s), np.isfinite(alarm_s)
    hit = crossed & alarmed & (alarm_s <= crossing_s)
    return Contingency(
        int(hit.sum()), int((crossed & ~hit).sum()), int((~crossed & alarmed).sum()), int((~crossed & ~alarmed).sum())
    )


def lead_times_min(alarm_s: FloatArray, crossing_s: FloatArray) -> FloatArray:
    """Return the lead times of the hits. [min]"""
    lead = crossing_s - alarm_s
    return floats(lead[np.isfinite(lead) & (lead >= 0.0)] / 60.0)


def median_lead_min(alarm_s: FloatArray, crossing_s: FloatArray) -> float:
    """Return the median lead time of the hits; 0 without a hit. [min]"""
    leads = lead_times_min(alarm_s, crossing_s)
    return float(np.median(leads)) if leads.size else 0.0


@dataclass(frozen=True, slots=True)
class Point:
    """Skill of one warning rule."""

    csi: float
    median_lead_min: float
    name: str


def best_at_lead(points: Sequence[Point], lead_min: float) -> Point:
    """Return the point of highest CSI whose median lead is at least the one asked for; CSI 0 when there is none."""
    usable = [point for point in points if point.median_lead_min >= lead_min]
    return max(
        usable, key=lambda point: (point.csi, point.median_lead_min, point.name), default=Point(0.0, 0.0, "none")
    )


def gap_closed(csi: float, baseline_csi: float) -> float:
    """Return the share of the baseline's gap to CSI 1 that is closed; NaN when there is no gap."""
    return (csi - baseline_csi) / (1.0 - baseline_csi) if baseline_csi < 1.0 else float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class Cases:
    """Probability forecasts and what happened: one case per event and 5 minutes.

    Attributes
    ----------
    probability : ndarray
        Forecast.
    happened : ndarray
        1 where the threshold was reached within the horizon, else 0.
    event : ndarray
        The event each case belongs to.
    """

    probability: FloatArray
    happened: FloatArray
    event: IntArray


def brier(cases: Cases) -> float:
    """Return the mean squared error of the probabilities; NaN without a case."""
    return float(np.mean((cases.probability - cases.happened) ** 2)) if cases.event.size else float("nan")


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """One bin of the reliability table."""

    low: float
    cases: int
    events: int
    forecast: float
    observed: float
    standard_error: float
    """Of observed less forecast, clustered by event."""

    @property
    def reliable(self) -> bool:
        """Whether it lies within max(0.1, two standard errors) of the diagonal."""
        return abs(self.observed - self.forecast) <= max(0.1, 2.0 * self.standard_error)


def reliability(cases: Cases, bins: int = 10) -> list[ReliabilityBin]:
    """Return the bins of the reliability table that hold a case.

    The standard error is that of a mean of clustered residuals: sqrt(sum over events of (sum of residuals)²) / n.
    """
    index = np.minimum((cases.probability * bins).astype(np.int64), bins - 1)
    table = []
    for k in np.unique(index):
        inside = index == k
        p, y = cases.probability[inside], cases.happened[inside]
        per_event = np.bincount(cases.event[inside], y - p)
        error = float(np.sqrt(np.sum(per_event**2)) / p.size)
        events = int(np.unique(cases.event[inside]).size)
        table.append(ReliabilityBin(float(k) / bins, int(p.size), events, float(p.mean()), float(y.mean()), error))
    return table


BOOTSTRAP_DRAWS, BOOTSTRAP_SEED = 1000, 20240701
_PARTS = {"pod": ((1, 0, 0), (1, 1, 0)), "far": ((0, 0, 1), (1, 0, 1)), "csi": ((1, 0, 0), (1, 1, 1))}
"""Each score as a part over a whole, of hits, misses and false alarms."""


def bootstrap(
    alarm_s: FloatArray, crossing_s: FloatArray, day: IntArray, score: Literal["pod", "far", "csi"]
) -> tuple[float, float]:
    """Return the 5 and 95 % points of a score when storm days are drawn with replacement; NaN without any."""
    days, of_day = np.unique(day, return_inverse=True)
    tables = [contingency(alarm_s[of_day == k], crossing_s[of_day == k]) for k in range(days.size)]
    counts = np.array([(t.hits, t.misses, t.false_alarms) for t in tables], dtype=np.float64).reshape(-1, 3)
    part_and_whole = counts @ np.array(_PARTS[score], np.float64).T
    if not part_and_whole[:, 1].any():
        return float("nan"), float("nan")
    drawn = part_and_whole[_draws(days.size)].sum(axis=1)
    return _ends(drawn[drawn[:, 1] > 0, 0] / drawn[drawn[:, 1] > 0, 1])


def bootstrap_median(values: FloatArray, day: IntArray) -> tuple[float, float]:
    """Return the 5 and 95 % points of a median when storm days are drawn with replacement; NaN without any."""
    days, of_day = np.unique(day, return_inverse=True)
    if not days.size:
        return float("nan"), float("nan")
    by_day = [values[of_day == k] for k in range(days.size)]
    return _ends(floats([np.median(np.concatenate([by_day[k] for k in pick])) for pick in _draws(days.size)]))


def _draws(days: int) -> IntArray:
    return np.random.default_rng(BOOTSTRAP_SEED).integers(days, size=(BOOTSTRAP_DRAWS, days))


def _ends(drawn: FloatArray) -> tuple[float, float]:
    low, high = np.percentile(drawn, (5.0, 95.0))
    return float(low), float(high)
