"""How the streets of a district drain: assumptions of the simulator, the same for every run of a site.

Real pipe data does not come with a site file. Each catchment gets a drain sized as the design rules of the time
would have it, of which only a part is left in a storm.
"""

from __future__ import annotations

from dataclasses import dataclass

from simulators.chance import drawn
from simulators.rain import depth_shenzhen_2015_mm
from undercroft.site.model import Space

RUNOFF_SHARE = 0.9
"""Share of the rain that runs off a paved street."""

DESIGN_DURATION_MIN = 15.0
"""Inlet and flow time for which the pipe is sized. [min]"""

DESIGN_RETURN_PERIODS_YEARS = (3.0, 4.0, 5.0)
"""Pipes of a megacity centre are sized for 3 to 5 years (GB 50014)."""

LEAST_SHARE_LEFT = 0.30
MOST_SHARE_LEFT = 0.95
"""Part of the sized capacity left in a storm: inlets under leaves, outfalls under the river's level, old pipes."""


@dataclass(frozen=True, slots=True)
class Drain:
    """The drain of one catchment.

    Attributes
    ----------
    return_period_years : float
        What its pipe was sized for. [years]
    share_left : float
        Part of that capacity that works.
    capacity_m3_s : float
        What it carries away at most. [m³/s]
    """

    return_period_years: float
    share_left: float
    capacity_m3_s: float


def drain_capacity_m3_s(catchment_m2: float, return_period_years: float) -> float:
    """Return the peak flow that the pipe of a catchment is sized for, by the rational formula.

    ``Q = C i A`` with ``i`` the mean intensity of the worst `DESIGN_DURATION_MIN` minutes.

    Parameters
    ----------
    catchment_m2 : float
        Area. [m²]
    return_period_years : float
        Return period. [years]

    Returns
    -------
    float
        Flow. [m³/s]

    Examples
    --------
    By hand, P = 3, t = 15: 8.701 * 1.28341 / 26.13^0.555 = 11.1670 / 6.1162 = 1.8258 mm/min;
    0.9 * 1.8258e-3 / 60 * 10000 = 0.2739.

    >>> round(drain_capacity_m3_s(10_000, 3), 3)
    0.274
    """
    depth_mm = depth_shenzhen_2015_mm(DESIGN_DURATION_MIN, return_period_years)
    return RUNOFF_SHARE * depth_mm / 1000.0 / (DESIGN_DURATION_MIN * 60.0) * catchment_m2


def drain_of(space: Space) -> Drain:
    """Return the drain of a space's catchment; it depends on the space's id alone, not on the run's seed."""
    periods = DESIGN_RETURN_PERIODS_YEARS
    years = periods[int(drawn("drain-years", space.id) * len(periods))]
    share = LEAST_SHARE_LEFT + (MOST_SHARE_LEFT - LEAST_SHARE_LEFT) * drawn("drain-share", space.id)
    return Drain(years, share, share * drain_capacity_m3_s(space.catchment_m2, years))
