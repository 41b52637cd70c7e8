"""What the storms say together: tables, lead times and reliability, in all and by storm, kind of space and silence."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from risk.hindcast.scores import Cases, bootstrap, bootstrap_median, brier, contingency, reliability
from risk.hindcast.truth import GRACE_S, LEAD_SHARE_GOAL, POD_GOAL, TrueStorm, lead_shares, score_truth
from risk.hydraulics.arrays import FloatArray, floats
from risk.nowcast.summary import WITHIN_MIN
from risk.state import FAMILIES
from simulators.hindcast.run import SEVERITIES, Foreseen, SpaceInStorm, StormResult

POINTS = (10, 25, 50, 75, 90)


def report(results: Sequence[StormResult]) -> dict[str, Any]:
    """Return the scores of all storms together and of their parts."""
    spaces = [space for result in results for space in result.spaces]
    foreseen = [case for result in results for case in result.foreseen]
    truths = [space.truth for space in spaces]
    scores = score_truth(truths)
    probabilities = [_probabilities(foreseen, name, within) for name in SEVERITIES for within in WITHIN_MIN]
    off = sum(not row["reliable"] for scored in probabilities for row in scored["reliability"])
    return {
        "storms": len(results),
        "grace_s": GRACE_S,
        "goals": {
            "red_pod": {"goal": POD_GOAL, "is": _round(scores.red.pod), "met": scores.red.pod >= POD_GOAL},
            "red_missed_while_open": {
                "goal": 0, "is": len(scores.missed_red_while_open), "met": not scores.missed_red_while_open,
            },
            "orange_lead_share": {
                "goal": LEAD_SHARE_GOAL, "is": _round(scores.orange_lead_share),
                "met": scores.orange_lead_share >= LEAD_SHARE_GOAL,
            },
            "bins_off_the_diagonal": {"goal": 0, "is": off, "met": off == 0},
        },
        "parts": [{"name": name, **_part(part)} for name, part in _parts(spaces)],
        "raised_by": {name: _raised_by(spaces, name) for name in SEVERITIES},
        "missed_red": [_missed(space) for space in spaces if _is_missed(space.truth)],
        "probabilities": probabilities,
    }  # fmt: skip


def _parts(spaces: Sequence[SpaceInStorm]) -> Iterator[tuple[str, Sequence[SpaceInStorm]]]:
    yield "all", spaces
    for storm in dict.fromkeys(space.kind_of_storm for space in spaces):
        yield f"storm {storm}", [space for space in spaces if space.kind_of_storm == storm]
    for kind in sorted({str(space.kind) for space in spaces}):
        yield f"kind {kind}", [space for space in spaces if str(space.kind) == kind]
    yield "every level sensor heard", [space for space in spaces if not space.silent]
    yield "a level sensor silent", [space for space in spaces if space.silent]


def _part(spaces: Sequence[SpaceInStorm]) -> dict[str, Any]:
    truths = [space.truth for space in spaces]
    names = sorted({truth.storm for truth in truths})
    day = np.array([names.index(truth.storm) for truth in truths], np.int64)
    wet, orange, alarm = (_column(truths, name) for name in ("first_wet_s", "orange_s", "alarm_orange_s"))
    usable = orange > wet
    shares = lead_shares(alarm, orange, wet)
    warned = lead_shares(floats([space.warned_s for space in spaces]), orange, wet)
    return {
        "cases": len(spaces),
        **{name: _table(_column(truths, f"alarm_{name}_s"), _column(truths, f"{name}_s"), day) for name in SEVERITIES},
        "missed_red_while_open": len(score_truth(truths).missed_red_while_open),
        "orange_lead_share": _points(shares),
        "orange_lead_share_median_90_percent": [_round(end) for end in bootstrap_median(shares, day[usable])],
        "any_alarm_lead_share": _points(warned),
        "wet_to_orange_min": _points((orange - wet)[usable] / 60.0),
    }


def _table(alarm_s: FloatArray, crossing_s: FloatArray, day: np.ndarray[Any, np.dtype[np.int64]]) -> dict[str, Any]:
    late_s = crossing_s + GRACE_S
    table = contingency(alarm_s, late_s)
    hit = alarm_s <= late_s
    leads_min = np.maximum(crossing_s - alarm_s, 0.0)[hit] / 60.0
    return {
        "hits": table.hits, "misses": table.misses, "false_alarms": table.false_alarms, "quiet": table.quiet,
        "pod": _round(table.pod), "far": _round(table.far), "csi": _round(table.csi),
        "pod_90_percent": [_round(end) for end in bootstrap(alarm_s, late_s, day, "pod")],
        "far_90_percent": [_round(end) for end in bootstrap(alarm_s, late_s, day, "far")],
        "csi_90_percent": [_round(end) for end in bootstrap(alarm_s, late_s, day, "csi")],
        "lead_min": _points(leads_min),
    }  # fmt: skip


def _raised_by(spaces: Sequence[SpaceInStorm], name: str) -> dict[str, dict[str, int]]:
    """Count the families of rules that spoke for an alarm as it began, apart for hits and false alarms."""
    counts: dict[str, Counter[str]] = {"hits": Counter(), "false_alarms": Counter()}
    for space in spaces:
        alarm_s, crossing_s = getattr(space.truth, f"alarm_{name}_s"), getattr(space.truth, f"{name}_s")
        bits = getattr(space, f"{name}_by")
        kind = "hits" if alarm_s <= crossing_s + GRACE_S else "false_alarms" if math.isnan(crossing_s) else ""
        if kind and not math.isnan(alarm_s):
            counts[kind].update(family for k, family in enumerate(FAMILIES) if bits >> k & 1)
    return {kind: dict(count.most_common()) for kind, count in counts.items()}


def _is_missed(truth: TrueStorm) -> bool:
    return math.isfinite(truth.red_s) and not truth.alarm_red_s <= truth.red_s + GRACE_S


def _missed(space: SpaceInStorm) -> dict[str, Any]:
    truth = space.truth
    return {
        "storm": truth.storm, "space": truth.space, "kind": str(space.kind), "red_min": _round(truth.red_s / 60.0),
        "alarm_min": _round(truth.alarm_red_s / 60.0), "barrier_open": truth.barrier_open, "silent": space.silent,
    }  # fmt: skip


def _probabilities(foreseen: Sequence[Foreseen], name: str, within_min: float) -> dict[str, Any]:
    """Score the ensemble's probabilities of a severity within some minutes, one event per space and storm.

    Without those that the engine gives none: where it stands only by a barrier that cannot be heard.
    """
    asked = [case for case in foreseen if case.severity == name and case.within_min == within_min]
    chosen = [case for case in asked if not math.isnan(case.probability)]
    members = floats([case.members for case in chosen])
    events = {event: k for k, event in enumerate(dict.fromkeys((case.storm, case.space) for case in chosen))}
    cases = Cases(
        floats([case.probability for case in chosen]),
        floats([float(case.happened) for case in chosen]),
        np.array([events[case.storm, case.space] for case in chosen], np.int64),
    )
    return {
        "severity": name,
        "within_min": within_min,
        "cases": len(chosen),
        "events": len(events),
        "without_probability": len(asked) - len(chosen),
        "happened_without": sum(case.happened for case in asked) - sum(case.happened for case in chosen),
        "brier": _round(brier(cases)),
        "brier_of_members": _round(brier(replace(cases, probability=members))),
        "reliability": [
            {
                "from": one.low, "cases": one.cases, "events": one.events, "forecast": _round(one.forecast),
                "observed": _round(one.observed), "standard_error": _round(one.standard_error),
                "reliable": one.reliable,
            }
            for one in reliability(cases)
        ],
    }  # fmt: skip


def _column(truths: Sequence[TrueStorm], name: str) -> FloatArray:
    return floats([getattr(truth, name) for truth in truths])


def _points(values: FloatArray) -> list[float | None] | None:
    return [_round(float(point)) for point in np.percentile(values, POINTS)] if values.size else None


def _round(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)


def text(told: dict[str, Any]) -> str:
    """Return a report as lines for people."""
    goals = told["goals"]
    lines = [f"{told['storms']} storms; an alarm at most {told['grace_s']:g} s late counts as a hit", ""]
    for name, words in (
        ("red_pod", "reds detected (POD), at least"),
        ("red_missed_while_open", "reds missed while a barrier was truly open, at most"),
        ("orange_lead_share", "median lead to orange over the time since the first wet reading outside, at least"),
        (
            "bins_off_the_diagonal",
            "bins of probability farther from what came than max(0.1, 2 standard errors), at most",
        ),
    ):
        goal = goals[name]
        lines.append(f"{'met   ' if goal['met'] else 'MISSED'}  {words} {goal['goal']:g}: {_shown(goal['is'])}")
    everywhere = told["parts"][0]
    if everywhere["orange_lead_share"]:
        any_alarm, there_was = everywhere["any_alarm_lead_share"][2], everywhere["wet_to_orange_min"][2]
        lines.append(
            f"        beside: that share for any alarm, yellow or above: {_shown(any_alarm)}; "
            f"time there was, median: {_shown(there_was)} min"
        )
    lines += [
        "",
        f"{'':<34} cases  red: hit/miss/false   POD   FAR   CSI   orange: hit/miss/false   POD   FAR  lead share",
    ]
    lines += [_part_line(part) for part in told["parts"]]
    for name, by in told["raised_by"].items():
        for kind, counts in by.items():
            said = ", ".join(f"{family} {count}" for family, count in counts.items())
            lines.append(f"{name} {kind.replace('_', ' ')} spoken for by: {said or '-'}")
    for scored in told["probabilities"]:
        lines += [
            "",
            f"{scored['severity']} within {scored['within_min']:g} min: {scored['cases']} cases, Brier "
            f"{_shown(scored['brier'])}, of the bare shares of the members {_shown(scored['brier_of_members'])}; "
            f"without a probability, since an unheard barrier decides: {scored['without_probability']}, "
            f"{scored['happened_without']} came",
        ]
        lines.append("  forecast  observed  2 SE, by event  cases  events  within max(0.1, 2 SE)")
        lines += [
            f"  {row['forecast']:8.2f}  {row['observed']:8.2f}  {2.0 * row['standard_error']:14.2f}  {row['cases']:5d}"
            f"  {row['events']:6d}  {'yes' if row['reliable'] else 'NO'}"
            for row in scored["reliability"]
        ]
    if told["missed_red"]:
        lines += ["", "missed reds (minutes after the start of the run):"]
        lines += [
            f"  {one['storm']:<32} {one['space']:<12} red {one['red_min']:g}, alarm {_shown(one['alarm_min'])}"
            f"{', barrier open' if one['barrier_open'] else ''}{', a sensor silent' if one['silent'] else ''}"
            for one in told["missed_red"]
        ]
    return "\n".join(lines)


def _part_line(part: dict[str, Any]) -> str:
    red, orange = part["red"], part["orange"]
    share = part["orange_lead_share"]
    return (
        f"{part['name']:<34} {part['cases']:5d}  {red['hits']:8d}/{red['misses']:4d}/{red['false_alarms']:5d}"
        f" {_shown(red['pod']):>5} {_shown(red['far']):>5} {_shown(red['csi']):>5}"
        f"  {orange['hits']:11d}/{orange['misses']:4d}/{orange['false_alarms']:5d}"
        f" {_shown(orange['pod']):>5} {_shown(orange['far']):>5}  {_shown(share[2]) if share else '-':>10}"
    )


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"
