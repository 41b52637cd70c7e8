"""The threshold of every rule at every level, once, with its source: what holds where a site states nothing else.

A source names what a reader can open or recognise; "default (proposal)" is ours, to be set per site. What the rules do
with them is in `risk`; they stand here, beside the bounds of `undercroft.rules`, since a site file is checked by them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from undercroft.model import Severity, SpaceKind

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
_OSONG = "v.daum.net/v/20240528001210683"

DEFAULT_THRESHOLDS: tuple[Threshold, ...] = tuple(
    _rows("inside-depth", _UNDERPASS, "default (proposal): notice 5 cm, docs/risk.md", blue=0.05)
    + _rows("inside-depth", _UNDERPASS, "Seoul closes underpasses at 10 cm (YTN on the Osong flood)", yellow=0.10)
    + _rows("inside-depth", _UNDERPASS, f"Osong rule after 2023: close at 15 cm ({_OSONG})", orange=0.15)
    + _rows(
        "inside-depth",
        _UNDERPASS,
        "MLIT guide value: engine stops at 30 cm; 27 cm, half a wheel: default (proposal)",
        red=0.27,
    )
    + _rows(
        "freeboard", _METRO + _MALL, "default (proposal): 30 / 5 cm to the crest, docs/risk.md", blue=0.30, orange=0.05
    )
    + _rows(
        "freeboard",
        _METRO + _MALL,
        "Harbin metro first line of defence 15 cm (dbw.cn 058705479); as freeboard: proposal",
        yellow=0.15,
    )
    + _rows("inside-depth", _METRO + _MALL, "default (proposal): any inflow, first wet reading 2 cm", orange=0.02)
    + _rows("inside-depth", _METRO + _MALL, "default (proposal): 10 cm inside, docs/risk.md", red=0.10)
    + _rows(
        "outside-head", _METRO, "Ishigaki 2015: 10 cm runs down stairs at 2 m/s; 20 cm: default (proposal)", red=0.20
    )
    + _rows("outside-head", _MALL, "default (proposal): evacuate before 20 cm over the crest", orange=0.15)
    + _rows("outside-head", _MALL, "Ishigaki 2010, doi 10.2166/wst.2010.455: 30 cm makes stairs unusable", red=0.30)
    + _rows(
        "freeboard", _GARAGE, "default (proposal): 15 / 5 cm to the hump crest, docs/risk.md", blue=0.15, yellow=0.05
    )
    + _rows("outside-head", _GARAGE, "weir formula Q = 1.7 B h^1.5: any water over an open crest flows in", orange=0.0)
    + _rows(
        "inside-depth", _GARAGE, "Pohang 2022: car park full in 8-10 min; 5 cm inside: default (proposal)", orange=0.05
    )
    + _rows("inside-depth", _GARAGE, "NDMI tests: a door opens with effort up to 30 cm (usmbc.co.kr 798897)", red=0.30)
    + _rows(
        "inside-depth-rising",
        _GARAGE,
        "NDMI tests: stairs passable at 17 cm; 15 cm rising: default (proposal)",
        red=0.15,
    )
    + _rows("rise-rate", _ALL, "Ishigaki 2015: street rise 2-3 cm/min; 1 cm/min: default (proposal)", yellow=0.01)
    + _rows("rise-rate", _ALL, "Ishigaki 2015: street rise 2-3 cm/min", orange=0.03)
    + _rows("rain-5min", _ALL, "Shenzhen storm formula 2015, 2-year 5-min depth", yellow=11.0)
    + _rows("rain-5min", _ALL, "Shenzhen storm formula 2015, 10-year 5-min depth", orange=15.0)
    + _rows("rain-10min", _ALL, "Shenzhen storm formula 2015, 2-year 10-min depth", yellow=19.0)
    + _rows("rain-10min", _ALL, "Shenzhen storm formula 2015, 10-year 10-min depth", orange=26.0)
    + _rows("rain-60min", _ALL, "Shenzhen storm formula 2015, 2-year 60-min depth", yellow=58.0)
    + _rows("rain-60min", _ALL, "Shenzhen storm formula 2015, 10-year 60-min depth", orange=78.0)
    + _rows(
        "warning-colour",
        _ALL,
        "Shenzhen rain signals yellow, orange, red; one level lower here: default (proposal)",
        blue=1.0,
        yellow=2.0,
        orange=3.0,
    )
    + _rows("time-to-orange", _ALL, "default (proposal): 15 min, docs/risk.md", yellow=15.0)
    + _rows("time-to-red", _ALL, "default (proposal): 10 min, docs/risk.md", orange=10.0)
    + _rows("orange-within-30min", _ALL, "default (proposal): three in five, docs/decisions/0024", orange=0.6)
    + _rows("barrier-not-deployed", _ALL, "Harbin metro first line of defence 15 cm (dbw.cn 058705479)", yellow=0.15)
    + _rows("pump-not-coping", _ALL, "default (proposal): pump runs 5 min and the level rises", blue=5.0)
    + _rows("leak", _ALL, "default (proposal): inside wet from 2 cm while outside is dry", yellow=0.02)
    + _rows("float-lifted", _ALL, "default (proposal): a switch in a sump, below the floor, is lifted", blue=-10.0)
    + _rows("float-lifted", _ALL, "default (proposal): water lifts a switch over a floor that is dry", yellow=0.0)
    + _rows("blind", _ALL, "default (proposal): stale after 3 missed intervals, in rain", yellow=3.0)
)
"""The trigger table and the rules beside depth of `docs/risk.md`. Values in the unit of `RULE_UNITS`."""
