"""The few numbers a person needs at a glance, taken from an assessment's evidence.

Evidence is what the engine happened to know: every key may be absent, and an absent number stays None, never 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any, Literal

from pydantic import BaseModel, Field

Row = Mapping[str, Any]

MISSED_INTERVALS = 3
"""A sensor is stale after this many missed intervals (domain notes 6.2)."""

LEAST_STALE_AFTER_S = 180.0

_BARRIER_ORDER = ("failed", "overtopped", "open", "unknown", "deploying", "deployed_unverified", "deployed")
"""Worst first: a space shows the worst of its barriers."""


class KeyNumbers(BaseModel):
    """The numbers of one row of the page. null is "not known"."""

    outside_freeboard_m: float | None = Field(
        None, description="least over the entrances; negative: water is above a crest [m]"
    )
    outside_depth_m: float | None = Field(None, description="most over the entrances, over the roadway [m]")
    inside_depth_m: float | None = Field(None, description="deepest water over the floor [m]")
    rise_rate_m_min: float | None = Field(None, description="fastest over the entrances [m/min]")
    rain_10min_mm: float | None = Field(None, description="rain in 10 minutes [mm]")
    rain_60min_mm: float | None = Field(None, description="rain in 60 minutes [mm]")
    time_to_threshold_min: float | None = Field(None, description="likely time to the next level [min]")
    time_to_level: Literal["orange", "red"] | None = Field(None, description="the level that this time leads to")
    barrier_state: str | None = Field(None, description="worst over the entrances that have a barrier")
    pump_running: bool | None = None
    in_rain: bool | None = None
    age_s: float | None = Field(None, description="age of the oldest number above, at `tick_at` [s]")


def key_numbers(evidence: Row | None) -> KeyNumbers:
    """Return the numbers to show of an assessment's evidence."""
    if not evidence:
        return KeyNumbers()
    entrances = _entrances(evidence)
    minutes, level = _time_to(evidence)
    return KeyNumbers(
        outside_freeboard_m=_least(_each(entrances, "freeboard_m")),
        outside_depth_m=_most(_each(entrances, "outside_depth_m")),
        inside_depth_m=_number(evidence.get("inside_depth_m")),
        rise_rate_m_min=_most(_each(entrances, "rise_rate_m_min")),
        rain_10min_mm=_number(evidence.get("rain_10min_mm")),
        rain_60min_mm=_number(evidence.get("rain_60min_mm")),
        time_to_threshold_min=minutes,
        time_to_level=level,
        barrier_state=_worst_barrier(entrances),
        pump_running=_flag(evidence.get("pump_running")),
        in_rain=_flag(evidence.get("in_rain")),
        age_s=_most([*_each(entrances, "age_s"), *_numbers([evidence.get("inside_age_s")])]),
    )


def stale_after_s(numbers: KeyNumbers, level: int, interval_dry_s: float, interval_wet_s: float) -> float:
    """Return the age at which readings of a space are stale: three intervals, the wet ones in rain or alarm. [s]"""
    wet = bool(numbers.in_rain) or level > 0
    return max(MISSED_INTERVALS * (interval_wet_s if wet else interval_dry_s), LEAST_STALE_AFTER_S)


def _entrances(evidence: Row) -> list[Row]:
    found = evidence.get("entrances") or []
    each = found.values() if isinstance(found, Mapping) else found
    return [entrance for entrance in each if isinstance(entrance, Mapping)]


def _time_to(evidence: Row) -> tuple[float | None, Literal["orange", "red"] | None]:
    orange = _number(evidence.get("time_to_orange_min"))
    red = _number(evidence.get("time_to_red_min"))
    if orange is not None and (orange > 0 or red is None):
        return orange, "orange"
    return (red, "red") if red is not None else (None, None)


def _worst_barrier(entrances: Iterable[Row]) -> str | None:
    states = {str(entrance["barrier_state"]) for entrance in entrances if entrance.get("barrier_state")}
    return next((state for state in _BARRIER_ORDER if state in states), None)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if isfinite(value) else None


def _numbers(values: Iterable[object]) -> list[float]:
    return [number for number in map(_number, values) if number is not None]


def _each(entrances: Iterable[Row], key: str) -> list[float]:
    return _numbers(entrance.get(key) for entrance in entrances)


def _least(values: list[float]) -> float | None:
    return min(values, default=None)


def _most(values: list[float]) -> float | None:
    return max(values, default=None)


def _flag(value: object) -> bool | None:
    return None if value is None else bool(value)
