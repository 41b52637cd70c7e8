"""How far short of its required supplies a space is, with its own stock and its share of the depots."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np

from risk.arrays import NEVER_US, FloatArray, SiteArrays
from risk.sensors import STOCK
from risk.state import EngineState
from risk.supplies.requirement import space_requirement
from risk.supplies.route import reachable_min
from risk.supplies.stock import Holding, lacking, movement_of, stock_after
from risk.warnings import Act
from undercroft.quantities import STOCK_PREFIX
from undercroft.site.model import Site, Space

Needs = Mapping[int, Mapping[str, float]]
"""What each space requires, by row and item."""

Reach = Mapping[str, tuple[int, ...]]
"""Which spaces each depot reaches, by row."""


def fold_movements(state: EngineState, arrays: SiteArrays, acts: Iterable[Act]) -> bool:
    """Take acts of kind ``stock_movement`` into the stock, in commit order; tell whether there was one.

    More or less is of what is in hand: of a sensor's count that is newer than all that people said.
    """
    moves = [(act, movement_of(act)) for act in sorted(acts, key=lambda act: act.commit_seq)]
    known = [(act, move) for act, move in moves if move is not None]
    for act, move in known:
        holding = move.place, move.item
        there = {holding: stock_in_hand(state, arrays).get(holding, 0.0)}
        state.stock = state.stock | stock_after(there, [move])
        state.moved_us[holding] = max(act.acted_us, state.moved_us.get(holding, NEVER_US))
    return bool(known)


def stock_in_hand(state: EngineState, arrays: SiteArrays) -> dict[Holding, float]:
    """Return the stock of every place: what a sensor counted since people last moved or counted, else what they left.

    A count that was never well made may take from the books, and adds nothing to them.
    """
    stock = dict(state.stock)
    counting = [s for s in np.flatnonzero(arrays.s_role == STOCK).tolist() if np.isfinite(state.held[s])]
    for s in sorted(counting, key=lambda s: (int(state.evidence_us[s]), s)):
        spec = arrays.sensors[s]
        holding = spec.place, spec.quantity.removeprefix(STOCK_PREFIX)
        if state.evidence_us[s] <= state.moved_us.get(holding, NEVER_US):
            continue
        counted = -float(state.held[s])  # held: fewer is worse
        stock[holding] = counted if state.good_us[s] != NEVER_US else min(counted, stock.get(holding, 0.0))
    return stock


def requirements(spaces: Sequence[Space], out: Mapping[int, Collection[str]]) -> Needs:
    """Return what some spaces require, by row; ``out``: entrances whose barrier closes nothing any more, by row."""
    return {row: space_requirement(spaces[row], failed=failed).items for row, failed in out.items()}


def reach_of(site: Site, spaces: Sequence[Space]) -> Reach:
    """Return which spaces each depot can bring supplies to in time, by row; see `risk.supplies.route`."""
    rows = {space.id: row for row, space in enumerate(spaces)}
    found: dict[str, list[int]] = {depot.id: [] for depot in site.depots}
    for depot, space in reachable_min(site.depots, spaces):
        found[depot].append(rows[space])
    return {depot: tuple(sorted(reached)) for depot, reached in found.items()}


def shortage_of_spaces(
    spaces: Sequence[Space], reach: Reach, needs: Needs, stock: Mapping[Holding, float]
) -> FloatArray:
    """Return 0 (all there) to 1 (nothing of some item) per space.

    What a space lacks on site is covered from the depots in reach in proportion: every space in want of an item gets
    the same share of what a depot that reaches it has left. A depot that reaches fewer spaces gives first, so that one
    in reach of all is not used up where another could help. The worst item counts. ``needs``: `requirements` of every
    space.
    """
    left = [dict(lacking(needs[row], space.id, stock)) for row, space in enumerate(spaces)]
    for depot, reached in sorted(reach.items(), key=lambda entry: (len(entry[1]), entry[0])):
        for (place, item), quantity in sorted(stock.items()):
            if place != depot or quantity <= 0.0:
                continue
            wanted = sum(left[row].get(item, 0.0) for row in reached)
            unmet = 1.0 - min(quantity / wanted, 1.0) if wanted > 0.0 else 0.0
            for row in reached:
                if item in left[row]:
                    left[row][item] *= unmet
    return np.array(
        [max((gap / needs[row][item] for item, gap in lack.items()), default=0.0) for row, lack in enumerate(left)],
        np.float64,
    )
