"""How far short of its required supplies a space is, with its own stock and its share of the depots."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np

from risk.arrays import NEVER_US, FloatArray, SiteArrays
from risk.sensors import STOCK
from risk.state import EngineState
from risk.supplies.requirement import space_requirement
from risk.supplies.stock import Holding, lacking, movement_of, stock_after
from risk.warnings import Act
from undercroft.quantities import STOCK_PREFIX
from undercroft.site.model import Site, Space

Needs = Mapping[int, Mapping[str, float]]
"""What each space requires, by row and item."""


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


def shortage_of_spaces(site: Site, spaces: Sequence[Space], needs: Needs, stock: Mapping[Holding, float]) -> FloatArray:
    """Return 0 (all there) to 1 (nothing of some item) per space.

    What a space lacks on site is covered from the depots in proportion: every space in want of an item gets the same
    share of what the depots hold. The worst item counts. ``needs``: `requirements` of every space.
    """
    lacks = [lacking(needs[row], space.id, stock) for row, space in enumerate(spaces)]
    wanted: dict[str, float] = {}
    for lack in lacks:
        for item, quantity in lack.items():
            wanted[item] = wanted.get(item, 0.0) + quantity
    held: dict[str, float] = {}
    depots = {depot.id for depot in site.depots}
    for (place, item), quantity in sorted(stock.items()):
        if place in depots:
            held[item] = held.get(item, 0.0) + quantity
    unmet = {item: 1.0 - min(held.get(item, 0.0) / quantity, 1.0) for item, quantity in wanted.items()}
    return np.array(
        [
            max((gap * unmet[item] / need[item] for item, gap in lack.items()), default=0.0)
            for lack, need in zip(lacks, (needs[row] for row in range(len(lacks))), strict=True)
        ],
        np.float64,
    )
