"""Water on its way in: one formula per function, with source, limits and a number checked by hand.

Every function works on numbers and on arrays over spaces (or members and spaces), SI units throughout. A width,
area, capacity or height that is negative is refused with `ValueError`; NaN in a level or depth means *unknown* and
comes out as NaN: whoever calls decides what the unknown counts as (`docs/risk.md`: never as dry).
"""

from risk.hydraulics.fill import fill_time_s
from risk.hydraulics.leakage import LEAKAGE_LIMIT_M3_H_M2, leakage_m3_s
from risk.hydraulics.people import (
    SPECIFIC_FORCE_LIMIT_M2,
    door_handle_force_n,
    specific_force_m2,
    stair_specific_force_m2,
    stair_velocity_m_s,
)
from risk.hydraulics.pumps import pump_discharge_m3_s, pump_switch
from risk.hydraulics.storage import StorageCurve
from risk.hydraulics.weir import entrance_inflow_m3_s, stair_inflow_m3_s, submergence_factor, weir_m3_s

__all__ = [
    "LEAKAGE_LIMIT_M3_H_M2",
    "SPECIFIC_FORCE_LIMIT_M2",
    "StorageCurve",
    "door_handle_force_n",
    "entrance_inflow_m3_s",
    "fill_time_s",
    "leakage_m3_s",
    "pump_discharge_m3_s",
    "pump_switch",
    "specific_force_m2",
    "stair_inflow_m3_s",
    "stair_specific_force_m2",
    "stair_velocity_m_s",
    "submergence_factor",
    "weir_m3_s",
]
