"""Every number that decides a level, once, with its source; and how a site's threshold sets override it.

The sections named are those of the domain notes: 1.3 people and stairs, 1.5 trigger table, 1.6 rules beside
depth, 2.1 warning colours, 3.1 design rain, 3.2 inflow, 3.3 storage, 5.4 alarm management, 6.2 intervals, 6.3 quality.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from undercroft.errors import SiteInvalid
from undercroft.model import Severity, SpaceKind
from undercroft.rules import RULE_UNITS, UNIT_SCALE
from undercroft.site.model import Site, ThresholdRow

BLUE, YELLOW, ORANGE, RED = Severity.BLUE, Severity.YELLOW, Severity.ORANGE, Severity.RED


@dataclass(frozen=True, slots=True)
class Threshold:
    """At ``value`` the rule reaches ``severity``, for one kind of space or (``kind`` None) for all."""

    rule: str
    kind: SpaceKind | None
    severity: int
    value: float
    source: str


def _rows(rule: str, kinds: Iterable[SpaceKind | None], source: str, **values: float) -> list[Threshold]:
    return [
        Threshold(rule, kind, Severity[word.upper()], value, source) for kind in kinds for word, value in values.items()
    ]


_UNDERPASS = (SpaceKind.UNDERPASS,)
_METRO = (SpaceKind.METRO_ENTRANCE,)
_MALL = (SpaceKind.MALL,)
_GARAGE = (SpaceKind.CAR_PARK, SpaceKind.CIVIL_DEFENCE)
_ALL = (None,)

DEFAULT_THRESHOLDS: tuple[Threshold, ...] = tuple(
    _rows("inside-depth", _UNDERPASS, "1.5: 15 cm closes (Osong after 2023)", blue=0.05, yellow=0.10, orange=0.15)
    + _rows("inside-depth", _UNDERPASS, "1.5: 27-30 cm traps vehicles (half wheel; MLIT)", red=0.27)
    + _rows("freeboard", _METRO + _MALL, "1.5: outside level against platform top", blue=0.30, yellow=0.15, orange=0.05)
    + _rows("inside-depth", _METRO + _MALL, "1.5: any inflow; 2 cm is the first wet reading (6.2)", orange=0.02)
    + _rows("inside-depth", _METRO + _MALL, "1.5: inside 10 cm", red=0.10)
    + _rows("outside-head", _METRO, "1.5: flow on stairs from 20 cm outside (1.3, Ishigaki)", red=0.20)
    + _rows("outside-head", _MALL, "1.5: evacuate before outside reaches 20 cm", orange=0.15)
    + _rows("outside-head", _MALL, "1.5: outside 30 cm, flooded stair no longer safe (1.3)", red=0.30)
    + _rows("freeboard", _GARAGE, "1.5: outside level against hump crest", blue=0.15, yellow=0.05)
    + _rows("outside-head", _GARAGE, "1.5 inflow, by 3.2 any level over an open crest flows in", orange=0.0)
    + _rows("inside-depth", _GARAGE, "1.5: inflow confirmed, no entry, people out", orange=0.05)
    + _rows("inside-depth", _GARAGE, "1.5: inside 30 cm", red=0.30)
    + _rows("inside-depth-rising", _GARAGE, "1.5: inside 15 cm and rising", red=0.15)
    + _rows("rise-rate", _ALL, "1.6 from 1.3: streets rise 2-3 cm/min", yellow=0.01, orange=0.03)
    + _rows("rain-10min", _ALL, "1.6 from 3.1: Shenzhen 2 / 10 years", yellow=19.0, orange=26.0)
    + _rows("rain-60min", _ALL, "1.6 from 3.1: Shenzhen 2 / 10 years", yellow=58.0, orange=78.0)
    + _rows("warning-colour", _ALL, "1.6 from 2.1: yellow, orange, red signal", blue=1.0, yellow=2.0, orange=3.0)
    + _rows("time-to-orange", _ALL, "1.6 from 3.3: likely time to orange", yellow=15.0)
    + _rows("time-to-red", _ALL, "1.6 from 3.3: likely time to red", orange=10.0)
    + _rows("barrier-not-deployed", _ALL, "1.6 from 3.2: outside within 15 cm of the crest", yellow=0.15)
    + _rows("pump-not-coping", _ALL, "1.6 from 3.3: pump runs 5 min and the level rises", blue=5.0)
    + _rows("leak", _ALL, "1.6 from 6.3: inside wet while outside dry", yellow=0.02)
    + _rows("blind", _ALL, "1.6 from 6.3: no data in rain; stale after 3 intervals (6.2)", yellow=3.0)
)
"""Domain notes 1.5 and 1.6. Values in the unit of `RULE_UNITS`."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number that is not a threshold of a level, but decides how one is reached or left."""

    value: float
    unit: str
    source: str


WET_DEPTH_M = Parameter(0.02, "m", "6.2: wet from 2 cm; below it a level sensor proves nothing")
DEADBAND_M = Parameter(0.03, "m", "1.6 and 5.4: deadband 3 cm")
OFF_DELAY_S = Parameter(600.0, "s", "1.6 and 5.4: off-delay 10 min")
RISE_WINDOW_S = Parameter(300.0, "s", "1.6: rise rate over the last 5 min")
RISING_M_MIN = Parameter(0.002, "m/min", "1.5 'rising': 1 cm in 5 min, the resolution of an electronic staff (6.1)")
IN_RAIN_MM = Parameter(2.0, "mm", "1.6: in rain is 2 mm in 5 min at any gauge of the basin")
IN_RAIN_S = Parameter(3600.0, "s", "1.6: within the last hour")
RED_READINESS_10MIN_MM = Parameter(32.0, "mm", "1.6 from 3.1: 50 years, orange and red readiness")
RED_READINESS_60MIN_MM = Parameter(98.0, "mm", "1.6 from 3.1: 50 years, orange and red readiness")
CLOCK_AHEAD_S = Parameter(60.0, "s", "6.2: flag skew over 60 s")
HORIZON_MIN = Parameter(60.0, "min", "3.3: not reached within 60 min")
HEARTBEAT_S = Parameter(300.0, "s", "architecture 5: an assessment at least every 5 min")
SCORE_STEP = Parameter(5.0, "points", "architecture 5: an assessment when the score moves by 5")
LEAST_ALARM_SEVERITY = 2
"""Blue is a notice on the page, not an alarm: EEMUA 191 allows one alarm per 10 minutes and operator (5.4)."""


@dataclass(frozen=True, slots=True)
class ThresholdTable:
    """The thresholds in force at one instant.

    ``by_space`` beats ``by_kind``, and a kind beats None. ``sets`` names what was applied, in order.
    """

    by_kind: Mapping[tuple[str, SpaceKind | None, int], Threshold]
    by_space: Mapping[tuple[str, str, int], Threshold]
    sets: tuple[str, ...] = ()

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
    factor = UNIT_SCALE.get((row.unit, unit))
    if factor is None:
        raise SiteInvalid(f"threshold_set: rule {row.rule} is in {unit}, not {row.unit!r}")
    return row.value * factor


def thresholds_at(site: Site, instant: datetime) -> ThresholdTable:
    """Return the defaults overridden by the site's threshold sets that are valid at an instant.

    Sets apply in order of ``valid_from``, then of id: the later wins.
    """
    by_kind = {(row.rule, row.kind, int(row.severity)): row for row in DEFAULT_THRESHOLDS}
    by_space: dict[tuple[str, str, int], Threshold] = {}
    applied = []
    for chosen in sorted(site.threshold_sets, key=lambda entry: (entry.valid_from, entry.id)):
        if chosen.valid_from > instant:
            continue
        applied.append(chosen.id)
        for row in chosen.rows:
            severity = Severity[row.severity.upper()]
            source = f"{row.source} ({chosen.id}, {chosen.author})"
            threshold = Threshold(row.rule, row.kind, severity, in_rule_unit(row), source)
            if row.space is not None:
                by_space[row.rule, row.space, severity] = threshold
            else:
                by_kind[row.rule, row.kind, severity] = threshold
    return ThresholdTable(by_kind, by_space, tuple(applied))


def next_change(site: Site, instant: datetime) -> datetime | None:
    """Return the next instant at which another threshold set becomes valid, or None."""
    later = [chosen.valid_from for chosen in site.threshold_sets if chosen.valid_from > instant]
    return min(later, default=None)
