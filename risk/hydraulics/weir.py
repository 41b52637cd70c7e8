"""Flow over a crest, a flight of stairs or the top of a barrier."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from risk.hydraulics.arrays import FloatArray, at_least_zero, floats, wet
from risk.hydraulics.leakage import leakage_m3_s

WEIR_COEFFICIENT = 1.7
"""Broad-crested weir, (2/3)^1.5 sqrt(g) = 1.705 for g = 9.81 m/s². [m^0.5/s]"""

STAIR_HEAD_LIMIT_M = 0.5
"""The stair experiments agree with the weir up to this street depth; beyond it they are not used. [m]"""

MODULAR_LIMIT = 2.0 / 3.0
"""Downstream over upstream head up to which a broad crest does not feel the water below it."""


def weir_m3_s(width_m: ArrayLike, head_m: ArrayLike) -> FloatArray:
    """Return the free flow over a broad crest: ``Q = 1.7 B h^1.5``.

    Parameters
    ----------
    width_m : array_like
        Width of the opening B. [m]
    head_m : array_like
        Water level above the crest h; at or below 0 nothing flows. NaN: unknown, and so is the flow. [m]

    Returns
    -------
    ndarray
        Discharge. [m³/s]

    Notes
    -----
    Textbook formula for critical flow over a broad crest, velocity of approach neglected. The crest is the hump,
    the platform, the last step, or the top of a closed barrier.

    By hand: B = 1 m, h = 0.30 m: 0.30^1.5 = 0.30 * 0.5477 = 0.1643; 1.7 * 0.1643 = 0.279 m³/s. B = 6 m, 5 cm over a
    barrier: 1.7 * 6 * 0.01118 = 0.1140 m³/s = 410 m³/h.
    """
    head = wet(head_m)
    return floats(WEIR_COEFFICIENT * at_least_zero("width_m", width_m) * head * np.sqrt(head))


def stair_inflow_m3_s(width_m: ArrayLike, street_depth_m: ArrayLike) -> FloatArray:
    """Return the flow down a flight of stairs: ``Q = 1.98 B h^1.621``.

    Parameters
    ----------
    width_m : array_like
        Width of the stairs B. [m]
    street_depth_m : array_like
        Depth of water in the street over the first step h, at most 0.5 m; at or below 0 nothing flows. [m]

    Returns
    -------
    ndarray
        Discharge. [m³/s]

    Raises
    ------
    ValueError
        When the street depth is above 0.5 m, outside the experiments.

    Notes
    -----
    Full-scale experiments of the Ishigaki and Toda group, Kyoto and Kansai. Within 20 % of the weir from 0.05 to
    0.5 m (below it up to 0.28 m, above it from there), so that the weir is the careful choice for shallow water.

    By hand: B = 1 m, h = 0.10 m: 0.10^1.621 = 10^-1.621 = 0.02393; 1.98 * 0.02393 = 0.0474 m³/s.
    """
    depth = wet(street_depth_m)
    if np.any(depth > STAIR_HEAD_LIMIT_M):
        raise ValueError(f"street_depth_m must not exceed {STAIR_HEAD_LIMIT_M} m, got {float(np.nanmax(depth))}")
    return floats(1.98 * at_least_zero("width_m", width_m) * depth**1.621)


def submergence_factor(upstream_head_m: ArrayLike, downstream_head_m: ArrayLike) -> FloatArray:
    """Return the share of the free flow that remains when the water below stands above the crest.

    Parameters
    ----------
    upstream_head_m, downstream_head_m : array_like
        Levels above the crest, outside and inside. [m]

    Returns
    -------
    ndarray
        1 while inside stands at most at 2/3 of the outside head, 0 when both are level (or inside is higher: water
        that runs back out is not counted).

    Notes
    -----
    Bernoulli over a broad crest: q = h2 sqrt(2 g (h1 - h2)) has its maximum at the critical depth h2 = 2/3 h1, which
    is the free flow; divided by that maximum, with s = h2/h1: s sqrt(1 - s) / (2/3 sqrt(1/3)).

    By hand: s = 0.9: 0.9 * sqrt(0.1) = 0.2846; 2/3 * 0.5774 = 0.3849; 0.2846 / 0.3849 = 0.739.
    """
    up, down = wet(upstream_head_m), wet(downstream_head_m)
    ratio = np.clip(np.divide(down, up, out=np.zeros(np.broadcast(up, down).shape), where=up > 0.0), MODULAR_LIMIT, 1.0)
    factor = ratio * np.sqrt(1.0 - ratio) / (MODULAR_LIMIT * np.sqrt(1.0 - MODULAR_LIMIT))
    return floats(np.where(np.isnan(up) | np.isnan(down), np.nan, factor))


def entrance_inflow_m3_s(
    width_m: ArrayLike,
    head_m: ArrayLike,
    barrier_height_m: ArrayLike,
    barrier_closed: ArrayLike,
    leakage_m3_h_m2: ArrayLike,
) -> FloatArray:
    """Return the flow through an entrance: over the crest, or over and through its closed barrier.

    Parameters
    ----------
    width_m : array_like
        Width of the entrance. [m]
    head_m : array_like
        Outside level above the crest. [m]
    barrier_height_m : array_like
        Top of the barrier above the crest; without meaning where the barrier is not closed. [m]
    barrier_closed : array_like
        True only where the barrier is known to be deployed; all else counts as open.
    leakage_m3_h_m2 : array_like
        Seal leakage of the barrier per wetted area. [m³/(h m²)]

    Returns
    -------
    ndarray
        Discharge. [m³/s]

    Notes
    -----
    By hand: 6 m, head 0.55 m, barrier 0.50 m, Ws-1: over the top 0.05 m: 0.1140 m³/s; through it 6 * 0.5 * 0.2 / 3600
    = 0.00017 m³/s; together 0.1142 m³/s. The same entrance open: 1.7 * 6 * 0.55^1.5 = 4.16 m³/s.
    """
    height = at_least_zero("barrier_height_m", barrier_height_m)
    closed = weir_m3_s(width_m, floats(head_m) - height) + leakage_m3_s(width_m, head_m, height, leakage_m3_h_m2)
    return floats(np.where(np.asarray(barrier_closed, dtype=bool), closed, weir_m3_s(width_m, head_m)))
