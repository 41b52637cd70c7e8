"""Threshold sets against what they fall on: a level behind a worse one that holds there already could never show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from undercroft.default_thresholds import DEFAULT_THRESHOLDS
from undercroft.model import Severity, SpaceKind
from undercroft.rules import RULE_BOUNDS, RULE_UNITS, in_unit_of_rule
from undercroft.site.nodes import Node
from undercroft.site.problems import Problem

SEVERITIES = ("blue", "yellow", "orange", "red")
Target = tuple[str, str | None]
"""A kind, and a space of it or None: where a threshold holds."""


@dataclass(frozen=True, slots=True)
class Held:
    """A threshold that holds somewhere: its value in the rule's unit, who stated it, and the row that did."""

    value: float
    whose: str
    row: Node | None = None

    @property
    def place(self) -> tuple[str | None, str | None]:
        """For whom the row is: a kind, a space, or all."""
        return (None, None) if self.row is None else (self.row.text("kind"), self.row.text("space"))


def order_problems(top: Node, kinds: Mapping[str | None, str | None]) -> Iterator[Problem]:
    """Yield rows that lie behind a worse level of the defaults or of an earlier set, each once.

    Parameters
    ----------
    kinds : mapping
        Kind of each space of the document.
    """
    targets: list[Target] = [(kind.value, None) for kind in SpaceKind]
    targets += [(kind, name) for name, kind in kinds.items() if name is not None and kind in set(SpaceKind)]
    in_force: dict[tuple[Target, str, str], Held] = {}
    for default in DEFAULT_THRESHOLDS:
        for target in targets:
            if default.kind is None or default.kind == target[0]:
                by_default = Held(default.value, "the default")
                in_force[target, default.rule, Severity(default.severity).word] = by_default
    told: set[tuple[str | int, ...]] = set()
    sets = sorted(top.tables("threshold_set"), key=lambda one: (str(one.table.get("valid_from")), one.text("id") or ""))
    for owner in sets:
        named = f"set {owner.text('id')}"
        fresh = [(row, held) for row in owner.tables("rows") if (held := _stated(row, named)) is not None]
        for row, held in sorted(fresh, key=lambda one: (one[1].place[0] is not None, one[1].place[1] is not None)):
            for target in targets:
                if _holds(row, target, in_force):
                    in_force[target, row.text("rule") or "", row.text("severity") or ""] = held
        for problem in _behind(in_force, targets, [row for row, _ in fresh]):
            if problem.path not in told:
                told.add(problem.path)
                yield problem


def _stated(row: Node, whose: str) -> Held | None:
    """Return what a row states, None where it is wrong by itself."""
    rule, severity, value, unit = row.text("rule"), row.text("severity"), row.number("value"), row.text("unit")
    if rule not in RULE_UNITS or severity not in RULE_BOUNDS[rule].severities or value is None or unit is None:
        return None
    own = in_unit_of_rule(rule, value, unit)
    if own is None or not RULE_BOUNDS[rule].least <= own <= RULE_BOUNDS[rule].most:
        return None
    if rule == "warning-colour" and own != int(own):
        return None
    return Held(own, whose, row)


def _holds(row: Node, target: Target, in_force: Mapping[tuple[Target, str, str], Held]) -> bool:
    """Tell whether a row holds at a target: a space's own row outlives later ones for its kind."""
    kind, space = row.text("kind"), row.text("space")
    if space is not None:
        return target[1] == space
    if kind is not None and kind != target[0]:
        return False
    known = in_force.get((target, row.text("rule") or "", row.text("severity") or ""))
    return known is None or known.place[1] is None


def _behind(
    in_force: Mapping[tuple[Target, str, str], Held], targets: Iterable[Target], rows: list[Node]
) -> Iterator[Problem]:
    """Yield the rows of a set that stand on the wrong side of a worse or a milder level that others stated."""
    paths = {row.path for row in rows}
    for rule in sorted({row.text("rule") or "" for row in rows} & set(RULE_UNITS)):
        sign = -1.0 if RULE_BOUNDS[rule].falling else 1.0
        for target in targets:
            listed = [(word, held) for word in SEVERITIES if (held := in_force.get((target, rule, word))) is not None]
            for (mild, milder), (bad, worse) in pairwise(listed):
                if sign * milder.value <= sign * worse.value:
                    continue
                where = f"at {target[1]}" if target[1] else f"for {target[0]}"
                unit = RULE_UNITS[rule]
                ours = [held.row is not None and held.row.path in paths for held in (milder, worse)]
                if all(ours) and milder.place == worse.place:
                    continue  # told by the set itself
                if ours[0] and milder.row is not None:
                    side = "at least" if sign < 0 else "at most"
                    words = f"{side} the {worse.value:g} {unit} of {bad} that holds {where} ({worse.whose})"
                    yield milder.row.problem("value", f"{words}, or a row for {bad} with it")
                elif ours[1] and worse.row is not None:
                    side = "at most" if sign < 0 else "at least"
                    words = f"{side} the {milder.value:g} {unit} of {mild} that holds {where} ({milder.whose})"
                    yield worse.row.problem("value", f"{words}, or a row for {mild} with it")
