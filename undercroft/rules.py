"""The rules that a threshold may belong to, with the unit each is compared in. `risk` gives them their meaning."""

from __future__ import annotations

RULE_UNITS: dict[str, str] = {
    "inside-depth": "m",
    "inside-depth-rising": "m",
    "freeboard": "m",
    "outside-head": "m",
    "rise-rate": "m/min",
    "rain-10min": "mm",
    "rain-60min": "mm",
    "warning-colour": "colour",
    "time-to-orange": "min",
    "time-to-red": "min",
    "orange-within-30min": "share",
    "barrier-not-deployed": "m",
    "pump-not-coping": "min",
    "leak": "m",
    "blind": "intervals",
}
"""Rule id -> unit of its threshold."""

UNIT_SCALE: dict[tuple[str, str], float] = {("cm", "m"): 0.01, ("cm/min", "m/min"): 0.01, ("mm", "m"): 0.001}
"""(unit of a site file, unit of the rule) -> factor. Any other difference is refused."""


def units_of_rule(rule: str) -> list[str]:
    """Return the units that a threshold of this rule may be stated in, its own first."""
    own = RULE_UNITS[rule]
    return [own, *(stated for stated, into in UNIT_SCALE if into == own)]
