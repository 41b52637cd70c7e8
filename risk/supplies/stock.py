"""Stock on hand from its movements, shortage against what is required, and coverage of entrances by barriers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from undercroft.site.model import Space

Holding = tuple[str, str]
"""Place (depot or space) and item."""


class MovementKind(StrEnum):
    """What happened to supplies."""

    RECEIVED = "received"
    """From outside the district."""
    SENT = "sent"
    """Left the place for another; in transit until it arrives."""
    ARRIVED = "arrived"
    """Came in from another place."""
    USED = "used"
    """Deployed or used up."""
    RETURNED = "returned"
    """Came back from use."""
    COUNTED = "counted"
    """Somebody counted: this much is there."""


_SIGN = {
    MovementKind.RECEIVED: 1.0,
    MovementKind.ARRIVED: 1.0,
    MovementKind.RETURNED: 1.0,
    MovementKind.SENT: -1.0,
    MovementKind.USED: -1.0,
}


@dataclass(frozen=True, slots=True)
class Movement:
    """One movement of one item at one place."""

    place: str
    item: str
    kind: MovementKind
    quantity: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.quantity < float("inf"):
            raise ValueError(f"quantity must be finite and not negative, got {self.quantity}")


def stock_after(start: Mapping[Holding, float], movements: Iterable[Movement]) -> dict[Holding, float]:
    """Return the stock after movements in their order.

    More sent or used than was known to be there leaves 0, never less: the books were wrong, not the world. A count
    replaces what was thought.

    By hand: 100, sent 30, used 80, counted 5, returned 2: 7.
    """
    stock = dict(start)
    for one in movements:
        holding = (one.place, one.item)
        if one.kind is MovementKind.COUNTED:
            stock[holding] = one.quantity
        else:
            stock[holding] = max(0.0, stock.get(holding, 0.0) + _SIGN[one.kind] * one.quantity)
    return stock


def lacking(required: Mapping[str, float], place: str, stock: Mapping[Holding, float]) -> dict[str, float]:
    """Return what is required beyond what is at the place, by item; nothing is 0 in it."""
    gaps = {item: quantity - stock.get((place, item), 0.0) for item, quantity in required.items()}
    return {item: gap for item, gap in sorted(gaps.items()) if gap > 0.0}


def shortage(required: Mapping[str, float], place: str, stock: Mapping[Holding, float]) -> float:
    """Return 0 (all there) to 1 (nothing of some item): the worst item counts, plenty of another does not help.

    By hand: 100 bags and 2 pumps required, 60 and 2 there: 0.4.
    """
    gaps = lacking(required, place, stock)
    return max((gap / required[item] for item, gap in gaps.items()), default=0.0)


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
