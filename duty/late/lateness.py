"""An order whose time is over tells the roster, and again until somebody reports or cancels it. Time is an argument.

The first reminder goes to step 0 when the time is over; each further one comes after the interval of the order's
severity (red 3 min, orange 10, yellow 30) and, for red and orange, reaches one step further up. As with alarms, however
late the call, nothing is skipped: steps that were missed are reached together (`duty.telling.decide`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from duty.model import Policy
from duty.orders.orders import Order
from undercroft.model import Severity


@dataclass(frozen=True, slots=True)
class Reminded:
    """An order that waits, and how far the telling that it is late has come: ``step`` -1 is nobody."""

    order: Order
    times: int = 0
    step: int = -1
    at: datetime | None = None

    @property
    def cause(self) -> str:
        """What the keys of this reminder's messages are made of; issued anew, an order has causes of its own."""
        due_at = self.order.due_at
        return f"{self.order.order_id}@{due_at:%Y%m%dT%H%M%S}#{self.times}" if due_at else self.order.order_id


def remind(waits: Reminded, now: datetime, steps: int, policy: Policy) -> Reminded | None:
    """Return the order with one reminder more, which is to be sent to every step up to its own; None: not now.

    Parameters
    ----------
    steps : int
        Steps that the roster has now; with none, step 0 is the fallback of the duty file.
    """
    order = waits.order
    if not order.is_late(now) or order.due_at is None:
        return None
    step = next_telling(order.severity, order.due_at, waits.at, waits.step, now, steps, policy)
    return None if step is None else replace(waits, times=waits.times + 1, step=step, at=now)


def interval_of(severity: Severity, policy: Policy) -> timedelta:
    """Return after which time something of a severity is told again; below yellow as for the mildest that is told."""
    return policy.interval[severity] if severity in policy.interval else max(policy.interval.values())


def next_telling(
    severity: Severity, due_at: datetime, told_at: datetime | None, told_step: int, now: datetime, steps: int,
    policy: Policy,
) -> int | None:  # fmt: skip
    """Return up to which step it is to be told now that a time is over; None: not now, it was told just before."""
    interval = interval_of(severity, policy)
    passed = (now - (due_at if told_at is None else told_at)) // interval
    if told_at is not None and passed < 1:
        return None
    climbs = passed if severity in policy.escalates else 0
    start = 0 if told_at is None else told_step
    return max(min(start + climbs, max(steps, 1) - 1), start)
