"""The orders whose time is over, and how far the telling of each has come, as the store has it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from duty.late.lateness import Reminded
from duty.orders.orders import order_of
from undercroft.store import duty as store
from undercroft.store.connection import Connection


def late_orders(connection: Connection, at: datetime) -> dict[str, Reminded]:
    """Return the orders whose time is over, and how far the telling of each has come."""
    return {
        row["order_id"]: Reminded(order_of(row), row["reminders"], row["reminded_step"], row["reminded_at"])
        for row in store.late_orders(connection, at)
    }


def reminded_row(waits: Reminded) -> dict[str, Any]:
    """Return how far the telling of a late order has come, as the store keeps it."""
    return {
        "order_id": waits.order.order_id, "due_at": waits.order.due_at, "reminders": waits.times,
        "reminded_step": waits.step, "reminded_at": waits.at,
    }  # fmt: skip
