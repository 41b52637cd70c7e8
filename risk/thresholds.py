"""How a site's threshold sets override the defaults, and every other number by which a level is reached or left.

The thresholds themselves are in `undercroft.default_thresholds`, since a site file is checked by them. A source names
what a reader can open or recognise; "default (proposal)" is ours, to be set per site.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from undercroft.default_thresholds import DEFAULT_THRESHOLDS, Threshold
from undercroft.errors import SiteInvalid
from undercroft.model import Severity, SpaceKind
from undercroft.rules import RULE_UNITS, in_unit_of_rule
from undercroft.site.model import Site, ThresholdRow

BLUE, YELLOW, ORANGE, RED = Severity.BLUE, Severity.YELLOW, Severity.ORANGE, Severity.RED


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number that is not a threshold of a level, but decides how one is reached or left."""

    value: float
    unit: str
    source: str


WET_DEPTH_M = Parameter(0.02, "m", "default (proposal): wet from 2 cm; below it a level sensor proves nothing")
DEADBAND_M = Parameter(0.03, "m", "default (proposal): deadband 3 cm")
OFF_DELAY_S = Parameter(600.0, "s", "default (proposal): off-delay 10 min")
RISE_WINDOW_S = Parameter(300.0, "s", "default (proposal): rise rate over the last 5 min")
RISING_M_MIN = Parameter(0.002, "m/min", "1 cm in 5 min: the resolution of an electronic staff gauge")
IN_RAIN_MM = Parameter(2.0, "mm", "default (proposal): 2 mm in 5 min at any gauge of the basin")
ONE_RAIN_S = Parameter(43200.0, "s", "default (proposal): a stand-down looks at one rain of at most 12 h")
IN_RAIN_S = Parameter(3600.0, "s", "default (proposal): within the last hour")
WET_HOLD_S = Parameter(1200.0, "s", "default (proposal): a device keeps its wet pace at most 20 min after the rain")
CONTRADICTION_M = Parameter(0.10, "m", "default (proposal): two sensors of one place that differ by 10 cm contradict")
STAND_IN_RAIN_M = Parameter(5000.0, "m", "default (proposal): a gauge of another basin stands in within 5 km")
RED_READINESS_5MIN_MM = Parameter(19.0, "mm", "Shenzhen storm formula 2015, 50-year 5-min depth")
RED_READINESS_10MIN_MM = Parameter(32.0, "mm", "Shenzhen storm formula 2015, 50-year 10-min depth")
RED_READINESS_60MIN_MM = Parameter(98.0, "mm", "Shenzhen storm formula 2015, 50-year 60-min depth")
RAIN_RULES = (
    ("rain-5min", RED_READINESS_5MIN_MM.value),
    ("rain-10min", RED_READINESS_10MIN_MM.value),
    ("rain-60min", RED_READINESS_60MIN_MM.value),
)
"""The rule of each window of rain, in the order of `risk.rain.WINDOWS_MIN`, and from where its reason adds "be ready
for red". [mm]"""
CLOCK_AHEAD_S = Parameter(60.0, "s", "default (proposal): clocks apart by over 60 s")
CLOCK_TOLD_S = Parameter(3600.0, "s", "default (proposal): that the clock was set back is told for an hour")
NOWCAST_TOLD_S = Parameter(300.0, "s", "default (proposal): a nowcast that failed is told until 5 min after the last")
HORIZON_MIN = Parameter(60.0, "min", "default (proposal): not reached within 60 min")
HEARTBEAT_S = Parameter(300.0, "s", "default: an assessment at least every 5 min")
HEARTBEAT_RAISED_S = Parameter(
    60.0, "s", "default: of a space above normal every minute, as often as a wet gauge speaks"
)
SCORE_STEP = Parameter(5.0, "points", "default: an assessment when the score moves by 5")
LEAST_ALARM_SEVERITY = 2
"""Blue is a notice on the page, not an alarm: EEMUA 191 allows one alarm per 10 minutes and operator."""


@dataclass(frozen=True)
class ThresholdTable:
    """The thresholds in force at one instant.

    ``by_space`` beats ``by_kind``, and a kind beats None. ``sets`` names what was applied, in order.
    """

    by_kind: Mapping[tuple[str, SpaceKind | None, int], Threshold]
    by_space: Mapping[tuple[str, str, int], Threshold]
    sets: tuple[str, ...] = ()

    @cached_property
    def overridden(self) -> frozenset[str]:
        """Spaces that have a threshold of their own."""
        return frozenset(space for _, space, _ in self.by_space)

    def find(self, rule: str, space_id: str, kind: SpaceKind, severity: int) -> Threshold | None:
        """Return the threshold of a rule for a space, or None when the rule does not reach this severity."""
        return (
            self.by_space.get((rule, space_id, severity))
            or self.by_kind.get((rule, kind, severity))
            or self.by_kind.get((rule, None, severity))
        )

    def value(self, rule: str, space_id: str, kind: SpaceKind, severity: int) -> float:
        """Return the threshold's value, NaN when there is none."""
        found = self.find(rule, space_id, kind, severity)
        return float("nan") if found is None else found.value


def in_rule_unit(row: ThresholdRow) -> float:
    """Convert a threshold row to the unit of its rule.

    Raises
    ------
    SiteInvalid
        If there is no such rule, or its unit cannot be converted.
    """
    unit = RULE_UNITS.get(row.rule)
    if unit is None:
        raise SiteInvalid(f"threshold_set: rule {row.rule!r} is unknown; known are {', '.join(sorted(RULE_UNITS))}")
    if row.unit == unit:
        return row.value
    value = in_unit_of_rule(row.rule, row.value, row.unit)
    if value is None:
        raise SiteInvalid(f"threshold_set: rule {row.rule} is in {unit}, not {row.unit!r}")
    return value


def thresholds_at(site: Site, instant: datetime) -> ThresholdTable:
    """Return the defaults overridden by the site's threshold sets that are valid at an instant.

    Sets apply in order of ``valid_from``, then of id: the later wins. Within a set a row of a kind beats one for all.
    """
    by_kind = {(row.rule, row.kind, int(row.severity)): row for row in DEFAULT_THRESHOLDS}
    by_space: dict[tuple[str, str, int], Threshold] = {}
    applied = []
    for chosen in sorted(site.threshold_sets, key=lambda entry: (entry.valid_from, entry.id)):
        if chosen.valid_from > instant:
            continue
        applied.append(chosen.id)
        for row in sorted(chosen.rows, key=lambda entry: entry.kind is not None):
            severity = Severity[row.severity.upper()]
            source = f"{row.source} ({chosen.id}, {chosen.author})"
            threshold = Threshold(row.rule, row.kind, severity, in_rule_unit(row), source)
            if row.space is not None:
                by_space[row.rule, row.space, severity] = threshold
                continue
            if row.kind is None:  # for all kinds, also those that have a default of their own
                for kind in SpaceKind:
                    by_kind.pop((row.rule, kind, severity), None)
            by_kind[row.rule, row.kind, severity] = threshold
    return ThresholdTable(by_kind, by_space, tuple(applied))


def last_change(site: Site, instant: datetime) -> datetime | None:
    """Return the instant at which the newest threshold set in force became valid, or None."""
    return max((chosen.valid_from for chosen in site.threshold_sets if chosen.valid_from <= instant), default=None)


def next_change(site: Site, instant: datetime) -> datetime | None:
    """Return the next instant at which another threshold set becomes valid, or None."""
    later = [chosen.valid_from for chosen in site.threshold_sets if chosen.valid_from > instant]
    return min(later, default=None)
