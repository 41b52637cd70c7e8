"""A fact as the JSON object that a reason carries: all but its words."""

from __future__ import annotations

import numpy as np

from risk.arrays import NEVER_US, iso
from risk.evidence import GOOD
from risk.facts.fact import DECIMALS, Context, Fact, Reason, limit_of
from risk.sensors import LEVEL
from risk.thresholds import CONTRADICTION_M
from undercroft.quality import Quality
from undercroft.rules import RULE_UNITS


def stated(context: Context, space: int, fact: Fact, severity: int) -> Reason:
    """Return rule, severity, value, unit, threshold, source, sensor, time; age, doubt, nowcast where they apply."""
    unit = RULE_UNITS[fact.rule]
    value = round(float(fact.value) + 0.0, DECIMALS[unit])
    severity = severity if fact.severity is None else fact.severity
    limit, source = limit_of(context, space, fact.rule, severity)
    if fact.rule == "blind" and limit is not None and value < limit:
        limit = None  # blind by the broker's word or at the pace of rain, not by dry intervals
    facts: Reason = {
        "rule": fact.rule,
        "severity": severity,
        "value": value,
        "unit": unit,
        "threshold": limit,
        "source": source,
        "sensor": fact.sensor,
        "observed_at": iso(fact.observed_us),
    }
    if "nowcast_us" in fact.words:
        facts["nowcast_at"] = iso(fact.words["nowcast_us"])
    if "stands_in" in fact.words:
        facts["stands_in"] = fact.words["stands_in"]
    if "stand_ins" in fact.words:
        facts["stand_ins"] = fact.words["stand_ins"]
    if "by" in fact.words:
        facts["doubt"] = Quality.UNKNOWN.name.lower()
    return facts | (_doubts(context, fact.row) if fact.row >= 0 else {})


def _doubts(context: Context, sensor: int) -> Reason:
    """Return the age of a sensor's evidence where it is stale, and the quality of its newest reading where not good."""
    state, found = context.state, Reason()
    if not context.views.fresh[sensor] and state.evidence_us[sensor] != NEVER_US:
        found["age_s"] = round((context.tick_us - int(state.evidence_us[sensor])) / 1e6)
    other = _contradicts(context, sensor)
    if other >= 0:
        found["contradicted_by"] = context.arrays.sensors[other].key
        found["contradicting_m"] = round(float(state.held[other]) + 0.0, 3)
    quality = int(state.quality[sensor])
    if quality != GOOD and state.observed_us[sensor] != NEVER_US:
        found["doubt"] = Quality(quality).name.lower()
    return found


def _contradicts(context: Context, sensor: int) -> int:
    """Return the fresh level sensor of the same place that differs most, by the limit or more; -1 for none."""
    state, arrays = context.state, context.arrays
    level = int(arrays.s_slot[sensor])
    if arrays.s_role[sensor] != LEVEL or level < 0 or not context.views.fresh[sensor]:
        return -1
    beside = np.flatnonzero((arrays.l_space == arrays.l_space[level]) & (arrays.l_entrance == arrays.l_entrance[level]))
    others = arrays.l_sensor[beside]
    apart = np.abs(state.held[others] - state.held[sensor])
    apart[~context.views.fresh[others] | np.isnan(apart) | (others == sensor)] = 0.0
    worst = int(np.argmax(apart))
    return int(others[worst]) if apart[worst] >= CONTRADICTION_M.value else -1
