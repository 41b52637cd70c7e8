"""How probable it is that wet sensors reach a depth, from what floods of the past did next.

The members are moments of finished floods that looked like this one (`risk.nowcast.analogues`); the trend's own
estimate counts as a few more. Nothing here knows what severity a depth stands for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import numpy as np

from risk.arrays import BoolArray, FloatArray, IntArray
from risk.hydraulics.arrays import floats
from risk.nowcast.moments import Moments
from risk.nowcast.surroundings import Surroundings
from risk.nowcast.trend import RAIN_COEFFICIENTS, TIDE_COEFFICIENTS, trend_probability, trend_terms
from risk.past.inforce import Past
from risk.past.known import Drawn, Kind, Known, drawn
from risk.past.present import Present, Wet, described, present
from risk.past.traces import AHEAD_MIN, OLDEST_MIN, RISES_MIN

Described = TypeVar("Described", Present, Moments, Surroundings)

NEVER_M = 1e3
"""Threshold where there is none. [m]"""
SPACES_AT_A_TIME = 512
"""So that the members of a block stay near the processor."""


@dataclass(frozen=True, slots=True, eq=False)
class PastAsked:
    """What a library is asked: of which spaces, by which wet sensor, and how much depth is missing to each target.

    Attributes
    ----------
    past : Past
        The library in force; None while a question is on its way to a process that has it.
    version : int
        Its number.
    wet : Wet
        All wet sensors that it knows; ``at_us`` is the time of the memory. [µs since 1970]
    wet_space : ndarray
        Space of each.
    place : ndarray, shape (n,)
        Which of the spaces asked about.
    of_wet : ndarray, shape (n,)
        Row in ``wet`` of the sensor that speaks for each.
    since_us : ndarray, shape (n,)
        How old its newest sample is: a quarter of an hour from now is more than that from the sample. [µs]
    missing_m : ndarray, shape (n, 2)
        Depth that is missing to orange and to red; infinite where there is none. [m]
    """

    past: Past | None
    version: int
    at_us: int
    wet: Wet
    wet_space: IntArray
    place: IntArray
    of_wet: IntArray
    since_us: IntArray
    missing_m: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Foreseen:
    """What a library answers, a row per space asked about; nothing where it does not judge.

    Attributes
    ----------
    judged : ndarray, shape (n,)
        False where the flood is over or has hardly begun: then it has nothing to say.
    probability, members : ndarray, shape (n, 2, times)
        That each target is reached within each of `AHEAD_MIN`, and the share of past floods alone.
    floods : ndarray, shape (n,)
        Different floods behind it.
    """

    judged: BoolArray
    probability: FloatArray
    members: FloatArray
    floods: IntArray


def foreseen(asked: PastAsked) -> Foreseen:
    """Return what the library answers; the same question has the same answer."""
    assert asked.past is not None  # noqa: S101 - whoever answers has the library
    known = asked.past.known
    size = asked.place.size
    result = Foreseen(
        np.zeros(size, np.bool_), np.zeros((size, 2, len(AHEAD_MIN))), np.zeros((size, 2, len(AHEAD_MIN))),
        np.zeros(size, np.int64),
    )  # fmt: skip
    for tidal in (False, True):
        of_kind = np.flatnonzero(known.tidal[asked.wet.row[asked.of_wet]] == tidal)
        if of_kind.size:
            state = _state_of(known, asked, of_kind, tidal=tidal)
            for first in range(0, of_kind.size, SPACES_AT_A_TIME):
                block = np.arange(first, min(first + SPACES_AT_A_TIME, of_kind.size))
                chosen = of_kind[block]
                _foresee(known.kinds[tidal], state.part(block), asked, chosen, result)
    return result


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """States of some sensors of a kind."""

    now: Present
    moments: Moments
    around: Surroundings

    def part(self, rows: IntArray) -> _State:
        return _State(_rows(self.now, rows), _rows(self.moments, rows), _rows(self.around, rows))


def _state_of(known: Known, asked: PastAsked, chosen: IntArray, *, tidal: bool) -> _State:
    wet = asked.wet.part(asked.of_wet[chosen])
    others = asked.wet.part(known.tidal[asked.wet.row] == tidal)
    now = present(wet, tidal=tidal)
    return _State(now, *described(known, now, wet, others, asked.at_us))


def _drawn(kind: Kind, state: _State) -> Drawn:
    return drawn(kind, state.moments.coordinates, state.moments.rate_m_10min)


def _foresee(kind: Kind, state: _State, asked: PastAsked, chosen: IntArray, result: Foreseen) -> None:
    missing_m, since_min = asked.missing_m[chosen], asked.since_us[chosen] / 60e6
    is_there = np.isfinite(missing_m)
    members = _drawn(kind, state)
    weight, trend_members = members.weight, kind.tuning.trend_members
    total = weight.sum(axis=1)[:, None]
    trend = _trend(state, np.where(is_there, state.now.depth_m[:, None] + missing_m, NEVER_M))
    for target in range(2):
        hits = members.rise_m >= missing_m[:, target][:, None, None]
        reached = (weight[:, :, None] * hits).sum(axis=1)
        result.members[chosen, target] = from_now(reached / total, since_min)
        both = (reached + trend_members * trend[:, target]) / (total + trend_members)
        result.probability[chosen, target] = np.where(is_there[:, [target]], from_now(both, since_min), 0.0)
    chance = np.maximum.accumulate(result.probability[chosen], axis=2)
    result.probability[chosen] = np.minimum.accumulate(chance, axis=1)
    result.judged[chosen] = state.moments.judged
    flood = np.sort(kind.flood[members.moment], axis=1)
    result.floods[chosen] = 1 + (np.diff(flood, axis=1) > 0).sum(axis=1)


def _trend(state: _State, threshold_m: FloatArray) -> FloatArray:
    """Return the trend's probability of each target within each time, shape (n, 2, times)."""
    n, targets, times = *threshold_m.shape, len(RISES_MIN)
    row = np.repeat(np.arange(n), targets * times)
    now, moments, around = _rows(state.now, row), _rows(state.moments, row), _rows(state.around, row)
    horizon_s = np.tile(60.0 * np.array(RISES_MIN), n * targets)
    terms = trend_terms(now, moments, around, np.repeat(threshold_m.ravel(), times), horizon_s)
    coefficients = floats(TIDE_COEFFICIENTS if state.now.tidal else RAIN_COEFFICIENTS)
    return trend_probability(terms, coefficients).reshape(n, targets, times)


def from_now(chance: FloatArray, since_min: FloatArray) -> FloatArray:
    """Return a chance within `RISES_MIN` of a sample as one within `AHEAD_MIN` of now, on straight lines between.

    By hand: 0.4 within 15 and 0.6 within 20 min of a sample that is 3 min old: 0.4 + 0.2 x 3 / 5 = 0.52 within 15 min.

    Parameters
    ----------
    chance : ndarray, shape (n, times)
        A row per sample, from 0 within no time.
    since_min : ndarray, shape (n,)
        How old each sample is, held to 0 and `OLDEST_MIN`. [min]
    """
    after = np.array(RISES_MIN)
    before = np.concatenate(([0.0], after[:-1]))
    want = np.clip(since_min, 0.0, OLDEST_MIN)[:, None] + np.array(AHEAD_MIN)
    upper = np.searchsorted(after, want)
    share = (want - before[upper]) / (after - before)[upper]
    padded = np.concatenate((np.zeros((chance.shape[0], 1)), chance), axis=1)
    low, high = (np.take_along_axis(padded, upper + more, axis=1) for more in (0, 1))
    return floats(low + share * (high - low))


def _rows(of: Described, row: IntArray) -> Described:
    """Return some rows of what is described, again and again."""
    found: dict[str, Any] = {}
    for one in fields(of):
        value = getattr(of, one.name)
        if isinstance(value, Mapping):
            found[one.name] = {key: array[row] for key, array in value.items()}
        elif isinstance(value, np.ndarray):
            found[one.name] = value[row]
    return replace(of, **found)


@dataclass(frozen=True, slots=True)
class PastMember:
    """A moment of a past flood: where and when, how much it counts, and the depth that it foresees in half an hour."""

    sensor: str
    started_us: int
    minute: float
    weight: float
    foreseen_m: float


def members_of(asked: PastAsked, row: int) -> list[PastMember]:
    """Return the moments behind what is foreseen of one space, heaviest first."""
    assert asked.past is not None  # noqa: S101 - whoever answers has the library
    known = asked.past.known
    tidal = bool(known.tidal[asked.wet.row[asked.of_wet[row]]])
    state, kind = _state_of(known, asked, np.array([row]), tidal=tidal), known.kinds[tidal]
    drawn_ = _drawn(kind, state)
    half_hour = RISES_MIN.index(30.0)
    found = []
    share = drawn_.weight[0] / drawn_.weight[0].sum()
    for moment, weight, rise in zip(drawn_.moment[0], share, drawn_.rise_m[0, :, half_hour], strict=True):
        flood = known.library.floods[int(kind.flood[moment])]
        minute = flood.time_s[int(kind.sample[moment])] / 60.0
        depth_m = float(state.now.depth_m[0] + rise)
        found.append(
            PastMember(flood.sensor, flood.started_us, round(minute, 1), round(float(weight), 4), round(depth_m, 3))
        )
    return sorted(found, key=lambda one: (-one.weight, one.sensor, one.started_us, one.minute))


def times_min(probability: FloatArray, points: tuple[float, ...]) -> FloatArray:
    """Return when the probability first reaches some points, on straight lines between the times; infinite for never.

    By hand: 0.2 within 5 and 0.6 within 10 min: 0.5 is reached 5 + 5 (0.5 - 0.2) / 0.4 = 8.75 min on.

    Parameters
    ----------
    probability : ndarray, shape (n, 2, times)
        Never falling along the last axis.

    Returns
    -------
    ndarray, shape (n, 2, points)
        Minutes. [min]
    """
    ahead = np.concatenate(([0.0], AHEAD_MIN))
    chance = np.concatenate((np.zeros((*probability.shape[:2], 1)), probability), axis=2)
    found = np.full((*probability.shape[:2], len(points)), np.inf)
    for place, point in enumerate(points):
        reached = chance >= point
        upper = np.argmax(reached, axis=2)
        lower = np.maximum(upper - 1, 0)
        high = np.take_along_axis(chance, upper[..., None], axis=2)[..., 0]
        low = np.take_along_axis(chance, lower[..., None], axis=2)[..., 0]
        part = np.divide(point - low, high - low, out=np.zeros(low.shape), where=high > low)
        minutes = ahead[lower] + part * (ahead[upper] - ahead[lower])
        found[..., place] = np.where(reached.any(axis=2), minutes, np.inf)
    return found
