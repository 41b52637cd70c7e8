"""Dispatch: which depot sends what where before it is too late, and what cannot be met. A proposal; people order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import floor, inf, isnan

import numpy as np

from risk.hydraulics.arrays import FloatArray
from risk.supplies.solve import Arcs, solve

LATE_WORTH = 0.5
"""What comes after its due time counts so much of what comes in time: it helps before the next threshold, or while
the water stays. Proposal."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a space lacks of one item.

    Attributes
    ----------
    space, item : str
        Where, and what.
    quantity : float
        How many; whole numbers, a fraction counts as one more.
    due_min : float
        Minutes from now until it must be in place; infinite when there is no hurry. [min]
    deploy_min : float
        Minutes from arrival until it is in place. [min]
    priority : float
        Weight of the space, above 0.
    """

    space: str
    item: str
    quantity: float
    due_min: float
    deploy_min: float
    priority: float

    def __post_init__(self) -> None:
        if not 0.0 < self.quantity < inf:
            raise ValueError(f"quantity must be above 0, got {self.quantity}")
        if not 0.0 < self.priority < inf:
            raise ValueError(f"priority must be above 0, got {self.priority}")
        if isnan(self.due_min) or not 0.0 <= self.deploy_min < inf:
            raise ValueError("due_min must be a number, deploy_min finite and not negative")


@dataclass(frozen=True, slots=True)
class Shipment:
    """One item from one depot to one space."""

    depot: str
    space: str
    item: str
    quantity: int
    arrives_min: float
    leave_within_min: float
    """Latest start that is still in time, 0 for at once; infinite when there is no hurry. [min]"""
    late_min: float = 0.0
    """How long after its due time it is in place, though it leaves at once; 0 in time. [min]"""


class Why(StrEnum):
    """Why something cannot be met."""

    NO_STOCK = "no_stock"
    OUT_OF_REACH = "out_of_reach"
    """A depot has it, but is too far away (`risk.supplies.route`)."""


@dataclass(frozen=True, slots=True)
class Unmet:
    """What no depot in reach has left."""

    space: str
    item: str
    quantity: int
    why: Why


@dataclass(frozen=True, slots=True)
class DispatchPlan:
    """Shipments, and what they leave open; both sorted.

    Attributes
    ----------
    travel_gap : float
        How much more than the least it may travel, as a share: what the search left open; infinite if not known.
    """

    shipments: tuple[Shipment, ...]
    unmet: tuple[Unmet, ...]
    travel_gap: float = 0.0


@dataclass(frozen=True, slots=True)
class _Arc:
    """A need that a depot can serve, in time or late."""

    depot: str
    need: int
    minutes: float


def dispatch(
    needs: Sequence[Need], stock: Mapping[tuple[str, str], float], minutes: Mapping[tuple[str, str], float]
) -> DispatchPlan:
    """Return the plan that leaves least unmet, by priority, and among those travels little.

    Parameters
    ----------
    needs : sequence of Need
        What spaces lack.
    stock : mapping
        Quantity by (depot, item).
    minutes : mapping
        Minutes from order to arrival by (depot, space); a pair that is missing cannot be reached.

    Notes
    -----
    First the most of priority times met share of the need, late pieces at `LATE_WORTH`; then, with that held, little
    minutes over the trips and shares shipped (`risk.supplies.solve`). Quantities are whole; a depot never sends more
    than it has. What a depot in reach has is never kept back: what cannot be in time leaves at once.

    By hand: 100 bags wanted at A (due 30 min) and 100 at B (60 min), one near depot with 120 (20 min), one far with
    100 (40 min): the far one is too late for A, so near sends 100 to A and far 100 to B.
    """
    ordered = sorted(needs, key=lambda need: (need.space, need.item))
    depots = sorted({depot for depot, _ in stock})
    arcs = [
        _Arc(depot, k, minutes[depot, need.space])
        for k, need in enumerate(ordered)
        for depot in depots
        if floor(stock.get((depot, need.item), 0.0)) > 0 and (depot, need.space) in minutes
    ]
    wanted = np.array([-floor(-need.quantity) for need in ordered], dtype=np.float64)
    sent, gap = np.zeros(len(arcs)), 0.0
    if arcs:
        found = solve(_arcs(ordered, wanted, arcs, stock))
        sent, gap = found.pieces, found.travel_gap
    shipments = [_shipment(ordered[arc.need], arc, int(count)) for arc, count in zip(arcs, sent, strict=True) if count]
    left = wanted.copy()
    np.subtract.at(left, [arc.need for arc in arcs], sent)
    spare = dict(stock)
    for shipment in shipments:
        spare[shipment.depot, shipment.item] -= shipment.quantity
    unmet = [
        Unmet(need.space, need.item, int(count), _why(need, spare))
        for need, count in zip(ordered, left, strict=True)
        if count > 0
    ]
    return DispatchPlan(tuple(sorted(shipments, key=lambda s: (s.depot, s.space, s.item))), tuple(unmet), gap)


def _slack_min(need: Need, arc: _Arc) -> float:
    return need.due_min - need.deploy_min - arc.minutes


def _shipment(need: Need, arc: _Arc, quantity: int) -> Shipment:
    slack = _slack_min(need, arc)
    return Shipment(arc.depot, need.space, need.item, quantity, arc.minutes, max(slack, 0.0), max(-slack, 0.0))


def _why(need: Need, spare: Mapping[tuple[str, str], float]) -> Why:
    """Say why a need stays open, from what the depots still have: what was in reach has been sent."""
    far = any(item == need.item and floor(quantity) > 0 for (_, item), quantity in spare.items())
    return Why.OUT_OF_REACH if far else Why.NO_STOCK


def _arcs(
    needs: Sequence[Need], wanted: FloatArray, arcs: Sequence[_Arc], stock: Mapping[tuple[str, str], float]
) -> Arcs:
    """Return the arcs as arrays."""
    of = [(arc.depot, needs[arc.need]) for arc in arcs]
    holdings = sorted({(depot, need.item) for depot, need in of})
    trips = sorted({(depot, need.space) for depot, need in of})
    holding_of, trip_of = ({key: k for k, key in enumerate(keys)} for keys in (holdings, trips))
    share = [LATE_WORTH if _slack_min(needs[arc.need], arc) < 0.0 else 1.0 for arc in arcs]
    need = np.array([arc.need for arc in arcs])
    priority = np.array([one.priority for one in needs])
    return Arcs(
        need,
        np.array([holding_of[depot, one.item] for depot, one in of]),
        np.array([trip_of[depot, one.space] for depot, one in of]),
        (priority / wanted)[need] * np.array(share),
        np.array([arc.minutes for arc in arcs]),
        wanted,
        np.array([floor(stock[holding]) for holding in holdings], dtype=np.float64),
    )
