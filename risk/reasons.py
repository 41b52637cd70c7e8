"""Reasons, built only for the spaces whose output is written: which facts speak for a severity, each with its words.

A reason is the JSON object that all parts agree on: ``rule, severity, value, unit, threshold, source, sensor,
observed_at, text_en, text_zh`` and, where they apply, ``age_s`` (the evidence is stale), ``doubt``, ``raises`` (the
severity that "one level up" came to) and ``held`` (met before, not left yet). The facts come from `risk.facts`, the
words from `risk.wording`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from risk.arrays import NEVER_US
from risk.facts import ahead, beside, standin, water
from risk.facts.fact import Context, Fact, Reason
from risk.facts.stated import stated
from risk.levels import RULE_NAMES
from risk.state import (
    BARRIER,
    BLIND,
    DEPTH,
    FLOAT,
    FORECAST,
    FREEBOARD,
    LEAK,
    PUMP,
    RAIN,
    REPORT,
    RISE,
    STAND_IN,
    WARNING,
)  # fmt: skip
from risk.wording import (
    contradicted_words,
    doubt_words,
    held_words,
    left_words,
    lifted_words,
    phrase,
    reporter_words,
    stand_in_words,
)

AT_MOST = {"freeboard", "time-to-orange", "time-to-red", "barrier-not-deployed"}
"""Rules that fire at or below their limit; the others fire at or above it."""

STEPS = {
    BARRIER: (DEPTH, FREEBOARD, RISE, FLOAT, FORECAST),
    PUMP: (DEPTH, FREEBOARD, RISE, FLOAT),
    BLIND: (DEPTH, FREEBOARD, RISE, FLOAT),
}
"""Families that raise by one level what others show."""

STEP_FAMILY = {"barrier-not-deployed": BARRIER, "pump-not-coping": PUMP, "blind": BLIND}

BASE_RULES = {*RULE_NAMES[1:], "float-lifted", "rise-rate", "time-to-orange", "time-to-red", "orange-within-30min"}
"""Rules that one level up may stand on."""

_FACTS: dict[int, Callable[[Context, int, int], Fact | None]] = {
    DEPTH: water.water_fact(0),
    FREEBOARD: water.water_fact(1),
    RISE: water.rise,
    RAIN: beside.rain,
    WARNING: beside.warning,
    BARRIER: beside.barrier,
    PUMP: beside.pump,
    FORECAST: ahead.forecast,
    LEAK: beside.leak,
    BLIND: beside.blind,
    REPORT: water.reported,
    STAND_IN: standin.stood_in,
    FLOAT: water.lifted,
}

_HELD = _FACTS | {FORECAST: ahead.last_met, FLOAT: water.was_lifted}
"""What a family says of a level that stands although nothing meets its limit now."""


def reasons_of(context: Context, space: int, severities: NDArray[np.int8], least: int) -> list[Reason]:
    """Return a reason for every family of a space that reaches a severity and still meets its limit, worst first.

    A family that is confirmed but whose value meets its limit no more says nothing. A level that came of "one level
    up" brings the water below it; a level for which nothing is left to say is held, and says by what.
    """
    named = np.flatnonzero(severities >= least).tolist()
    top = max((int(severities[family]) for family in named), default=0)
    reasons: list[Reason] = []
    for family in named:
        reason = _told(context, space, family, int(severities[family]), severities)
        if reason is not None:
            reasons.append(reason)
    for step in [reason for reason in reasons if "raises" in reason]:
        reasons += _base_of(context, space, step, reasons, severities)
    if top and not any(reason["severity"] >= top for reason in reasons):
        reasons += [
            r for f in named if severities[f] == top and (r := _held_reason(context, space, f, top)) is not None
        ]
    return sorted(reasons, key=lambda reason: (-reason["severity"], reason["rule"], reason["sensor"] or ""))


def _base_of(
    context: Context, space: int, step: Reason, told: list[Reason], severities: NDArray[np.int8]
) -> list[Reason]:
    """Return the reason of the level that a step raised, where none is told yet."""
    families, low = STEPS[STEP_FAMILY[step["rule"]]], step["raises"] - 1
    if any(reason["severity"] >= low and reason["rule"] in BASE_RULES for reason in told):
        return []
    for family in families:
        reason = _told(context, space, family, low, severities)
        if reason is not None and reason["severity"] >= low:
            return [reason]
    held = (_held_reason(context, space, family, low) for family in families if severities[family] >= low)
    return [reason for reason in held if reason is not None][:1]


def _told(context: Context, space: int, family: int, severity: int, severities: NDArray[np.int8]) -> Reason | None:
    """Return the reason of one family, None where its value does not meet its limit."""
    raised_from = 0
    if family in STEPS:
        below = max(int(severities[base]) for base in STEPS[family])
        raised_from = severity - 1 if below < severity and (severity > 2 or below == severity - 1) else 0
    key = (space, family, severity, raised_from)
    if key not in context.memo:
        fact = _FACTS[family](context, space, severity)
        reason = None if fact is None else _reason(context, space, fact, severity, raised_from)
        context.memo[key] = reason if reason is not None and _met(reason) else None
    return context.memo[key]


def _met(reason: Reason) -> bool:
    """Tell whether a reason's value meets its limit, and when it was seen is known; blindness has no value to meet."""
    if reason["rule"] == "blind":
        return True
    limit = reason["threshold"]
    if limit is None:
        return reason["observed_at"] is not None
    met = reason["value"] <= limit if reason["rule"] in AT_MOST else reason["value"] >= limit
    return met and reason["observed_at"] is not None


def _held_reason(context: Context, space: int, family: int, severity: int) -> Reason | None:
    """Return why a level stands of which no value meets its limit now: the deadband, or what was last forecast."""
    fact = _HELD[family](context, space, severity)
    if fact is None or fact.observed_us == NEVER_US:
        return None
    reason = _reason(context, space, replace(fact, severity=severity), severity, 0)
    reason["held"] = True
    if not _met(reason):
        reason["threshold"] = None
    _append(reason, held_words())
    return reason


def _reason(context: Context, space: int, fact: Fact, severity: int, raised_from: int) -> Reason:
    facts = stated(context, space, fact, severity)
    step = {"raises": (raised_from, facts["severity"])} if raised_from else {}
    text_en, text_zh = phrase(fact.rule, facts["value"], facts["threshold"], fact.words | step)
    reason = facts | {"text_en": text_en, "text_zh": text_zh}
    if raised_from:
        reason["raises"] = facts["severity"]
    if "stands_in" in fact.words:
        _append(reason, stand_in_words(fact.words["stands_in"]))
    if "lifted" in fact.words and fact.rule != "float-lifted":
        _append(reason, lifted_words())
    if "left" in fact.words or (fact.row >= 0 and context.arrays.s_left[fact.row]):
        _append(reason, left_words())
    if "contradicted_by" in facts:
        _append(reason, contradicted_words(facts["contradicted_by"], facts["contradicting_m"]))
    if "by" in fact.words:
        _append(reason, reporter_words(fact.words["by"]))
    elif "doubt" in facts:
        _append(reason, doubt_words(facts["doubt"]))
    return reason


def _append(reason: Reason, words: tuple[str, str]) -> None:
    reason["text_en"] += words[0]
    reason["text_zh"] += words[1]
