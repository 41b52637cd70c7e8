"""A threshold set is refused where a row is beyond nature, changes nothing, or hides behind a worse one."""

from __future__ import annotations

from typing import Any

import pytest

from undercroft.rules import RULE_BOUNDS, RULE_UNITS
from undercroft.site.check_thresholds import threshold_problems
from undercroft.site.nodes import Node

SPACES = [{"id": "up", "kind": "underpass"}, {"id": "gar", "kind": "car_park"}]


def told(*rows: dict[str, Any]) -> list[str]:
    document = {"space": SPACES, "threshold_set": [{"id": "t", "rows": list(rows)}]}
    return [
        f"{problem.path[-2]}.{problem.path[-1]}: {problem.expected}" for problem in threshold_problems(Node(document))
    ]


def row(rule: str, severity: str, value: float, unit: str, **extra: Any) -> dict[str, Any]:
    return {"rule": rule, "severity": severity, "value": value, "unit": unit, "source": "x", **extra}


def test_every_rule_has_bounds() -> None:
    assert RULE_BOUNDS.keys() == RULE_UNITS.keys()


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        (row("inside-depth", "orange", 15, "m"), "0.value: 0.02 to 3 m"),
        (row("inside-depth", "orange", 1, "cm"), "0.value: 2 to 300 cm"),
        (row("rise-rate", "yellow", -1, "m/min"), "0.value: 0.001 to 1 m/min"),
        (row("orange-within-30min", "orange", 7, "share"), "0.value: 0.01 to 1.1 share"),
        (row("blind", "yellow", 1e9, "intervals"), "0.value: 1 to 100 intervals"),
        (row("warning-colour", "red", 1.5, "colour"), "0.value: 1 (yellow), 2 (orange) or 3 (red)"),
        (row("leak", "red", 0.05, "m"), "0.severity: yellow: leak reaches no other level"),
        (row("time-to-red", "red", 10, "min"), "0.severity: orange: time-to-red reaches no other level"),
        (row("pump-not-coping", "yellow", 3, "min"), "0.severity: blue: pump-not-coping reaches no other level"),
        (
            row("freeboard", "red", 0.1, "m", kind="underpass"),
            "0.rule: a rule that looks at underpasses: freeboard does not, the depth on the road decides",
        ),
        (
            row("leak", "yellow", 0.05, "m", space="up"),
            "0.rule: a rule that looks at underpasses: leak does not, the depth on the road decides",
        ),
        (
            row("rise-rate", "red", 0.1, "m/min", space="up", kind="underpass"),
            "0.kind: no kind beside a space: the row is for the space alone",
        ),
    ],
)
def test_a_row_that_can_mean_nothing_is_refused_by_its_field(bad: dict[str, Any], expected: str) -> None:
    assert told(bad) == [expected]


def test_a_level_behind_a_worse_one_is_refused() -> None:
    deep = row("inside-depth", "orange", 90, "cm", kind="underpass")
    red = row("inside-depth", "red", 0.5, "m", kind="underpass")
    assert told(deep, red) == ["0.value: at most the 0.5 m of red beside it"]
    assert told(deep | {"value": 50}, red) == []
    near, nearer = row("freeboard", "blue", 0.05, "m"), row("freeboard", "yellow", 0.2, "m")
    assert told(near, nearer) == ["0.value: at least the 0.2 m of yellow beside it"]


ROAD_ORANGE = row("inside-depth", "orange", 40, "cm", kind="underpass")
"""Behind red by default, 27 cm."""


def test_a_level_behind_a_worse_default_is_refused_unless_the_worse_one_comes_with_it() -> None:
    assert told(ROAD_ORANGE) == [
        "0.value: at most the 0.27 m of red that holds for underpass (the default), or a row for red with it"
    ]
    assert told(ROAD_ORANGE, row("inside-depth", "red", 0.5, "m")) == [], "a red for all, underpasses among them"
    assert told(row("inside-depth", "red", 10, "cm", space="up")) == [
        "0.value: at least the 0.15 m of orange that holds at up (the default), or a row for orange with it"
    ]
    assert told(row("freeboard", "blue", 10, "cm", kind="mall")) == [
        "0.value: at least the 0.15 m of yellow that holds for mall (the default), or a row for yellow with it"
    ]
    assert told(row("freeboard", "blue", 10, "cm", kind="car_park")) == [], "yellow is at 5 cm there"


def test_a_set_is_held_against_the_sets_before_it_and_a_space_keeps_its_own() -> None:
    red = row("inside-depth", "red", 50, "cm", space="up")
    document = {
        "space": SPACES,
        "threshold_set": [
            {"id": "new", "valid_from": "2026-02-01T00:00:00Z", "rows": [ROAD_ORANGE]},
            {"id": "old", "valid_from": "2026-01-01T00:00:00Z", "rows": [red, ROAD_ORANGE | {"value": 20}]},
        ],
    }
    found = list(threshold_problems(Node(document)))
    assert [(problem.path[1], problem.expected) for problem in found] == [
        (0, "at most the 0.27 m of red that holds for underpass (the default), or a row for red with it")
    ], "the road without a name; at up the red lies deeper"
