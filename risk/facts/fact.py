"""A fact and what it may quote: the memory and views of one tick, limits and their sources, places."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from risk.arrays import SiteArrays
from risk.evidence import Seen
from risk.rules import Views
from risk.state import EngineState
from risk.statics import SiteStatics
from undercroft.rules import RULE_UNITS

Reason = dict[str, Any]

DECIMALS = {"m": 3, "m/min": 4, "mm": 1, "min": 1, "intervals": 1, "colour": 0, "share": 3}
"""Declared resolution of each unit in outputs."""


@dataclass(frozen=True, slots=True)
class Context:
    """All that a reason may quote; ``memo`` keeps the reasons of this tick, shared by alarm events and assessments."""

    state: EngineState
    arrays: SiteArrays
    statics: SiteStatics
    views: Views
    seen: Seen
    tick_us: int
    memo: dict[tuple[int, int, int, int], Reason | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fact:
    """What a rule found: a value against a threshold, from a sensor at a time."""

    rule: str
    value: float
    sensor: str
    observed_us: int
    words: dict[str, Any]
    row: int = -1
    severity: int | None = None
    """Severity that the value reaches, where it may be less than what was asked for."""


def limit_of(context: Context, space: int, rule: str, severity: int) -> tuple[float | None, str]:
    """Return the rounded threshold that a reason quotes, and its source."""
    place, table = context.arrays.spaces[space], context.arrays.thresholds
    key = (rule, place.id if place.id in table.overridden else place.kind.value, severity)
    limits = context.statics.limits
    if key not in limits:
        found = (table.find(rule, place.id, place.kind, s) for s in (severity, 3, 2, 1, 4))
        threshold = next((row for row in found if row is not None), None)
        decimals = DECIMALS[RULE_UNITS[rule]]
        limits[key] = (None, "") if threshold is None else (round(threshold.value, decimals), threshold.source)
    return limits[key]


def sensor_key_of(context: Context, level: int) -> str:
    """Return the key of a level sensor."""
    sensor = int(context.arrays.l_sensor[level])
    return context.arrays.sensors[sensor].key


def held_m(context: Context, level: int) -> float:
    """Return the held depth of a level sensor; minus infinity where it has none."""
    value = float(context.state.held[context.arrays.l_sensor[level]])
    return -np.inf if np.isnan(value) else value


def entrance_words(context: Context, entrance: int) -> dict[str, Any]:
    """Return the names of an entrance, and whether its barrier is deployed; of the inside for a negative one."""
    if entrance < 0:
        return {"place_en": "inside", "place_zh": "室内"}
    named = context.arrays.entrances[entrance].entrance
    return {
        "place_en": f"at {named.name_en}",
        "place_zh": named.name_zh,
        "deployed": bool(context.views.closed[entrance]),
    }
