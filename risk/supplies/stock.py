"""Stock in hand from its movements, shortage against what is required, and coverage of entrances by barriers.

An act of kind ``stock_movement`` has subject ``depot/<id>`` or ``space/<id>`` and body ``{"item", "quantity",
"reason"}``, more or less than 0, or ``{"item", "counted", "reason"}`` where somebody counted what is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TypeGuard

from risk.warnings import Act
from undercroft.site.model import Depot, Site, Space

Holding = tuple[str, str]
"""Place (depot or space) and item."""

KIND = "stock_movement"


@dataclass(frozen=True, slots=True)
class Movement:
    """One movement of one item at one place: so much more or less, or so much counted."""

    place: str
    item: str
    quantity: float
    is_count: bool = False

    def __post_init__(self) -> None:
        if not isfinite(self.quantity) or (self.is_count and self.quantity < 0.0):
            raise ValueError(f"quantity must be finite, a count not negative, got {self.quantity}")


def movement_of(act: Act) -> Movement | None:
    """Return the movement that an act tells of; None where it tells of none that can be used."""
    place, item = act.subject.partition("/")[2], act.body.get("item")
    for name in ("quantity", "counted"):
        value = act.body.get(name)
        if act.kind == KIND and place and isinstance(item, str) and _is_number(value):
            return (
                None
                if name == "counted" and float(value) < 0.0
                else Movement(place, item, float(value), name == "counted")
            )
    return None


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**53  # nor NaN


def listed_stock(site: Site) -> dict[Holding, float]:
    """Return the stock that a site file states: what was there at the start."""
    holders: tuple[Depot | Space, ...] = (*site.depots, *site.spaces)
    return {(place.id, held.item): held.quantity for place in holders for held in place.stock}


def stock_after(start: Mapping[Holding, float], movements: Iterable[Movement]) -> dict[Holding, float]:
    """Return the stock after movements in their order.

    More taken than was known to be there leaves 0, never less: the books were wrong, not the world. A count replaces
    what was thought.

    By hand: 100, 30 taken, 80 taken, 5 counted, 2 brought back: 7.
    """
    stock = dict(start)
    for one in movements:
        holding = (one.place, one.item)
        before = 0.0 if one.is_count else stock.get(holding, 0.0)
        stock[holding] = max(0.0, before + one.quantity)
    return stock


def lacking(required: Mapping[str, float], place: str, stock: Mapping[Holding, float]) -> dict[str, float]:
    """Return what is required beyond what is at the place, by item; nothing is 0 in it."""
    gaps = {item: quantity - stock.get((place, item), 0.0) for item, quantity in required.items()}
    return {item: gap for item, gap in sorted(gaps.items()) if gap > 0.0}


@dataclass(frozen=True, slots=True)
class Coverage:
    """Barrier coverage: entrances that should have a barrier, and those of them that have none."""

    needed: int
    missing: tuple[tuple[str, str], ...]
    """Space and entrance."""

    @property
    def share(self) -> float:
        """Share of the needed barriers that exist; 1 when none is needed."""
        return 1.0 - len(self.missing) / self.needed if self.needed else 1.0


def barrier_coverage(spaces: Sequence[Space]) -> Coverage:
    """Return which entrances should have a barrier and have none."""
    needed = [(space, entrance) for space in spaces for entrance in space.entrances if entrance.barrier_needed]
    missing = tuple((space.id, entrance.id) for space, entrance in needed if entrance.barrier is None)
    return Coverage(len(needed), missing)
