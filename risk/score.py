"""Priority score 0-100: which space to look at first. It never raises, lowers or hides a level or an alarm.

``S = 100 (1 - prod(1 - w_k x_k))``, ``x_k`` from 0 (best) to 1 (worst): one bad factor cannot be talked down by good
ones, and the score never reaches 100. Shown contributions are the shares
``S ln(1 - w_k x_k) / sum ln(1 - w_j x_j)``, which add up to the score.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from risk.arrays import FloatArray, IntArray, SiteArrays
from risk.rain_kept import kept_share
from risk.rules import Views
from risk.state import FLOAT, REPORT, STAND_IN, EngineState
from risk.thresholds import RAIN_RULES
from undercroft.site.model import Exposure, Space

WEIGHTS_VERSION = "1"
WEIGHTS: dict[str, float] = {
    "level_margin": 0.60,
    "forecast": 0.45,
    "rain": 0.35,
    "rise": 0.30,
    "barrier": 0.30,
    "confidence": 0.30,
    "supplies": 0.20,
    "people": 0.20,
    "vulnerability": 0.15,
    "assets": 0.10,
}
"""Weights [P], version 1. Hazard: level_margin, forecast, rain, rise. Exposure: people, assets. Coping: barrier,
supplies."""

DYNAMIC = ("level_margin", "forecast", "rain", "rise", "barrier", "confidence", "supplies")

FULL_RISE_M_MIN = 0.03
MANY_PEOPLE = 200.0
"""Factors are 1 at 3 cm/min, at the 50-year rain of 5, 10 and 60 min (`RAIN_RULES`), and 0.63 at 200 people."""


@dataclass(frozen=True, slots=True)
class ScoreStatics:
    """Factors that follow from the site, by day and by night, shape (N,) each, and what is left of the product."""

    day: dict[str, FloatArray]
    night: dict[str, FloatArray]
    day_left: FloatArray
    night_left: FloatArray


def score_statics(arrays: SiteArrays) -> ScoreStatics:
    """Return the static factors of a site."""
    spaces = arrays.spaces
    shared = {
        "vulnerability": np.array([_vulnerability(space) for space in spaces]),
        "assets": np.array([_assets(space.exposure) for space in spaces]),
    }
    day = shared | {"people": _people(np.array([space.exposure.people_day for space in spaces], np.float64))}
    night = shared | {"people": _people(np.array([space.exposure.people_night for space in spaces], np.float64))}
    return ScoreStatics(day, night, _left(day), _left(night))


def _left(factors: dict[str, FloatArray]) -> FloatArray:
    left = np.ones(next(iter(factors.values())).shape)
    for name in sorted(factors):
        left = left * (1.0 - WEIGHTS[name] * factors[name])
    return left


def without_people(statics: ScoreStatics, spaces: IntArray) -> ScoreStatics:
    """Return the factors with nobody in some spaces."""

    def emptied(factors: dict[str, FloatArray]) -> dict[str, FloatArray]:
        people = factors["people"].copy()
        people[spaces] = 0.0
        return factors | {"people": people}

    day, night = emptied(statics.day), emptied(statics.night)
    return ScoreStatics(day, night, _left(day), _left(night))


def _people(people: FloatArray) -> FloatArray:
    return np.asarray(1.0 - np.exp(-people / MANY_PEOPLE))


def _assets(exposure: Exposure) -> float:
    floors = min(exposure.floors_below / 4.0, 1.0)
    vehicles = 1.0 - float(np.exp(-exposure.vehicles / 200.0))
    return 1.0 - (1.0 - 0.4 * floors) * (1.0 - 0.5 * vehicles) * (1.0 - 0.5 * exposure.power_room)


def _vulnerability(space: Space) -> float:
    low = max(
        1.0 - min(max(entrance.crest_level_m - entrance.roadway_level_m, 0.0) / 0.45, 1.0)
        for entrance in space.entrances
    )
    slow = max((min(e.barrier.deploy_min / 30.0, 1.0) for e in space.entrances if e.barrier is not None), default=1.0)
    people = 0.5 * space.exposure.single_exit, 0.5 * space.exposure.vulnerable_people
    return 1.0 - (1.0 - 0.4 * low) * (1.0 - 0.3 * slow) * (1.0 - people[0]) * (1.0 - people[1])


def dynamic_factors(state: EngineState, arrays: SiteArrays, views: Views) -> dict[str, FloatArray]:
    """Return the factors that change with the evidence, shape (N,) each, in the order of `DYNAMIC`."""
    n = arrays.n_spaces
    depth = views.depth_m
    rows = np.flatnonzero(depth > 0.0)  # a dry sensor adds nothing to either factor
    depth, table = depth[rows], views.least_m[:, rows]
    with_top = np.isfinite(table)
    top_row = 3 - np.argmax(with_top[::-1], axis=0)
    least = table[top_row, np.arange(rows.size)]
    reach = np.clip(depth / np.maximum(least, 1e-3), 0.0, 1.0) * (top_row + 1) / 4.0 * with_top.any(axis=0)
    margin, rises = np.zeros(n), np.zeros(n)
    np.maximum.at(margin, arrays.l_space[rows], reach)
    margin = np.maximum(margin, views.now[[FLOAT, REPORT, STAND_IN]].max(axis=0) / 4.0)
    rate = np.where(depth >= 0.02, state.rate[rows], 0.0)
    np.maximum.at(rises, arrays.l_space[rows], np.clip(rate / FULL_RISE_M_MIN, 0.0, 1.0))
    mm = views.rain.basin_mm
    of_basin = np.clip((mm / [full for _, full in RAIN_RULES]).max(axis=1), 0.0, 1.0)
    rain = of_basin[arrays.basin_of_space]
    if state.rain_kept:
        kept_share(state, arrays, tuple(full for _, full in RAIN_RULES), rain)
    soonest = np.fmin(views.soonest.orange_min + 15.0, views.soonest.red_min)  # of the water, whatever the level
    ahead = np.where(np.isnan(soonest), 0.0, np.clip(1.0 - soonest / 75.0, 0.0, 1.0))
    needed, sensors = arrays.n_barriers_needed, arrays.n_level_sensors
    shut = np.bincount(arrays.e_space[np.flatnonzero(views.closed & arrays.e_needed)], minlength=n)
    silent_rows = np.flatnonzero(~views.fresh & arrays.is_level)
    stale = np.bincount(arrays.s_space[silent_rows[arrays.s_space[silent_rows] >= 0]], minlength=n)
    share_open = (needed - shut) / np.maximum(needed, 1)
    silent = np.where(sensors == 0, 1.0, stale / np.maximum(sensors, 1)) if stale.any() else sensors == 0
    confidence = np.where(views.blind | views.unheard, 1.0, 0.5 * silent)
    values = (margin, ahead, rain, rises, share_open * np.maximum(margin, rain), confidence, state.shortage)
    return dict(zip(DYNAMIC, values, strict=True))


def score_of(dynamic: dict[str, FloatArray], statics: ScoreStatics, *, by_day: bool) -> FloatArray:
    """Return the score of every space, to one decimal."""
    left = statics.day_left if by_day else statics.night_left
    return np.asarray(np.round(100.0 * (1.0 - left * _left(dynamic)), 1))


def contributions(
    dynamic: dict[str, FloatArray], statics: ScoreStatics, spaces: IntArray, *, by_day: bool
) -> list[dict[str, object]]:
    """Return what each factor adds to the score of some spaces, with its worst-case value and weight."""
    factors = dynamic | (statics.day if by_day else statics.night)
    x = np.array([factors[name][spaces] for name in WEIGHTS])
    parts = np.log1p(-np.array(list(WEIGHTS.values()))[:, None] * x)
    total = parts.sum(axis=0)
    shares = np.divide(100.0 * (1.0 - np.exp(total)), total, out=np.zeros(total.shape), where=total != 0.0)
    points = np.round(parts * shares + 0.0, 2).T.tolist()
    return [
        {
            "weights_version": WEIGHTS_VERSION,
            "factors": [
                {"factor": name, "points": p, "x": value, "weight": weight}
                for (name, weight), p, value in zip(WEIGHTS.items(), of_space, values, strict=True)
            ],
        }
        for of_space, values in zip(points, np.round(x, 3).T.tolist(), strict=True)
    ]
