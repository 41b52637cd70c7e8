"""Supplies in hand."""

from __future__ import annotations

from typing import Any

from undercroft.store.connection import Connection, translated_errors
from undercroft.store.sql import sql


def stock_in_hand(connection: Connection, place: str | None = None) -> dict[tuple[str, str], float]:
    """Return the quantity by (place, item), of one place or all; where a sensor counts, its newest good count."""
    with translated_errors():
        rows = connection.execute(sql("supplies_stock").encode(), {"place": place}).fetchall()
    return {(row["place_id"], row["item"]): float(row["quantity"]) for row in rows}


def movements(connection: Connection, place: str | None, limit: int) -> list[dict[str, Any]]:
    """Return the newest movements of supplies, of one place or of all, newest first."""
    with translated_errors():
        values = {"place": place, "before": None, "limit": limit}
        return connection.execute(sql("supplies_movements").encode(), values).fetchall()
