"""What is said about supplies and about what comes first."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from math import isfinite
from typing import Any, Self

from pydantic import BaseModel, Field

from api.pagination import Cursor, Page
from api.params import Level
from risk.sensitivity import STEP, Sensitivity
from risk.supplies.dispatch import Why
from risk.supplies.plan import SupplyPlan


class NeedOut(BaseModel):
    """What a space lacks of one item."""

    space: str
    item: str
    quantity: float
    due_min: float | None = Field(description="from the tick on; null: no hurry, or nothing is in time any more [min]")
    deploy_min: float = Field(description="from arrival until it is in place [min]")
    priority: float


class ShipmentOut(BaseModel):
    """One item from one depot to one space."""

    depot: str
    space: str
    item: str
    quantity: int
    arrives_min: float = Field(description="loading and way [min]")
    leave_within_min: float | None = Field(
        description="latest start that is still in time, 0 at red and where it comes late; null: no hurry [min]"
    )
    late_min: float = Field(description="how long after its due time it is in place, though it leaves now [min]")


class UnmetOut(BaseModel):
    """What no depot in reach has left."""

    space: str
    item: str
    quantity: int
    why: Why


class EntranceWithout(BaseModel):
    """An entrance that should have a barrier and has none."""

    space: str
    entrance: str


class WorkOut(BaseModel):
    """What closing the entrances of a space takes of people, once supplies are there."""

    space: str
    people: int
    minutes: float = Field(description="until the slowest entrance is closed [min]")
    panels: int = Field(description="barrier boards that do in place of its sandbags, where slots are fitted")
    panel_minutes: float = Field(description="for the same people to set them [min]")


class DispatchOut(BaseModel):
    """A proposal; people order."""

    tick_seq: int
    tick_at: datetime = Field(description="all minutes count from here")
    needs: list[NeedOut]
    work: list[WorkOut]
    shipments: list[ShipmentOut]
    unmet: list[UnmetOut]
    travel_gap: float | None = Field(
        description="by what share another plan that sends as much may travel less; null: not known"
    )
    barriers_needed: int = Field(description="entrances that should have a barrier")
    without_barrier: list[EntranceWithout]

    @classmethod
    def of(cls, tick: dict[str, Any], found: SupplyPlan) -> Self:
        """Return a plan made at a tick."""
        missing = [{"space": space, "entrance": entrance} for space, entrance in found.coverage.missing]
        return cls.model_validate(
            {
                **tick,
                "needs": [_finite(asdict(need)) for need in found.needs],
                "work": [asdict(work) for work in found.work],
                "shipments": [_finite(asdict(sent)) for sent in found.plan.shipments],
                "unmet": [asdict(left) for left in found.plan.unmet],
                **_finite({"travel_gap": found.plan.travel_gap}),
                "barriers_needed": found.coverage.needed,
                "without_barrier": missing,
            }
        )


def _finite(row: dict[str, Any]) -> dict[str, Any]:
    return {name: None if isinstance(value, float) and not isfinite(value) else value for name, value in row.items()}


class StandingOut(BaseModel):
    """A space of the top ten, and between which ranks and scores it stands."""

    space: str
    level: Level
    score: float
    rank: int
    best_rank: int
    worst_rank: int
    least_score: float
    most_score: float


class Entering(BaseModel):
    """A space that enters the ten with another weight."""

    factor: str
    weight: float
    space: str


class PriorityOut(BaseModel):
    """The ten most urgent spaces, and how their order hangs on the weights."""

    tick_seq: int
    tick_at: datetime
    step: float = Field(STEP, description="each weight lower and higher by this share, one at a time")
    top: list[StandingOut]
    entering: list[Entering]

    @classmethod
    def of(cls, tick: dict[str, Any], found: Sensitivity, levels: dict[str, int]) -> Self:
        """Return what was found at a tick."""
        top = [asdict(standing) | {"level": levels[standing.space]} for standing in found.top]
        entering = [dict(zip(("factor", "weight", "space"), row, strict=True)) for row in found.entering]
        return cls.model_validate({**tick, "top": top, "entering": entering})


class MovementOut(BaseModel):
    """Supplies that came or went, or were counted."""

    commit_seq: int
    place_id: str
    item: str
    quantity: float | None = Field(description="how many more, below 0 fewer; null: counted")
    counted: float | None
    quantity_left: float = Field(description="what was there afterwards")
    reason: str
    author: str
    acted_at: datetime


class MovementRank(Cursor):
    """Sort key of movements."""

    commit_seq: int = Field(ge=0, lt=2**63)


class MovementPage(Page):
    """Movements, newest first."""

    items: list[MovementOut]
