"""Orders and their confirmations, each with clock, owner and proof; templates by kind of space and severity.

Who leads it, with which team, by which plan, and who alone speaks (四个一) is `duty.orders.command`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from duty.door.refusals import ActInvalid, NotPossibleNow
from duty.orders.command import Command
from undercroft.model import Severity, SpaceKind


class OrderState(StrEnum):
    """Where an order stands."""

    ISSUED = "issued"
    TAKEN = "taken"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class Proof(StrEnum):
    """What shows that an order was carried out."""

    BARRIER_DEPLOYED = "barrier_deployed"
    ENTRANCE_CLOSED = "entrance_closed"
    PUMP_RUNNING = "pump_running"
    EVACUATED = "evacuated"
    CHECKED = "checked"


TRANSITIONS: Mapping[tuple[OrderState, str], OrderState] = {
    (OrderState.ISSUED, "take"): OrderState.TAKEN,
    (OrderState.ISSUED, "confirm"): OrderState.CONFIRMED,
    (OrderState.ISSUED, "refuse"): OrderState.REFUSED,
    (OrderState.ISSUED, "cancel"): OrderState.CANCELLED,
    (OrderState.TAKEN, "confirm"): OrderState.CONFIRMED,
    (OrderState.TAKEN, "refuse"): OrderState.REFUSED,
    (OrderState.TAKEN, "cancel"): OrderState.CANCELLED,
    (OrderState.REFUSED, "issue"): OrderState.ISSUED,
    (OrderState.REFUSED, "cancel"): OrderState.CANCELLED,
    (OrderState.CONFIRMED, "confirm"): OrderState.CONFIRMED,
    (OrderState.CONFIRMED, "issue"): OrderState.ISSUED,
    (OrderState.CONFIRMED, "undo"): OrderState.ISSUED,
    (OrderState.CONFIRMED, "cancel"): OrderState.CANCELLED,
}
"""Every step there is; `docs/alarm-lifecycle.md` shows them."""

STEPS = tuple(dict.fromkeys(step for _, step in TRANSITIONS))

WITH_REASON = frozenset({"refuse", "cancel", "undo"})
"""Steps that say why."""

GOING = frozenset({OrderState.ISSUED, OrderState.TAKEN})
"""States in which the clock runs."""

ENDED = frozenset({OrderState.CONFIRMED, OrderState.CANCELLED})
"""States that ask nothing of anybody any more."""

CONFIRMED_FOR = timedelta(hours=3)
"""How long a confirmation counts on the word of who gave it: default (proposal). Then nobody knows again."""

DONE_ZH: Mapping[Proof, str] = {
    Proof.BARRIER_DEPLOYED: "挡板已安装", Proof.ENTRANCE_CLOSED: "出入口已封闭", Proof.PUMP_RUNNING: "水泵已运行",
    Proof.EVACUATED: "人员已撤离", Proof.CHECKED: "已到场查看",
}  # fmt: skip


class OrderRefused(NotPossibleNow):
    """The order cannot take this step."""


@dataclass(frozen=True, slots=True)
class Template:
    """What an order asks for, in which words, within which time."""

    proof: Proof
    within: timedelta
    text_zh: str
    text_en: str


@dataclass(frozen=True, slots=True)
class Order:
    """One order; ``due_at`` runs from when it was issued, ``severity`` is that of its place when it was given."""

    order_id: str
    incident_id: str
    subject: str
    proof: Proof
    state: OrderState
    owner: str
    author: str
    changed_at: datetime
    text_zh: str
    text_en: str
    within: timedelta
    entrance: str = ""
    due_at: datetime | None = None
    note: str = ""
    severity: Severity = Severity.YELLOW
    command: Command = field(default_factory=Command)

    def is_late(self, now: datetime) -> bool:
        """Tell whether the time is over and nobody has confirmed."""
        return self.state in GOING and self.due_at is not None and now > self.due_at

    def has_expired(self, now: datetime) -> bool:
        """Tell whether it was confirmed and the confirmation no longer counts."""
        return self.confirmed_until is not None and now >= self.confirmed_until

    @property
    def confirmed_until(self) -> datetime | None:
        """Until when the confirmation counts, None where there is none."""
        return self.changed_at + CONFIRMED_FOR if self.state is OrderState.CONFIRMED else None


def advance(order: Order, step: str, *, author: str, at: datetime, note: str = "") -> Order:
    """Return the order after a step.

    Raises
    ------
    OrderRefused
        If there is no such step from the order's state.
    ActInvalid
        If there is no such step at all, or one of `WITH_REASON` says none.
    """
    if step not in STEPS:
        raise ActInvalid(f"order {order.order_id}: there is no step {step[:40]!r}; there are {', '.join(STEPS)}")
    after = TRANSITIONS.get((order.state, step))
    if after is None:
        steps = ", ".join(sorted(name for state, name in TRANSITIONS if state is order.state)) or "none"
        raise OrderRefused(f"order {order.order_id} is {order.state}: {step} is not possible (possible: {steps})")
    if step in WITH_REASON and not note.strip():
        raise ActInvalid(f"order {order.order_id}: {step} needs a reason")
    due_at = at + order.within if step == "issue" else order.due_at
    return replace(order, state=after, author=author, changed_at=at, due_at=due_at, note=note)


def order_of(row: Mapping[str, Any]) -> Order:
    """Return an order as the store has it."""
    return Order(
        row["order_id"], row["incident_id"], row["subject"], Proof(row["proof"]), OrderState(row["state"]),
        row["owner"], row["author"], row["changed_at"], row["text_zh"], row["text_en"],
        timedelta(seconds=row["within_s"]), row["entrance"], row["due_at"], row["note"], Severity(row["severity"]),
        Command(row["leader"], row["team"], row["plan"], row["single_voice"]),
    )  # fmt: skip


def template_for(kind: SpaceKind, severity: Severity, proof: Proof, *, has_barrier: bool) -> Template | None:
    """Return what an order for a proof says at a severity; where that has none, at the next lower, then any other.

    None for a barrier where the space has none.

    Examples
    --------
    >>> template_for(SpaceKind.UNDERPASS, Severity.ORANGE, Proof.ENTRANCE_CLOSED, has_barrier=False).within
    datetime.timedelta(seconds=900)
    >>> template_for(SpaceKind.CAR_PARK, Severity.RED, Proof.BARRIER_DEPLOYED, has_barrier=False) is None
    True
    """
    order = [severity, *(lower for lower in reversed(Severity) if lower < severity), *reversed(Severity)]
    found = (t for level in order for t in templates(kind, level, has_barrier=has_barrier) if t.proof is proof)
    return next(found, None)


def templates(kind: SpaceKind, severity: Severity, *, has_barrier: bool) -> tuple[Template, ...]:
    """Return what is to be ordered for a space of this kind at this severity, most urgent first.

    A barrier is ordered where the site has one, as the engine's reason does, whatever the kind. Where none keeps people
    out at orange, and at an underpass, the entrances are closed.
    """
    if severity < Severity.YELLOW:
        return ()
    if severity is Severity.YELLOW:
        return (_CHECK,)
    barrier = (_BARRIER,) if has_barrier else ()
    if severity is Severity.ORANGE:
        if kind is SpaceKind.UNDERPASS:
            return (*barrier, _PUMP, _CLOSE_BOTH)
        return (*barrier, _PUMP) if barrier else (_PUMP, _CLOSE_ORANGE)
    return (_EVACUATE, _CLOSE, *barrier, _PUMP)


_CHECK = Template(
    Proof.CHECKED,
    timedelta(minutes=30),
    "到场查看出入口、挡板和水泵并回报。",
    "Check entrances, barrier and pumps on site and report.",
)
_BARRIER = Template(
    Proof.BARRIER_DEPLOYED,
    timedelta(minutes=15),
    "安装防汛挡板，检查密封，拍照回报。",
    "Deploy the flood barrier, check its seal, report with a photo.",
)
_PUMP = Template(
    Proof.PUMP_RUNNING, timedelta(minutes=10), "启动排水泵并核实出水。", "Start the pumps and see that they deliver."
)
_CLOSE = Template(
    Proof.ENTRANCE_CLOSED,
    timedelta(minutes=5),
    "封闭所有出入口，专人值守，任何人不得进入。",
    "Close every entrance and guard it; nobody enters.",
)
_CLOSE_ORANGE = Template(
    Proof.ENTRANCE_CLOSED,
    timedelta(minutes=15),
    "本处无挡板：封闭出入口，专人值守，停止进入。",
    "There is no barrier here: close the entrances and guard them; nobody more enters.",
)
_CLOSE_BOTH = Template(
    Proof.ENTRANCE_CLOSED,
    timedelta(minutes=15),
    "会同交警准备并实施双向封闭。",
    "With the traffic police prepare and carry out closure of both directions.",
)
_EVACUATE = Template(
    Proof.EVACUATED,
    timedelta(minutes=10),
    "立即疏散人员并清点，不得返回取物。",
    "Evacuate and count people now; nobody goes back for anything.",
)
