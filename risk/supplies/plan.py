"""What spaces lack now, how soon, and which depot should send it: from newest assessments and the stock in hand."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, inf
from typing import Any

from risk.hydraulics.weir import weir_m3_s
from risk.supplies.dispatch import DispatchPlan, Need, dispatch
from risk.supplies.requirement import SANDBAG, Requirement, laying_min, space_requirement
from risk.supplies.route import reachable_min
from risk.supplies.stock import Coverage, Holding, barrier_coverage, lacking
from undercroft.model import Severity
from undercroft.site.model import Site, Space

PAIRS = 2
"""Pairs of people that lay sandbags at each entrance, all entrances side by side. Proposal."""
LEAST_PRIORITY = 1.0
"""So that a space without a score still counts."""


@dataclass(frozen=True, slots=True)
class Work:
    """What closing the entrances of a space takes of people, side by side, once supplies are there.

    Attributes
    ----------
    people : int
        Two at a barrier, four at an entrance that is walled up, and for a list of sandbags where none is.
    minutes : float
        Until the slowest entrance is closed. [min]
    panels, panel_minutes : int, float
        Barrier boards that do in place of the sandbags where slots are fitted, and the minutes to set them. [min]
    """

    space: str
    people: int
    minutes: float
    panels: int
    panel_minutes: float


@dataclass(frozen=True, slots=True)
class SupplyPlan:
    """Needs, the work, who sends what, what stays open, and which entrances lack a barrier."""

    needs: tuple[Need, ...]
    plan: DispatchPlan
    coverage: Coverage
    work: tuple[Work, ...]


def supply_plan(
    site: Site, assessments: Mapping[str, Mapping[str, Any]], stock: Mapping[Holding, float], *, every: bool = False
) -> SupplyPlan:
    """Return the plan for the spaces above normal or with a level ahead of them; for all with ``every``.

    Parameters
    ----------
    assessments : mapping
        Newest assessment of each space: level, score and evidence.
    stock : mapping
        Quantity by (place, item), of depots and of spaces.
    """
    chosen = [space for space in site.spaces if every or _in_question(assessments.get(space.id))]
    needs = tuple(need for space in chosen for need in needs_of(space, assessments.get(space.id, {}), stock))
    depots = {depot.id: depot for depot in site.depots}
    held = {(place, item): quantity for (place, item), quantity in stock.items() if place in depots}
    minutes = reachable_min(site.depots, chosen)
    works = (work_of(space, assessments.get(space.id, {})) for space in chosen)
    work = tuple(found for found in works if found.people)
    red = {space.id for space in chosen if is_red(assessments.get(space.id, {}))}
    return SupplyPlan(needs, _at_once(dispatch(needs, held, minutes), red), barrier_coverage(site.spaces), work)


def is_red(assessment: Mapping[str, Any]) -> bool:
    """Tell whether a space is at red: whatever comes still helps, and leaves at once."""
    return int(assessment.get("level", 0)) >= int(Severity.RED)


def _at_once(plan: DispatchPlan, red: Collection[str]) -> DispatchPlan:
    shipments = (replace(sent, leave_within_min=0.0) if sent.space in red else sent for sent in plan.shipments)
    return replace(plan, shipments=tuple(shipments))


def _requirement(space: Space, assessment: Mapping[str, Any], inflow: float = 0.0) -> Requirement:
    """Return what a space takes by its evidence: of barriers that close nothing any more, and of lost power."""
    evidence = assessment.get("evidence") or {}
    failed = [row["entrance"] for row in evidence.get("entrances") or () if row.get("barrier_out")]
    return space_requirement(space, inflow, PAIRS, failed=failed, powered=not evidence.get("mains_lost"))


def work_of(space: Space, assessment: Mapping[str, Any]) -> Work:
    """Return what closing the entrances of a space takes of people, whatever is on site."""
    takes = _requirement(space, assessment)
    return Work(space.id, takes.people, takes.minutes, takes.panels, takes.panel_minutes)


def _in_question(assessment: Mapping[str, Any] | None) -> bool:
    return assessment is not None and (assessment["level"] > 0 or due_min(assessment) < inf)


def due_min(assessment: Mapping[str, Any]) -> float:
    """Return minutes until the next of orange and red: the ensemble's earliest time or the likely one, if sooner.

    Infinite where neither is near, and at red: then whatever comes still helps, and nothing is in time. [min]
    """
    level = int(assessment.get("level", 0))
    if is_red(assessment):
        return inf
    name, evidence = ("orange", "red")[level >= 3], assessment.get("evidence") or {}
    band = (evidence.get("ahead") or {}).get(name) or {}
    known = [evidence.get(f"time_to_{name}_min"), band.get("earliest_min")]
    return min((float(minutes) for minutes in known if minutes is not None), default=inf)


def inflow_m3_s(space: Space, evidence: Mapping[str, Any]) -> float:
    """Return what runs in over crests and barrier tops at the levels outside now. [m³/s]

    By hand: 4 m wide, 20 cm over the crest: 1.7 * 4 * 0.2^1.5 = 0.608 m³/s.
    """
    widths = {entrance.id: entrance.width_m for entrance in space.entrances}
    heads = [
        (widths[row["entrance"]], -row["freeboard_m"])
        for row in evidence.get("entrances") or ()
        if row["entrance"] in widths and row.get("freeboard_m") is not None
    ]
    return sum(float(weir_m3_s(width, max(head, 0.0))) for width, head in heads)


def needs_of(space: Space, assessment: Mapping[str, Any], stock: Mapping[Holding, float]) -> Sequence[Need]:
    """Return what a space lacks: its requirement at the inflow of now, less what is on site."""
    requirement = _requirement(space, assessment, inflow_m3_s(space, assessment.get("evidence") or {}))
    priority = max(float(assessment.get("score", 0.0)), LEAST_PRIORITY)
    due = due_min(assessment)
    return [
        Need(
            space.id,
            item,
            gap,
            due,
            laying_min(requirement.walls, ceil(gap), PAIRS) if item == SANDBAG else 0.0,
            priority,
        )
        for item, gap in lacking(requirement.items, space.id, stock).items()
    ]
