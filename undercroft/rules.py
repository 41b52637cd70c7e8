"""The rules that a threshold may belong to, with the unit each is compared in. `risk` gives them their meaning."""

from __future__ import annotations

from dataclasses import dataclass

RULE_UNITS: dict[str, str] = {
    "inside-depth": "m",
    "inside-depth-rising": "m",
    "freeboard": "m",
    "outside-head": "m",
    "rise-rate": "m/min",
    "rain-5min": "mm",
    "rain-10min": "mm",
    "rain-60min": "mm",
    "warning-colour": "colour",
    "time-to-orange": "min",
    "time-to-red": "min",
    "orange-within-30min": "share",
    "barrier-not-deployed": "m",
    "pump-not-coping": "min",
    "leak": "m",
    "float-lifted": "m",
    "blind": "intervals",
}
"""Rule id -> unit of its threshold."""

UNIT_SCALE: dict[tuple[str, str], float] = {("cm", "m"): 0.01, ("cm/min", "m/min"): 0.01, ("mm", "m"): 0.001}
"""(unit of a site file, unit of the rule) -> factor. Any other difference is refused."""


def units_of_rule(rule: str) -> list[str]:
    """Return the units that a threshold of this rule may be stated in, its own first."""
    own = RULE_UNITS[rule]
    return [own, *(stated for stated, into in UNIT_SCALE if into == own)]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a threshold of a rule may be: between two values in the rule's unit, and where a row changes anything.

    ``severities``: those that the rule can reach. ``falling``: the worse the severity, the less the value. ``roads``:
    whether the rule looks at underpasses at all.
    """

    least: float
    most: float
    severities: tuple[str, ...] = ("blue", "yellow", "orange", "red")
    falling: bool = False
    roads: bool = True


RULE_BOUNDS: dict[str, Bounds] = {
    "inside-depth": Bounds(0.02, 3.0),
    "inside-depth-rising": Bounds(0.02, 3.0, ("red",)),
    "freeboard": Bounds(0.0, 3.0, falling=True, roads=False),
    "outside-head": Bounds(0.0, 2.0, roads=False),
    "rise-rate": Bounds(0.001, 1.0),
    "rain-5min": Bounds(1.0, 150.0),
    "rain-10min": Bounds(1.0, 200.0),
    "rain-60min": Bounds(1.0, 500.0),
    "warning-colour": Bounds(1.0, 3.0),
    "time-to-orange": Bounds(1.0, 60.0, ("yellow",)),
    "time-to-red": Bounds(1.0, 60.0, ("orange",)),
    "orange-within-30min": Bounds(0.01, 1.1, ("orange",)),
    "barrier-not-deployed": Bounds(0.0, 2.0, ("yellow",)),
    "pump-not-coping": Bounds(1.0, 120.0, ("blue",)),
    "leak": Bounds(0.02, 1.0, ("yellow",), roads=False),
    "float-lifted": Bounds(-10.0, 3.0),
    "blind": Bounds(1.0, 100.0, ("yellow",)),
}
"""Rule id -> what its thresholds may be [proposal]. 2 cm is wet, below it no rule fires; 3 m is a storey; 1.1 is more
than any probability and turns that rule off; times end at the horizon of 60 min.
"""


def in_unit_of_rule(rule: str, value: float, unit: str) -> float | None:
    """Return a value in the unit of its rule, None where it cannot be turned into it.

    Examples
    --------
    >>> in_unit_of_rule("leak", 5.0, "cm"), in_unit_of_rule("leak", 5.0, "min")
    (0.05, None)
    """
    own = RULE_UNITS[rule]
    factor = 1.0 if unit == own else UNIT_SCALE.get((unit, own))
    return None if factor is None else value * factor
