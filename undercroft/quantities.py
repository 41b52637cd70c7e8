"""The one table of quantities: name, unit, value type, plausible range.

The key of a payload *is* the quantity's name and carries its unit. Stored values are double precision:
booleans are 0 and 1, barrier states are the codes of `BarrierState`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

ValueType = Literal["number", "boolean", "barrier_state"]


class BarrierState(IntEnum):
    """State of a flood barrier, as stored. Only ``DEPLOYED`` counts as closed."""

    OPEN = 0
    DEPLOYING = 1
    DEPLOYED_UNVERIFIED = 2
    DEPLOYED = 3
    OVERTOPPED = 4
    FAILED = 5
    UNKNOWN = 6

    @property
    def word(self) -> str:
        """The word used in payloads and on screens."""
        return self.name.lower()


BARRIER_STATE_BY_WORD = {state.word: state for state in BarrierState}
"""Payload word -> state."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A measurable quantity.

    Attributes
    ----------
    name : str
        Payload key, unit included.
    unit : str
        Unit as shown to people; empty for states.
    value_type : str
        ``number``, ``boolean`` or ``barrier_state``.
    least, most : float
        Gross range; outside it a value fails quality control. [unit]
    """

    name: str
    unit: str
    value_type: ValueType
    least: float
    most: float
    cumulative: bool = False


def _number(name: str, unit: str, least: float, most: float, *, cumulative: bool = False) -> Quantity:
    return Quantity(name, unit, "number", least, most, cumulative)


def _boolean(name: str) -> Quantity:
    return Quantity(name, "", "boolean", 0.0, 1.0)


_TABLE = (
    _number("water_level_m", "m", -500.0, 9000.0),
    _number("water_depth_m", "m", -0.05, 50.0),
    _number("rain_total_mm", "mm", 0.0, 1e7, cumulative=True),
    _number("rain_depth_mm", "mm", 0.0, 500.0),
    _number("rain_intensity_mm_h", "mm/h", 0.0, 1000.0),
    Quantity("barrier_state", "", "barrier_state", 0.0, 6.0),
    _number("barrier_seal_bar", "bar", 0.0, 20.0),
    _boolean("pump_running"),
    _number("pump_current_a", "A", 0.0, 2000.0),
    _boolean("mains_power"),
    _number("battery_v", "V", 0.0, 60.0),
    _boolean("door_open"),
    _boolean("float_lifted"),
    _boolean("online"),
)

QUANTITIES: dict[str, Quantity] = {quantity.name: quantity for quantity in _TABLE}
"""Every fixed quantity by name; ``stock_<item>`` comes beside them, see `quantity_of`."""

STOCK_PREFIX = "stock_"


def quantity_of(name: str) -> Quantity | None:
    """Return the quantity of a payload key, or None if there is no such quantity.

    Examples
    --------
    >>> quantity_of("water_depth_m").unit
    'm'
    >>> quantity_of("stock_sandbag").name
    'stock_sandbag'
    >>> quantity_of("colour") is None
    True
    """
    found = QUANTITIES.get(name)
    if found is None and name.startswith(STOCK_PREFIX) and len(name) > len(STOCK_PREFIX):
        return Quantity(name, "", "number", 0.0, 1e6)
    return found
