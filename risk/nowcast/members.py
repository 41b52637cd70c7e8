"""The members of the inside ensemble: what rain, street, barrier and pumps may do next, and how likely each is held.

The shares are proposals until they are scored on storms with known truth (`docs/nowcast.md`); they are data, so that a
district can set its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from risk.hydraulics.arrays import FloatArray, floats

STEPS = 60
"""Minutes ahead."""
RESPONSE_MIN = 15.0
"""Time over which the street follows a change of rain. [min]"""


@dataclass(frozen=True, slots=True)
class OutsidePath:
    """One way in which rain and street go on.

    Attributes
    ----------
    rain_persistence : float
        The rain goes on at this multiple of the last rate.
    rise_factor : float
        The level rises at this multiple of its recent rate.
    share : float
        How likely, all paths together 1.
    """

    rain_persistence: float
    rise_factor: float
    share: float


_RAIN = ((0.0, 0.15), (0.5, 0.25), (1.0, 0.40), (1.5, 0.20))
_RISE = ((0.5, 0.25), (0.9, 0.25), (1.2, 0.25), (1.7, 0.25))
_BARRIER = (0.95, 0.05)
_PUMP = (0.90, 0.10)

OUTSIDE_PATHS = tuple(OutsidePath(rain, rise, share * part) for (rain, share), (rise, part) in product(_RAIN, _RISE))
"""16 paths."""

SHARES = np.array(
    [[[path.share * held * run for run in _PUMP] for held in _BARRIER] for path in OUTSIDE_PATHS], np.float64
)
"""64 members, shape (paths, barriers hold or fail, pumps run or fail): how likely each is, all together 1."""


def outside_rise_m(rise_rate_m_min: FloatArray, path: OutsidePath, minutes: FloatArray) -> FloatArray:
    """Return how far the outside level has moved after some minutes: its rate drifts to what the rain feeds.

    Parameters
    ----------
    rise_rate_m_min : ndarray
        Recent rate of each entrance; a falling level is taken to stand still, never to help. [m/min]
    path : OutsidePath
        How rain and street go on.
    minutes : ndarray
        Minutes from now. [min]

    Returns
    -------
    ndarray, shape (minutes, entrances)
        Rise. [m]

    Notes
    -----
    rate(t) = f r (p + (1 - p) e^(-t / 15)), integrated: f r (p t + 15 (1 - p)(1 - e^(-t / 15))).

    By hand: 2 cm/min, f = 1, p = 0.5, 15 min: 0.02 * (7.5 + 7.5 * 0.632) = 0.245 m; with p = 1: 0.30 m.
    """
    p = path.rain_persistence
    effective = p * minutes + RESPONSE_MIN * (1.0 - p) * (1.0 - np.exp(-minutes / RESPONSE_MIN))
    return floats(path.rise_factor * effective[:, None] * np.maximum(rise_rate_m_min, 0.0)[None, :])


EFFECTIVE_MIN = np.hstack([outside_rise_m(np.ones(1), path, np.arange(STEPS + 1.0)) for path in OUTSIDE_PATHS])
"""Minutes of the present rate that each path comes to by the end of each minute, shape (steps + 1, paths). [min]"""

STEP_OF_PATH_MIN = np.diff(EFFECTIVE_MIN, axis=0)
"""Minutes of the present rate in each step, shape (steps, paths). [min]"""

MIDDLE_MIN = 0.5 * (EFFECTIVE_MIN[1:] + EFFECTIVE_MIN[:-1])
"""The same at the middle of each step, shape (steps, paths). [min]"""
