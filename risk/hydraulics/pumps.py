"""Sump pumps: on and off by level with hysteresis, nothing without power."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from risk.hydraulics.arrays import BoolArray, FloatArray, at_least_zero, floats


def pump_switch(
    running: ArrayLike, depth_m: ArrayLike, on_depth_m: ArrayLike, off_depth_m: ArrayLike, powered: ArrayLike
) -> BoolArray:
    """Return which pumps run now: on from the on-depth, off at the off-depth, in between as before.

    Parameters
    ----------
    running : array_like of bool
        Whether it ran before.
    depth_m : array_like
        Depth at the sump. Unknown (NaN): the switch stays as it was. [m]
    on_depth_m, off_depth_m : array_like
        Switching depths; on must be above off, or the switch would chatter. [m]
    powered : array_like of bool
        False on power loss, or with the panel under water: the pump stands still.

    Returns
    -------
    ndarray of bool

    Notes
    -----
    By hand, on 0.30 m, off 0.10 m: 0.29 m filling: off; 0.30: on; 0.11 emptying: on; 0.10: off.
    """
    on, off = at_least_zero("on_depth_m", on_depth_m), at_least_zero("off_depth_m", off_depth_m)
    if np.any(on <= off):
        raise ValueError("on_depth_m must be above off_depth_m")
    depth = floats(depth_m)
    kept = np.asarray(running, dtype=bool) & ~(depth <= off)
    return np.asarray(np.asarray(powered, dtype=bool) & (kept | (depth >= on)), dtype=np.bool_)


def pump_discharge_m3_s(
    capacity_m3_s: ArrayLike, running: ArrayLike, available_m3: ArrayLike, step_s: float
) -> FloatArray:
    """Return what a running pump lifts during a step: its capacity, at most the water that is there.

    Parameters
    ----------
    capacity_m3_s : array_like
        Rated capacity. [m³/s]
    running : array_like of bool
        From `pump_switch`.
    available_m3 : array_like
        Water in the space at the start of the step and entering during it. [m³]
    step_s : float
        Length of the step, above 0. [s]

    Returns
    -------
    ndarray
        Discharge. [m³/s]

    Notes
    -----
    By hand: 0.05 m³/s over 60 s would lift 3 m³; with 1.2 m³ there it lifts 1.2 / 60 = 0.02 m³/s.
    """
    if step_s <= 0.0:
        raise ValueError(f"step_s must be above 0, got {step_s}")
    capacity = at_least_zero("capacity_m3_s", capacity_m3_s)
    most = np.minimum(capacity, at_least_zero("available_m3", available_m3) / step_s)
    return floats(np.where(np.asarray(running, dtype=bool), most, 0.0))
