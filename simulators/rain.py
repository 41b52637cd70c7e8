"""Storms: a rain-rate table over time, and the ways to make one.

Nested blocks come from published maxima of 1, 2, 3, ... hours; a design storm comes from an intensity formula.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

STEP_MIN = 5
"""Length of one row of a storm's rate table. [min]"""

STEPS_PER_HOUR = 60 // STEP_MIN

SHENZHEN_A_MM_MIN = 8.701
SHENZHEN_C = 0.594
SHENZHEN_B_MIN = 11.13
SHENZHEN_N = 0.555
"""Shenzhen storm-intensity formula, 2015 revision (Shenzhen Meteorological Bureau), as domain note 3.1 has it."""

CHICAGO_PEAK_RATIO = 0.35
"""Share of a Shenzhen design storm before its peak (0.3-0.4 in most Chinese cities)."""


@dataclass(frozen=True, slots=True)
class Storm:
    """Rain over a district.

    Attributes
    ----------
    start_min : int
        When the first row begins, after the start of the run. [min]
    rates_mm_h : tuple of float
        Mean intensity of each step of `STEP_MIN`. [mm/h]
    """

    start_min: int
    rates_mm_h: tuple[float, ...]

    @property
    def total_mm(self) -> float:
        """Rain of the whole storm. [mm]"""
        return math.fsum(self.rates_mm_h) / STEPS_PER_HOUR

    @property
    def peak_min(self) -> int:
        """Middle of the hardest step, rounded down, after the start of the run. [min]"""
        if not self.rates_mm_h:
            return 0
        return self.start_min + self.rates_mm_h.index(max(self.rates_mm_h)) * STEP_MIN + STEP_MIN // 2

    def most_mm(self, minutes: int) -> float:
        """Return the largest rain of any window of this length, a multiple of `STEP_MIN`. [mm]"""
        width = minutes // STEP_MIN
        padded = np.concatenate([np.zeros(width), np.asarray(self.rates_mm_h), np.zeros(width)])
        sums = np.convolve(padded, np.ones(width), mode="valid") / STEPS_PER_HOUR
        return float(sums.max(initial=0.0))

    def cut(self, minutes: int) -> Storm:
        """Return the part before this many minutes of the run."""
        rows = max(0, -(-(minutes - self.start_min) // STEP_MIN))
        return Storm(self.start_min, self.rates_mm_h[:rows])

    def minute_rates_mm_h(self, minutes: int) -> NDArray[np.float64]:
        """Return the intensity in each minute of a run of this length. [mm/h]"""
        rates = np.zeros(max(minutes, self.start_min + len(self.rates_mm_h) * STEP_MIN))
        storm = np.repeat(np.asarray(self.rates_mm_h, dtype=np.float64), STEP_MIN)
        rates[self.start_min : self.start_min + storm.size] = storm
        return rates[:minutes]


def depth_shenzhen_2015_mm(duration_min: float, return_period_years: float) -> float:
    """Depth of the rain of a duration and return period by Shenzhen's 2015 formula.

    ``H = t * 8.701 (1 + 0.594 lg P) / (t + 11.13)^0.555``

    Parameters
    ----------
    duration_min : float
        Duration, > 0; the formula is meant for 5 to 180. [min]
    return_period_years : float
        Return period, >= 1; meant for 2 to 100. [years]

    Returns
    -------
    float
        Depth. [mm]

    References
    ----------
    .. [1] Shenzhen Meteorological Bureau, storm-intensity formula, revision of 2015 (not read in the original).

    Examples
    --------
    By hand, t = 60, P = 2: 8.701 * 1.17881 / 71.13^0.555 = 10.2568 / 10.6645 = 0.96177 mm/min, so 57.7 mm.

    >>> round(depth_shenzhen_2015_mm(60, 2), 1)
    57.7
    """
    intensity_mm_min = SHENZHEN_A_MM_MIN * (1 + SHENZHEN_C * math.log10(return_period_years))
    depth_mm: float = duration_min * intensity_mm_min / (duration_min + SHENZHEN_B_MIN) ** SHENZHEN_N
    return depth_mm


def chicago_storm(
    return_period_years: float,
    duration_min: int,
    *,
    peak_ratio: float = CHICAGO_PEAK_RATIO,
    start_min: int = 0,
) -> Storm:
    """Return the Chicago design storm of Keifer and Chu (1957) on Shenzhen's formula.

    Before and after the peak the depth within ``tau`` minutes of it is the formula's depth of ``tau / r`` and
    ``tau / (1 - r)`` minutes, times that share: each row is a difference of depths, so the total is exact.

    Parameters
    ----------
    return_period_years : float
        Return period. [years]
    duration_min : int
        Duration, a multiple of `STEP_MIN`. [min]
    peak_ratio : float
        Share of the duration before the peak, 0 < r < 1.
    start_min : int
        When it begins, after the start of the run. [min]

    References
    ----------
    .. [1] Keifer, C. J., Chu, H. H., Synthetic storm pattern for drainage design, J. Hydraul. Div. ASCE 83(4), 1957.
    """
    if not 0.0 < peak_ratio < 1.0:
        raise ValueError("the peak of a design storm lies inside it: 0 < peak_ratio < 1")
    before_min = peak_ratio * duration_min

    def fallen_mm(minute: float) -> float:
        away = minute - before_min
        share = 1.0 - peak_ratio if away > 0 else peak_ratio
        depth = share * depth_shenzhen_2015_mm(abs(away) / share, return_period_years) if away else 0.0
        return math.copysign(depth, away)

    edges = [fallen_mm(minute) for minute in range(0, duration_min + STEP_MIN, STEP_MIN)]
    rates = tuple((b - a) * STEPS_PER_HOUR for a, b in pairwise(edges))
    return Storm(start_min, rates)


def nested_storm(
    maxima_mm: Sequence[tuple[int, float]],
    *,
    hours: int,
    start_min: int,
    peak_min: int,
    total_mm: float | None = None,
) -> Storm:
    """Return a storm whose worst 1, 2, 3, ... hours are the published maxima, arranged around one peak.

    Between two published durations the rain is uniform; within the worst hour it follows the two-year design
    storm over the rate of the second hour, so that no other window of an hour holds more.

    Parameters
    ----------
    maxima_mm : sequence of (hours, mm)
        Largest depth of each duration, from 1 hour up.
    hours : int
        Length of the storm. [h]
    start_min, peak_min : int
        Start of the storm and of its hardest step, after the start of the run. [min]
    total_mm : float, optional
        Scale all rates so that the storm brings this much. [mm]
    """
    blocks = _descending_blocks_mm(maxima_mm)[: hours * STEPS_PER_HOUR]
    scale = 1.0 if total_mm is None else total_mm / math.fsum(blocks)
    ordered = _around_peak([block * scale for block in blocks], (peak_min - start_min) // STEP_MIN)
    return Storm(start_min, tuple(block * STEPS_PER_HOUR for block in ordered))


def _descending_blocks_mm(maxima_mm: Sequence[tuple[int, float]]) -> list[float]:
    first_hour_mm = maxima_mm[0][1]
    later: list[float] = []
    for (from_h, from_mm), (to_h, to_mm) in pairwise(maxima_mm):
        steps = (to_h - from_h) * STEPS_PER_HOUR
        later += [(to_mm - from_mm) / steps] * steps
    floor_mm = later[0] if later else 0.0
    return _worst_hour_blocks_mm(first_hour_mm, floor_mm) + later


def _worst_hour_blocks_mm(hour_mm: float, floor_mm: float) -> list[float]:
    depths = [depth_shenzhen_2015_mm(minute, 2) if minute else 0.0 for minute in range(0, 65, STEP_MIN)]
    excess = [(b - a) - (depths[-1] - depths[-2]) for a, b in pairwise(depths)]
    share = (hour_mm - STEPS_PER_HOUR * floor_mm) / math.fsum(excess)
    return [floor_mm + share * step for step in excess]


def _around_peak(descending: list[float], peak_index: int) -> list[float]:
    placed: dict[int, float] = {}
    left, right = peak_index, peak_index + 1
    for number, block in enumerate(descending):
        go_left = left >= 0 and (number % 2 == 0 or right >= len(descending))
        placed[left if go_left else right] = block
        left, right = (left - 1, right) if go_left else (left, right + 1)
    return [placed[index] for index in range(len(descending))]
