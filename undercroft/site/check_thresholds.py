"""Checks of threshold sets: a row must mean something, lie within what its rule can be, and change a level."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from undercroft.rules import RULE_BOUNDS, RULE_UNITS, UNIT_SCALE, in_unit_of_rule, units_of_rule
from undercroft.site.nodes import Node
from undercroft.site.problems import Problem
from undercroft.site.threshold_order import order_problems

ROAD = "underpass"
SEVERITIES = ("blue", "yellow", "orange", "red")


def threshold_problems(top: Node) -> Iterator[Problem]:
    """Yield what is wrong with the threshold sets of a document."""
    kinds = {space.text("id"): space.text("kind") for space in top.tables("space")}
    for owner in top.tables("threshold_set"):
        seen: set[tuple[str | None, ...]] = set()
        for row in owner.tables("rows"):
            yield from _row_problems(row, kinds)
            key = (row.text("rule"), row.text("kind"), row.text("space"), row.text("severity"))
            if key in seen:
                yield row.problem("rule", "one row for each rule, kind, space and severity")
            seen.add(key)
        yield from _order_problems(owner)
    yield from order_problems(top, kinds)


def _row_problems(row: Node, kinds: dict[str | None, str | None]) -> Iterator[Problem]:
    space, rule, unit = row.text("space"), row.text("rule"), row.text("unit")
    if space is not None and space not in kinds:
        known = ", ".join(sorted(name for name in kinds if name)) or "there is none"
        yield row.problem("space", f"the id of a space of this file: {known}")
    if space is not None and row.text("kind") is not None:
        yield row.problem("kind", "no kind beside a space: the row is for the space alone")
    if rule is None:
        return
    if rule not in RULE_UNITS:
        yield row.problem("rule", "one of " + ", ".join(sorted(RULE_UNITS)))
        return
    bounds, severity, value = RULE_BOUNDS[rule], row.text("severity"), row.number("value")
    if severity in SEVERITIES and severity not in bounds.severities:
        yield row.problem("severity", f"{' or '.join(bounds.severities)}: {rule} reaches no other level")
    if not bounds.roads and ROAD in {row.text("kind"), kinds.get(space)}:
        yield row.problem("rule", f"a rule that looks at underpasses: {rule} does not, the depth on the road decides")
    if unit is None:
        return
    if unit not in units_of_rule(rule):
        yield row.problem("unit", f"the unit of {rule}: " + " or ".join(units_of_rule(rule)))
        return
    stated = None if value is None else in_unit_of_rule(rule, value, unit)
    if stated is not None and not bounds.least <= stated <= bounds.most:
        factor = UNIT_SCALE.get((unit, RULE_UNITS[rule]), 1.0)
        yield row.problem("value", f"{bounds.least / factor:g} to {bounds.most / factor:g} {unit}")
    elif rule == "warning-colour" and value is not None and value != int(value):
        yield row.problem("value", "1 (yellow), 2 (orange) or 3 (red)")


def _order_problems(owner: Node) -> Iterator[Problem]:
    """Yield rows of a set that a worse level of the same rule and place comes before: they could never show."""
    stated: dict[tuple[str | None, ...], dict[str, tuple[Node, float]]] = {}
    for row in owner.tables("rows"):
        rule, severity, value, unit = row.text("rule"), row.text("severity"), row.number("value"), row.text("unit")
        if rule not in RULE_UNITS or severity not in SEVERITIES or value is None or unit is None:
            continue
        own = in_unit_of_rule(rule, value, unit)
        if own is not None:
            stated.setdefault((rule, row.text("kind"), row.text("space")), {})[severity] = row, own
    for (rule, *_), rows in stated.items():
        sign = -1.0 if RULE_BOUNDS[rule or ""].falling else 1.0
        listed = [(severity, *rows[severity]) for severity in SEVERITIES if severity in rows]
        for (_, row, milder), (worse, _, other) in pairwise(listed):
            if sign * milder > sign * other:
                side = "at least" if sign < 0 else "at most"
                yield row.problem("value", f"{side} the {other:g} {RULE_UNITS[rule or '']} of {worse} beside it")
