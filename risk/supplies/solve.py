"""The two programs of a dispatch plan (HiGHS): the most good, exactly; then little travel, within bounds of work."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

import numpy as np

from risk.arrays import BoolArray, FloatArray, IntArray
from risk.hydraulics.arrays import floats
from undercroft.errors import UndercroftError

if TYPE_CHECKING:
    from scipy.sparse import csr_array

EXACT_TRIPS = 30
"""Up to so many possible trips the least travel is proven. Proposal."""

TRAVEL_GAP = 0.02
"""Beyond, a plan that is proven to travel at most this share more than the least is good enough. Proposal."""

NODES, EXACT_NODES = 1, 1_000
"""Bound of the search that is the same on every machine: nodes of its tree, beyond and up to `EXACT_TRIPS`."""

TIME_LIMIT_S = 15.0
"""Last bound of the search, of wall clock: only a machine far too slow or too busy for `NODES` meets it. [s]"""


class DispatchFailed(UndercroftError):
    """The solver found no dispatch plan."""


@dataclass(frozen=True, slots=True)
class Arcs:
    """Ways by which something can come: of arc k, which need it serves, from which holding, with which trip.

    Attributes
    ----------
    need, holding, trip : ndarray of int
        Indices; needs and holdings have the sizes of ``wanted`` and ``there``.
    worth : ndarray
        Good that one piece does, above 0.
    minutes : ndarray
        From the order to the arrival; the same on all arcs of a trip. [min]
    wanted, there : ndarray
        Whole pieces per need and per holding.
    """

    need: IntArray
    holding: IntArray
    trip: IntArray
    worth: FloatArray
    minutes: FloatArray
    wanted: FloatArray
    there: FloatArray

    def where(self, rows: IntArray) -> Arcs:
        """Return some of the arcs."""
        own = self.need[rows], self.holding[rows], self.trip[rows], self.worth[rows], self.minutes[rows]
        return Arcs(*own, self.wanted, self.there)

    @property
    def most(self) -> FloatArray:
        """Most that an arc can carry."""
        return np.minimum(self.wanted[self.need], self.there[self.holding])

    @property
    def limits(self) -> tuple[csr_array, FloatArray]:
        """Rows for needs and holdings, and what each bears."""
        from scipy.sparse import coo_array  # noqa: PLC0415 - half a second, for services that seldom ask

        size, arcs = self.wanted.size + self.there.size, np.arange(self.need.size)
        rows = np.concatenate([self.need, self.wanted.size + self.holding])
        matrix = coo_array((np.ones(rows.size), (rows, np.tile(arcs, 2))), shape=(size, arcs.size))
        return matrix.tocsr(), np.concatenate([self.wanted, self.there])


@dataclass(frozen=True, slots=True)
class Sent:
    """Whole pieces per arc, and how much more than the least the plan may travel: a share, infinite if not known."""

    pieces: FloatArray
    travel_gap: float


def solve(arcs: Arcs) -> Sent:
    """Return what each arc carries: most worth first, and of all plans with that worth one that travels little.

    Notes
    -----
    Most worth is a transport problem: its corners are whole numbers, and its multipliers name every plan that is as
    good (complementary slackness: arcs of no reduced cost, and rows of a multiplier above 0 used up). So the second
    program gives away no piece for a tolerance. It chooses trips; with them chosen it is a transport problem again.
    """
    best, kept, used_up = _most_worth(arcs)
    rows = np.flatnonzero(kept)
    open_, gap = _trips(arcs.where(rows), used_up)
    carried = None if open_ is None else _least_minutes(arcs.where(rows), used_up, open_)
    if carried is None:
        return Sent(best, inf)
    pieces = np.zeros(arcs.need.size)
    pieces[rows] = carried
    return Sent(pieces, gap)


def _most_worth(arcs: Arcs) -> tuple[FloatArray, BoolArray, BoolArray]:
    """Return a plan of most worth; and of all such plans, the arcs they use and the rows they use up."""
    from scipy.optimize import linprog  # noqa: PLC0415

    matrix, bears = arcs.limits
    worth = arcs.worth / arcs.worth.min()  # the solver's tolerances are absolute
    found = linprog(-worth, A_ub=matrix, b_ub=bears, method="highs-ds")
    if found.x is None:
        raise DispatchFailed(f"no dispatch plan: {found.message}")
    price = -found.ineqlin.marginals
    slight = 1e-6
    return floats(np.round(found.x)), np.asarray(worth - matrix.T @ price > -slight), np.asarray(price > slight)


def _trips(arcs: Arcs, used_up: BoolArray) -> tuple[BoolArray | None, float]:
    """Return which trips run for the least minutes over trips and shares shipped, and the gap left to the least."""
    from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: PLC0415
    from scipy.sparse import block_array, coo_array, diags_array, eye_array  # noqa: PLC0415

    matrix, bears = arcs.limits
    size, trips = arcs.need.size, int(arcs.trip.max()) + 1
    most = arcs.most
    shares = diags_array(1.0 / bears) @ matrix @ diags_array(most)  # all between 0 and 1: the tolerances are absolute
    runs = coo_array((np.full(size, -1.0), (np.arange(size), arcs.trip)), shape=(size, trips))
    rows = block_array([[shares, coo_array((bears.size, trips))], [eye_array(size), runs]]).tocsr()
    least = np.concatenate([np.where(used_up, 1.0, -np.inf), np.full(size, -np.inf)])
    trip_minutes = np.zeros(trips)
    trip_minutes[arcs.trip] = arcs.minutes
    exact = np.unique(arcs.trip).size <= EXACT_TRIPS
    found = milp(
        np.concatenate([arcs.minutes * most / arcs.wanted[arcs.need], trip_minutes]),
        constraints=[LinearConstraint(rows, least, np.concatenate([np.ones(bears.size), np.zeros(size)]))],
        bounds=Bounds(0.0, 1.0),
        integrality=np.concatenate([np.zeros(size), np.ones(trips)]),
        options={
            "mip_rel_gap": 0.0 if exact else TRAVEL_GAP,
            "node_limit": EXACT_NODES if exact else NODES,
            "time_limit": TIME_LIMIT_S,
        },
    )
    if found.x is None:
        return None, inf
    return np.asarray(found.x[size:] > 0.5), float(found.mip_gap)


def _least_minutes(arcs: Arcs, used_up: BoolArray, runs: BoolArray) -> FloatArray | None:
    """Return whole pieces per arc over the trips that run; None where they do not carry enough."""
    from scipy.optimize import linprog  # noqa: PLC0415

    matrix, bears = arcs.limits
    found = linprog(
        arcs.minutes / arcs.wanted[arcs.need],
        A_ub=matrix[~used_up], b_ub=bears[~used_up], A_eq=matrix[used_up], b_eq=bears[used_up],
        bounds=np.stack([np.zeros(arcs.need.size), np.where(runs[arcs.trip], arcs.most, 0.0)], axis=1),
        method="highs-ds",
    )  # fmt: skip
    return None if found.x is None else floats(np.round(found.x))
