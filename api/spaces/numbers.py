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

_BARRIER_ORDER = ("failed", "overtopped", "open", "none", "unknown", "deploying", "deployed_unverified", "deployed")
"""Worst first: a space shows the worst of its barriers. `none` counts only where one is needed."""


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
    entrances, inside = _list(evidence, "entrances"), _list(evidence, "inside")
    rain = evidence.get("rain_mm")
    rain = rain if isinstance(rain, Mapping) else {}
    minutes, level = _time_to(evidence)
    return KeyNumbers(
        outside_freeboard_m=min(_each(entrances, "freeboard_m"), default=None),
        outside_depth_m=max(_each(entrances, "depth_m"), default=None),
        inside_depth_m=max(_each(inside, "depth_m"), default=None),
        rise_rate_m_min=max(_each([*entrances, *inside], "rise_m_min"), default=None),
        rain_10min_mm=_number(rain.get("10")),
        rain_60min_mm=_number(rain.get("60")),
        time_to_threshold_min=minutes,
        time_to_level=level,
        barrier_state=_worst_barrier(entrances),
        pump_running=_any_running(_list(evidence, "pumps")),
        in_rain=_flag(evidence.get("in_rain")),
        age_s=max(_each([*entrances, *inside], "age_s"), default=None),
    )


def stale_after_s(numbers: KeyNumbers, level: int, interval_dry_s: float, interval_wet_s: float) -> float:
    """Return the age at which readings of a space are stale: three intervals, the wet ones in rain or alarm. [s]"""
    wet = bool(numbers.in_rain) or level > 0
    return max(MISSED_INTERVALS * (interval_wet_s if wet else interval_dry_s), LEAST_STALE_AFTER_S)


def _list(evidence: Row, key: str) -> list[Row]:
    found = evidence.get(key)
    return [entry for entry in found if isinstance(entry, Mapping)] if isinstance(found, list) else []


def _time_to(evidence: Row) -> tuple[float | None, Literal["orange", "red"] | None]:
    """Return the time to the next level: to orange while it lies ahead, else to red."""
    orange = _number(evidence.get("time_to_orange_min"))
    red = _number(evidence.get("time_to_red_min"))
    if orange is not None and (orange > 0 or red is None):
        return orange, "orange"
    return (red, "red") if red is not None else (None, None)


def _worst_barrier(entrances: Iterable[Row]) -> str | None:
    states = {
        entrance.get("barrier")
        for entrance in entrances
        if entrance.get("barrier") != "none" or entrance.get("barrier_needed")
    }
    return next((state for state in _BARRIER_ORDER if state in states), None)


def _any_running(pumps: list[Row]) -> bool | None:
    return any(bool(pump.get("running")) for pump in pumps) if pumps else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if isfinite(value) else None


def _each(entries: Iterable[Row], key: str) -> list[float]:
    return [number for number in (_number(entry.get(key)) for entry in entries) if number is not None]


def _flag(value: object) -> bool | None:
    return None if value is None else bool(value)
