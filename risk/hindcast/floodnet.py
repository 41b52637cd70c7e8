"""The engine's outside nowcast over observed street floods, scored beside simple alarms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from risk.hindcast.baseline import simple_alarms
from risk.hindcast.floodnet_csv import Event
from risk.hindcast.scores import (
    Cases,
    Point,
    best_at_lead,
    bootstrap,
    brier,
    contingency,
    gap_closed,
    lead_times_min,
    median_lead_min,
    reliability,
)
from risk.hydraulics.arrays import FloatArray, floats
from risk.nowcast.outside import OutsideNowcast, Target

LEADS_MIN = (8.0, 11.0, 15.0)
CASE_EVERY_S = 300.0
PROBABILITIES = (*(round(0.02 * k, 2) for k in range(1, 50)), 0.985, 0.99)
"""Probabilities at which an alarm is tried for the frontier."""


@dataclass(frozen=True, slots=True, eq=False)
class Hindcast:
    """Events in the order of the file, with the forecast along each."""

    events: Sequence[Event]
    probability: Sequence[FloatArray]
    target: Target

    def alarms_s(self, probability: float) -> FloatArray:
        """Return the first sample of each event at which the probability is reached; NaN when never. [s]"""
        found = []
        for event, along in zip(self.events, self.probability, strict=True):
            reached = np.nonzero(along >= probability)[0]
            found.append(float(event.track.time_s[reached[0]]) if reached.size else math.nan)
        return floats(found)

    def crossings_s(self) -> FloatArray:
        """Return the first crossing of each event; NaN when never. [s]"""
        return floats([event.track.crossing_s(self.target.threshold_m) for event in self.events])

    def part(self, chosen: Sequence[int]) -> Hindcast:
        """Return the hindcast of some of the events, forecasts unchanged."""
        return Hindcast([self.events[k] for k in chosen], [self.probability[k] for k in chosen], self.target)

    def cases(self) -> Cases:
        """Return one case per event and 5 minutes before the crossing."""
        probability, happened, owner = [], [], []
        for k, (event, along) in enumerate(zip(self.events, self.probability, strict=True)):
            track = event.track
            left_s = track.crossing_s(self.target.threshold_m) - track.time_s
            before = track.before_crossing(self.target.threshold_m)
            _, first = np.unique(np.floor(track.time_s / CASE_EVERY_S), return_index=True)
            rows = first[before[first]]
            probability.append(along[rows])
            happened.append(left_s[rows] <= self.target.horizon_s)
            owner.append(np.full(rows.size, k))
        none: list[FloatArray] = [np.zeros(0)]
        return Cases(
            np.concatenate([*none, *probability]),
            np.concatenate([*none, *happened]).astype(np.float64),
            np.concatenate([*none, *owner]).astype(np.int64),
        )


def run_hindcast(events: Sequence[Event], target: Target) -> Hindcast:
    """Run the nowcast over the events in the order of their starts."""
    place = {id(event.track): k for k, event in enumerate(events)}
    along: list[FloatArray] = [np.zeros(0)] * len(events)
    for forecast in OutsideNowcast(target).run([event.track for event in events]):
        along[place[id(forecast.track)]] = forecast.probability
    return Hindcast(events, along, target)


def report(hindcast: Hindcast, probability: float, score_from: date | None = None) -> dict[str, Any]:
    """Return the scores: all events, tidal and other sites apart, with the simple alarms beside."""
    chosen = [
        k for k, event in enumerate(hindcast.events) if score_from is None or event.started_at.date() >= score_from
    ]
    earlier = sorted(set(range(len(hindcast.events))) - set(chosen))
    parts: list[tuple[str, set[bool]]] = [("all", {False, True}), ("tidal", {True}), ("not_tidal", {False})]

    def part(of: Sequence[int], tidal: set[bool]) -> Hindcast:
        return hindcast.part([k for k in of if hindcast.events[k].track.tidal in tidal])

    return {
        "threshold_m": hindcast.target.threshold_m,
        "horizon_min": hindcast.target.horizon_s / 60.0,
        "probability": probability,
        "score_from": score_from.isoformat() if score_from else None,
        "parts": [
            {"name": name, **_score(part(chosen, tidal), probability, part(earlier, tidal))} for name, tidal in parts
        ],
    }


def _score(part: Hindcast, probability: float, earlier: Hindcast) -> dict[str, Any]:
    """Score some events; ``longest_median_lead_min`` is that of alarms at the first sample of every flood."""
    alarm, crossing = part.alarms_s(probability), part.crossings_s()
    first = floats([event.track.time_s[0] for event in part.events])
    table, cases = contingency(alarm, crossing), part.cases()
    leads = lead_times_min(alarm, crossing)
    day = np.array([event.started_at.toordinal() for event in part.events], dtype=np.int64)
    low, high = bootstrap(alarm, crossing, day, "csi")
    bins = reliability(cases)
    return {
        "events": len(part.events),
        "crossings": int(np.isfinite(crossing).sum()),
        "longest_median_lead_min": _round(median_lead_min(first, crossing)),
        "hits": table.hits,
        "misses": table.misses,
        "false_alarms": table.false_alarms,
        "quiet": table.quiet,
        "pod": _round(table.pod),
        "far": _round(table.far),
        "csi": _round(table.csi),
        "csi_90_percent": [_round(low), _round(high)],
        "lead_min": [_round(float(q)) for q in np.percentile(leads, (10, 25, 50, 75, 90))] if leads.size else None,
        "brier": _round(brier(cases)),
        "reliability": [
            {
                "from": one.low,
                "cases": one.cases,
                "events": one.events,
                "forecast": _round(one.forecast),
                "observed": _round(one.observed),
                "standard_error": _round(one.standard_error),
                "reliable": one.reliable,
            }
            for one in bins
        ],
        "frontier": _frontier(part, earlier),
    }


def _point(name: str, alarm: FloatArray, crossing: FloatArray) -> Point:
    csi = contingency(alarm, crossing).csi
    return Point(0.0 if math.isnan(csi) else csi, median_lead_min(alarm, crossing), name)


def _by_probability(part: Hindcast) -> list[Point]:
    crossing = part.crossings_s()
    return [_point(f"{p:g}", part.alarms_s(p), crossing) for p in PROBABILITIES]


def _frontier(part: Hindcast, earlier: Hindcast) -> list[dict[str, Any]]:
    """CSI at each median lead: of the nowcast at the probability best on the earlier events, beside simple alarms.

    The simple alarm is the best of all on the scored events themselves, at the lead asked for (or, where the nowcast's
    is shorter there, at that), and beside it, ``at_its_lead``, at the median lead that the nowcast has there. Without
    earlier crossings the probability is chosen on the scored events, and ``held_out`` says so.
    """
    crossing, held_out = part.crossings_s(), bool(np.isfinite(earlier.crossings_s()).any())
    tracks = [event.track for event in part.events]
    simple = [_point(a.name, a.alarm_s, crossing) for a in simple_alarms(tracks, part.target.threshold_m)]
    ours = _by_probability(part)
    known = _by_probability(earlier) if held_out else ours
    scored = {point.name: point for point in ours}
    rows = []
    for lead in LEADS_MIN:
        best = scored.get(best_at_lead(known, lead).name, Point(0.0, 0.0, "none"))
        base = best_at_lead(simple, min(lead, best.median_lead_min) if best.csi else lead)
        same = best_at_lead(simple, best.median_lead_min if best.csi else lead)
        rows.append(
            {
                "lead_min": lead,
                "simple_csi": _round(base.csi),
                "simple": base.name,
                "goal_csi": _round(base.csi + 0.15 * (1.0 - base.csi)),
                "csi": _round(best.csi),
                "median_lead_min": _round(best.median_lead_min),
                "probability": best.name,
                "held_out": held_out,
                "gap_closed": _round(gap_closed(best.csi, base.csi)),
                "simple_csi_at_its_lead": _round(same.csi),
                "gap_closed_at_its_lead": _round(gap_closed(best.csi, same.csi)),
            }
        )
    return rows


def _round(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)
