"""What flowing and standing water does to people: stairs and doors."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from risk.hydraulics.arrays import GRAVITY_M_S2, WATER_DENSITY_KG_M3, FloatArray, at_least_zero, floats, wet

SPECIFIC_FORCE_LIMIT_M2: Mapping[str, float] = MappingProxyType(
    {"adult_male": 0.125, "adult_female": 0.100, "aged_male": 0.100, "aged_female": 0.080}
)
"""Specific force above which leaving by stairs is hard; twice that is the absolute limit. Aged male: Ishigaki et al.,
Water Sci. Technol. 62(8):1807-12 (2010); the others after Asai et al. (2010), to be confirmed. [m²]"""

_STREET_DEPTH_M = (0.0, 0.10, 0.30, 0.50)
_STAIR_VELOCITY_M_S = (0.0, 2.0, 4.0, 6.0)


def stair_velocity_m_s(street_depth_m: ArrayLike) -> FloatArray:
    """Return the velocity of water on stairs for a depth of water in the street.

    Measured at full scale on 20 steps of 15 x 30 cm (Ishigaki 2015): 0.10 m 2 m/s, 0.30 m 4 m/s, 0.50 m 6 m/s; linear
    in between and down to 0. Above 0.50 m the last value is kept. NaN: unknown.

    By hand: 0.20 m lies half way between 2 and 4 m/s: 3 m/s.

    Parameters
    ----------
    street_depth_m : array_like
        Depth over the first step. [m]

    Returns
    -------
    ndarray
        Velocity. [m/s]
    """
    return floats(np.interp(wet(street_depth_m), _STREET_DEPTH_M, _STAIR_VELOCITY_M_S))


def specific_force_m2(velocity_m_s: ArrayLike, depth_m: ArrayLike) -> FloatArray:
    """Return the specific force per unit width of flowing water: ``M = u² h / g + h² / 2``.

    Parameters
    ----------
    velocity_m_s, depth_m : array_like
        Velocity u [m/s] and depth h [m] of the flow on the stairs.

    Returns
    -------
    ndarray
        Specific force per unit width, to be held against `SPECIFIC_FORCE_LIMIT_M2`. [m²]

    Notes
    -----
    Ishigaki et al., Water Sci. Technol. 62(8):1807-12, doi 10.2166/wst.2010.455.

    By hand, 0.30 m in the street: q = 0.279 m²/s, u = 4 m/s, so h = 0.0698 m: 16 * 0.0698 / 9.81 + 0.0698² / 2 =
    0.1138 + 0.0024 = 0.116 m²: stairs no longer safe.
    """
    velocity, depth = at_least_zero("velocity_m_s", velocity_m_s), wet(depth_m)
    return floats(velocity * velocity * depth / GRAVITY_M_S2 + depth * depth / 2.0)


def stair_specific_force_m2(velocity_m_s: ArrayLike, flow_m2_s: ArrayLike) -> FloatArray:
    """Return the specific force on stairs of a flow per metre of width, with the depth ``h = q / u``.

    Parameters
    ----------
    velocity_m_s : array_like
        Velocity on the stairs; 0 means no flow and no force. [m/s]
    flow_m2_s : array_like
        Discharge per metre of width. [m²/s]

    Returns
    -------
    ndarray
        Specific force per unit width. [m²]

    Notes
    -----
    By hand: q = 0.279 m²/s, u = 4 m/s: 0.116 m² (`specific_force_m2`).
    """
    velocity, flow = np.broadcast_arrays(floats(velocity_m_s), at_least_zero("flow_m2_s", flow_m2_s))
    depth = np.divide(flow, velocity, out=np.zeros(velocity.shape), where=velocity != 0.0)
    return specific_force_m2(velocity, depth)


def door_handle_force_n(width_m: ArrayLike, depth_difference_m: ArrayLike) -> FloatArray:
    """Return the force at the handle that opens a door against standing water: ``F = rho g w h² / 4``.

    Parameters
    ----------
    width_m : array_like
        Width of the door leaf w. [m]
    depth_difference_m : array_like
        Depth on the side that presses the door shut h, dry on the other side. [m]

    Returns
    -------
    ndarray
        Force. [N]

    Notes
    -----
    Hydrostatic thrust rho g w h² / 2 acts at half the width from the hinge, the handle at the full width. Agrees with
    the Korean NDMI door tests: up to 0.30 m opens with effort, 0.50 m does not open for one person.

    By hand: 0.8 m, 0.3 m: 1000 * 9.81 * 0.8 * 0.09 / 4 = 177 N; 0.5 m: 490 N.
    """
    depth = wet(depth_difference_m)
    return floats(WATER_DENSITY_KG_M3 * GRAVITY_M_S2 * at_least_zero("width_m", width_m) * depth * depth / 4.0)
