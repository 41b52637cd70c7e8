"""Dispatch: which depot sends what where before it is too late, and what cannot be met. A proposal; people order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import floor, inf, isnan
from typing import TYPE_CHECKING

import numpy as np

from risk.hydraulics.arrays import FloatArray, floats
from undercroft.errors import UndercroftError

if TYPE_CHECKING:
    from scipy.optimize import Bounds, LinearConstraint


class DispatchFailed(UndercroftError):
    """The solver found no dispatch plan."""


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


class Why(StrEnum):
    """Why something cannot be met."""

    NO_STOCK = "no_stock"
    TOO_LATE = "too_late"
    """A depot has it, but cannot bring it in time."""
    OUT_OF_REACH = "out_of_reach"
    """A depot has it, but is too far away (`risk.supplies.route`)."""


@dataclass(frozen=True, slots=True)
class Unmet:
    """What no depot can bring in time."""

    space: str
    item: str
    quantity: int
    why: Why


@dataclass(frozen=True, slots=True)
class DispatchPlan:
    """Shipments, and what they leave open; both sorted."""

    shipments: tuple[Shipment, ...]
    unmet: tuple[Unmet, ...]


@dataclass(frozen=True, slots=True)
class _Arc:
    """A need that a depot can serve in time."""

    depot: str
    need: int
    minutes: float


def dispatch(
    needs: Sequence[Need], stock: Mapping[tuple[str, str], float], minutes: Mapping[tuple[str, str], float]
) -> DispatchPlan:
    """Return the plan that leaves least unmet, by priority, and among those travels least.

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
    Two mixed-integer programs (HiGHS): first least sum of priority times unmet share of the need, then, with that
    held, least minutes over the trips and shares shipped. Quantities are whole; a depot never sends more than it has;
    nothing is sent that would come after its due time.

    By hand: 100 bags wanted at A (due 30 min) and 100 at B (60 min), one near depot with 120 (20 min), one far with
    100 (40 min): the far one is too late for A, so near sends 100 to A and far 100 to B.
    """
    ordered = sorted(needs, key=lambda need: (need.space, need.item))
    arcs = [
        _Arc(depot, k, minutes[depot, need.space])
        for k, need in enumerate(ordered)
        for depot in sorted({depot for depot, _ in stock})
        if floor(stock.get((depot, need.item), 0.0)) > 0
        and minutes.get((depot, need.space), inf) + need.deploy_min <= need.due_min
        and (depot, need.space) in minutes
    ]
    wanted = np.array([-floor(-need.quantity) for need in ordered], dtype=np.float64)
    sent = _solve(ordered, wanted, arcs, stock) if arcs else np.zeros(0)
    shipments = [_shipment(ordered[arc.need], arc, int(count)) for arc, count in zip(arcs, sent, strict=True) if count]
    met = np.bincount([arc.need for arc in arcs], sent, minlength=len(ordered)) if arcs else np.zeros(len(ordered))
    open_ = [(need, int(left)) for need, left in zip(ordered, wanted - met, strict=True) if left > 0]
    spare = dict(stock)
    for shipment in shipments:
        spare[shipment.depot, shipment.item] -= shipment.quantity
    unmet = [Unmet(need.space, need.item, left, _why(need, spare, minutes)) for need, left in open_]
    return DispatchPlan(tuple(sorted(shipments, key=lambda s: (s.depot, s.space, s.item))), tuple(unmet))


def _shipment(need: Need, arc: _Arc, quantity: int) -> Shipment:
    slack = need.due_min - need.deploy_min - arc.minutes
    return Shipment(arc.depot, need.space, need.item, quantity, arc.minutes, slack)


def _why(need: Need, spare: Mapping[tuple[str, str], float], minutes: Mapping[tuple[str, str], float]) -> Why:
    """Say why a need stays open, from what the depots still have: what could come in time has been sent."""
    having = [depot for (depot, item), quantity in spare.items() if item == need.item and floor(quantity) > 0]
    if not having:
        return Why.NO_STOCK
    return Why.TOO_LATE if any((depot, need.space) in minutes for depot in having) else Why.OUT_OF_REACH


def _solve(
    needs: Sequence[Need], wanted: FloatArray, arcs: Sequence[_Arc], stock: Mapping[tuple[str, str], float]
) -> FloatArray:
    """Return the quantity sent on each arc. Variables: quantity per arc, then whether each (depot, space) trip runs."""
    from scipy.optimize import Bounds, LinearConstraint  # noqa: PLC0415 - half a second, for services that seldom ask
    from scipy.sparse import coo_array  # noqa: PLC0415

    trips = sorted({(arc.depot, needs[arc.need].space) for arc in arcs})
    trip_of = {trip: len(arcs) + k for k, trip in enumerate(trips)}
    holdings = sorted({(arc.depot, needs[arc.need].item) for arc in arcs})
    holding_of = {holding: len(needs) + k for k, holding in enumerate(holdings)}
    most = np.array([min(wanted[arc.need], floor(stock[arc.depot, needs[arc.need].item])) for arc in arcs])
    rows, columns, values = [], [], []

    def entry(row: int, column: int, value: float) -> None:
        rows.append(row)
        columns.append(column)
        values.append(value)

    for k, arc in enumerate(arcs):
        need = needs[arc.need]
        entry(arc.need, k, 1.0)
        entry(holding_of[arc.depot, need.item], k, 1.0)
        link = len(needs) + len(holdings) + k
        entry(link, k, 1.0)
        entry(link, trip_of[arc.depot, need.space], -float(most[k]))
    size = len(arcs) + len(trips)
    upper = np.concatenate([wanted, [floor(stock[holding]) for holding in holdings], np.zeros(len(arcs))])
    matrix = coo_array((values, (rows, columns)), shape=(upper.size, size)).tocsr()
    limits = [LinearConstraint(matrix, -np.inf, upper)]
    bounds = Bounds(0.0, np.concatenate([most, np.ones(len(trips))]))
    worth = np.zeros(size)
    worth[: len(arcs)] = [needs[arc.need].priority / wanted[arc.need] for arc in arcs]
    best = float(worth @ _milp(-worth, limits, bounds))
    limits.append(LinearConstraint(worth[None, :], best - 1e-6 * max(1.0, abs(best)), np.inf))
    effort = np.zeros(size)
    effort[: len(arcs)] = [arc.minutes / wanted[arc.need] for arc in arcs]
    for arc in arcs:
        effort[trip_of[arc.depot, needs[arc.need].space]] = arc.minutes
    return floats(np.round(_milp(effort, limits, bounds)[: len(arcs)]))


def _milp(cost: FloatArray, limits: Sequence[LinearConstraint], bounds: Bounds) -> FloatArray:
    from scipy.optimize import milp  # noqa: PLC0415

    found = milp(
        cost, constraints=list(limits), bounds=bounds, integrality=np.ones(cost.size), options={"mip_rel_gap": 0.0}
    )
    if found.x is None:
        raise DispatchFailed(f"no dispatch plan: {found.message}")
    return floats(found.x)
