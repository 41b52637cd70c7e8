"""Probabilities of roads that only their own water tells of, on measured street floods: cases to fit and to score."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from risk.ahead import NAMES, TARGETS
from risk.arrays import BoolArray, IntArray
from risk.hindcast.compare import TICK_S, road_site, road_ticks
from risk.hindcast.floodnet_csv import Event, read_events
from risk.hindcast.history import Batch, each_alone, storm_by_storm
from risk.hindcast.scores import Cases, ReliabilityBin, brier, reliability
from risk.hydraulics.arrays import FloatArray, floats
from risk.nowcast.calibration import (
    BEND_PARTS,
    BENDS_BY_INSIDE,
    BY_INSIDE,
    HOLD_BY_INSIDE,
    TERMS,
    fitted,
    fitted_bend,
    terms,
)
from risk.nowcast.summary import WITHIN_MIN
from risk.thresholds import thresholds_at

FITTED_BEFORE = datetime(2024, 7, 1)  # noqa: DTZ001 - the tables carry local times
"""Floods that began before this are fitted on, later ones scored."""
CASE_EVERY_S = 300.0


@dataclass(frozen=True, slots=True, eq=False)
class RoadCases:
    """One severity: a case per flood and 5 minutes before the crossing; ``event`` numbers the flood.

    ``terms`` has shape (cases, times, 4), the rest (cases, times).
    """

    event: IntArray
    early: BoolArray
    terms: FloatArray
    probability: FloatArray
    happened: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class RoadScore:
    """One severity and time: Brier score and reliability of later floods."""

    cases: int
    brier: float
    bins: Sequence[ReliabilityBin]


def road_cases(events: Sequence[Event], batches: Iterable[Batch]) -> tuple[RoadCases, RoadCases]:
    """Run floods as the live engine would, without rain, and return what was foreseen of orange and of red."""
    table = thresholds_at(road_site(1), datetime(2026, 1, 1).astimezone())
    space = road_site(1).spaces[0]
    depths_m = [table.value("inside-depth", space.id, space.kind, severity) for severity in TARGETS]
    rows: tuple[list[tuple[int, FloatArray, FloatArray, FloatArray]], ...] = ([], [])
    for batch in batches:
        ids = batch.ids.tolist()
        tracks = [events[k].track for k in ids]
        crossing_s = [[track.crossing_s(depth) for track in tracks] for depth in depths_m]
        every_s = [batch.offset_s[place] // TICK_S * TICK_S % CASE_EVERY_S for place in range(len(ids))]
        for tick in road_ticks(events, batch, ()):
            made_of = terms(tick.answer.members, tick.asked.around)[..., : BY_INSIDE.shape[-1]]
            for row, place in enumerate(tick.answer.spaces.tolist()):
                if tick.now_s % CASE_EVERY_S != every_s[place]:
                    continue
                now_s = tick.now_s - batch.offset_s[place]
                for k in range(len(TARGETS)):
                    left_s = crossing_s[k][place] - now_s
                    if now_s <= tracks[place].time_s[-1] and not left_s <= 0.0:
                        happened = floats([left_s <= 60.0 * within for within in WITHIN_MIN])
                        rows[k].append((ids[place], made_of[row, k], tick.answer.probability[row, k], happened))
    orange, red = (_as_cases(events, of) for of in rows)
    return orange, red


def _as_cases(events: Sequence[Event], rows: Sequence[tuple[int, FloatArray, FloatArray, FloatArray]]) -> RoadCases:
    event = np.array([row[0] for row in rows], np.int64)
    early = np.array([events[k].started_at < FITTED_BEFORE for k in event.tolist()], np.bool_)
    made_of, probability, happened = (floats(np.stack([row[k] for row in rows])) for k in (1, 2, 3))
    return RoadCases(event, early, made_of, probability, happened)


@dataclass(frozen=True, slots=True, eq=False)
class RoadFit:
    """What `BY_INSIDE` and `BENDS_BY_INSIDE` are to be, shapes (2, times, 4) and (2, times, 5), as they are kept."""

    coefficients: FloatArray
    bends: FloatArray

    @property
    def farthest(self) -> float:
        """The most that any number differs from the one in use."""
        pairs = (self.coefficients, BY_INSIDE), (self.bends, BENDS_BY_INSIDE)
        return max(float(np.abs(fit - used).max()) for fit, used in pairs)


def fit_of_roads(cases: Sequence[RoadCases], decimals: int = 2) -> RoadFit:
    """Return what fits the early floods best: the coefficients, then the bend of what the rounded ones give."""
    shape = (len(cases), len(WITHIN_MIN))
    found, bends = np.zeros((*shape, BY_INSIDE.shape[-1])), np.zeros((*shape, len(BEND_PARTS)))
    for k, of in enumerate(cases):
        for h in range(len(WITHIN_MIN)):
            made_of, happened = of.terms[of.early, h], of.happened[of.early, h]
            found[k, h] = np.round(fitted(made_of, happened), decimals)
            bends[k, h] = np.round(fitted_bend(floats(made_of @ found[k, h]), happened, HOLD_BY_INSIDE), decimals)
    return RoadFit(floats(found + 0.0), floats(bends + 0.0))


def scored(cases: RoadCases, h: int) -> RoadScore:
    """Return how the probabilities in use do on the later floods."""
    late = ~cases.early
    kept = Cases(cases.probability[late, h], cases.happened[late, h], cases.event[late])
    return RoadScore(int(late.sum()), brier(kept), reliability(kept))


def told_of_roads(events: Path, sensors: Path, *, as_json: bool, relearn_days: int | None = None) -> str:
    """Return the fit on the early floods, whether it is in use, and the score on the later ones."""
    floods = read_events(events, sensors)
    cases = road_cases(floods, each_alone(floods) if relearn_days is None else storm_by_storm(floods, relearn_days))
    fit = fit_of_roads(cases)
    scores = [[scored(of, h) for h in range(len(WITHIN_MIN))] for of in cases]
    if as_json:
        rows = [
            {
                "severity": name, "within_min": within, "cases": score.cases, "brier": round(score.brier, 4),
                "reliability": [
                    {
                        "from": one.low, "cases": one.cases, "events": one.events, "forecast": round(one.forecast, 4),
                        "observed": round(one.observed, 4), "standard_error": round(one.standard_error, 4),
                        "reliable": one.reliable,
                    }
                    for one in score.bins
                ],
            }
            for name, of in zip(NAMES, scores, strict=True)
            for within, score in zip(WITHIN_MIN, of, strict=True)
        ]  # fmt: skip
        told = {"coefficients": fit.coefficients.tolist(), "bends": fit.bends.tolist(), "later": rows}
        return json.dumps(told, indent=2)
    heads = (*TERMS[: BY_INSIDE.shape[-1]], *BEND_PARTS)
    numbers = np.concatenate((fit.coefficients, fit.bends), axis=2)
    lines = [f"{'':<16}" + " ".join(f"{name:>9}" for name in heads)]
    for name, of, found in zip(NAMES, scores, numbers, strict=True):
        for within, score, row in zip(WITHIN_MIN, of, found, strict=True):
            off = ", ".join(f"{one.forecast:.2f} came {one.observed:.2f}" for one in score.bins if not one.reliable)
            lines.append(
                f"{f'{name} {within:g} min':<16}"
                + " ".join(f"{value:9.2f}" for value in row)
                + f"   later floods: {score.cases} cases, Brier {score.brier:.4f}, bins off: {off or 'none'}"
            )
    differs = fit.farthest
    lines.append(
        "these are the numbers in use" if differs < 0.005 else f"the numbers in use differ by up to {differs:.2f}"
    )
    return "\n".join(lines)
