"""What queries take from the code that owns it, as SQL: filled in when a query is read."""

from __future__ import annotations

from collections.abc import Mapping

from dashboards.house import BARRIERS, PUMPS, YES_NO
from duty.reports.reports import TITLES as REPORT_TITLES
from undercroft.default_thresholds import DEFAULT_THRESHOLDS
from undercroft.quantities import QUANTITIES, BarrierState
from undercroft.rules import RULE_UNITS


def _text(value: str | None) -> str:
    return "null" if value is None else "'" + value.replace("'", "''") + "'"


def _default_thresholds() -> str:
    rows = (
        f"({_text(row.rule)}, {_text(row.kind)}, {int(row.severity)}, {row.value!r}::float8,"
        f" {_text(RULE_UNITS[row.rule])}, {_text(row.source)})"
        for row in DEFAULT_THRESHOLDS
    )
    return "(values " + ",\n        ".join(rows) + ")"


DEADLINE_WORDS = ("now", "by", "too_late", "none", "unknown", "not_needed", "not_wet")
"""How an order to deploy stands, most urgent first: words of `grafana.barrier_deadline`, and `now`: time is up."""


def _says() -> str:
    """Return what `o`, a reading of `n`, says in words: numbers of states mean nothing to people."""
    marks = {"barrier_state": BARRIERS, "pump_running": PUMPS}
    states = [name for name, quantity in QUANTITIES.items() if quantity.value_type != "number"]
    cases = (
        f"when {_text(name)} then case o.value "
        + " ".join(f"when {mark.value} then {_text(f'{mark.sign} {mark.words}')}" for mark in marks.get(name, YES_NO))
        + " end"
        for name in states
    )
    return "case n.quantity " + "\n        ".join(cases) + " end"


FACTS: Mapping[str, str] = {
    "barrier_words": "array[" + ", ".join(_text(state.word) for state in sorted(BarrierState)) + "]",
    "barrier_deployed": str(int(BarrierState.DEPLOYED)),
    "barrier_unknown": str(int(BarrierState.UNKNOWN)),
    "deadline_words": "array[" + ", ".join(_text(word) for word in DEADLINE_WORDS) + "]",
    "deadline_unknown": str(DEADLINE_WORDS.index("unknown")),
    "report_title": "case kind "
    + " ".join(f"when {_text(kind)} then {_text(f'{zh} {en}')}" for kind, (zh, en) in REPORT_TITLES.items())
    + " else kind end",
    "says": _says(),
    "silence": "greatest(interval '30 minutes', 3 * $__interval_ms * interval '1 millisecond')",
    "default_thresholds": _default_thresholds(),
}
"""``{{name}}`` in a query -> SQL. Words lie in the order of their codes, which begin at 0."""
