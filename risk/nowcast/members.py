"""The members of the inside ensemble: what rain, street, barrier and pumps may do next, and how likely each is held.

The shares are proposals until they are scored on storms with known truth (`docs/nowcast.md`); they are data, so that a
district can set its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from risk.hydraulics.arrays import FloatArray, floats

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


@dataclass(frozen=True, slots=True)
class InsideMember:
    """One member: an outside path, and whether barriers and pumps do what they report."""

    path: int
    barriers_hold: bool
    pumps_run: bool
    share: float


_RAIN = ((0.0, 0.15), (0.5, 0.25), (1.0, 0.40), (1.5, 0.20))
_RISE = ((0.5, 0.25), (0.9, 0.25), (1.2, 0.25), (1.7, 0.25))
_BARRIER = ((True, 0.95), (False, 0.05))
_PUMP = ((True, 0.90), (False, 0.10))

OUTSIDE_PATHS = tuple(OutsidePath(rain, rise, share * part) for (rain, share), (rise, part) in product(_RAIN, _RISE))
"""16 paths."""

INSIDE_MEMBERS = tuple(
    InsideMember(path, hold, run, one.share * share * part)
    for (path, one), (hold, share), (run, part) in product(enumerate(OUTSIDE_PATHS), _BARRIER, _PUMP)
)
"""64 members."""


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
