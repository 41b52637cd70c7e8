"""How far short of its required supplies a space is, with its own stock and its share of the depots."""

from __future__ import annotations

from math import ceil

import numpy as np

from risk.arrays import FloatArray
from undercroft.site.model import Entrance, Site, Space

SANDBAG_LENGTH_M, SANDBAG_LAYER_M, SANDBAG_SPARE = 0.4, 0.12, 1.5
"""A proposal, all factors editable: bags = ceil(width / 0.4 m) * ceil(height / 0.12 m) * 1.5."""

SANDBAG_WALL_M = 0.36
"""Height of a sandbag wall where there is no barrier: three layers, over the 30 cm of street water at which stairs
become unusable (Ishigaki 2010). [m]"""

SANDBAG = "sandbag"


def sandbags(width_m: float, height_m: float) -> int:
    """Return the sandbags that close an opening.

    Examples
    --------
    By hand: 6 m by 0.36 m: 15 bags a layer, 3 layers, half as many again: 67.5, so 68.

    >>> sandbags(6.0, 0.36)
    68
    """
    along = ceil(round(width_m / SANDBAG_LENGTH_M, 9))
    layers = ceil(round(height_m / SANDBAG_LAYER_M, 9))
    return ceil(along * layers * SANDBAG_SPARE)


def required(space: Space) -> dict[str, float]:
    """Return what a space needs: sandbags where an entrance should have a barrier and has none, and its own list."""
    needed: dict[str, float] = {}
    for entrance in space.entrances:
        if entrance.barrier_needed and entrance.barrier is None:
            needed[SANDBAG] = needed.get(SANDBAG, 0.0) + _wall(entrance)
    for requirement in space.requirements:
        needed[requirement.item] = needed.get(requirement.item, 0.0) + requirement.quantity
    return needed


def _wall(entrance: Entrance) -> float:
    return float(sandbags(entrance.width_m, SANDBAG_WALL_M))


def shortage_of_spaces(site: Site, spaces: tuple[Space, ...]) -> FloatArray:
    """Return 0 (all there) to 1 (nothing of some item) per space.

    What a space lacks on site is covered from the depots in proportion: every space in want of an item gets the same
    share of what the depots hold. The worst item counts.
    """
    needs = [required(space) for space in spaces]
    lacks = [
        {item: max(quantity - _on_site(space, item), 0.0) for item, quantity in need.items()}
        for space, need in zip(spaces, needs, strict=True)
    ]
    wanted: dict[str, float] = {}
    for lack in lacks:
        for item, quantity in lack.items():
            wanted[item] = wanted.get(item, 0.0) + quantity
    held: dict[str, float] = {}
    for depot in site.depots:
        for stock in depot.stock:
            held[stock.item] = held.get(stock.item, 0.0) + stock.quantity
    unmet = {item: 1.0 - min(held.get(item, 0.0) / quantity, 1.0) for item, quantity in wanted.items() if quantity > 0}
    return np.array(
        [
            max((lack[item] * unmet.get(item, 0.0) / need[item] for item in sorted(need)), default=0.0)
            for need, lack in zip(needs, lacks, strict=True)
        ]
    )


def _on_site(space: Space, item: str) -> float:
    return sum(stock.quantity for stock in space.stock if stock.item == item)
