"""Supplies in hand."""

from __future__ import annotations

from undercroft.store.connection import Connection, translated_errors
from undercroft.store.sql import sql


def stock_in_hand(connection: Connection) -> dict[tuple[str, str], float]:
    """Return the quantity by (place, item); where a sensor counts an item, its newest good count."""
    with translated_errors():
        rows = connection.execute(sql("supplies_stock").encode()).fetchall()
    return {(row["place_id"], row["item"]): float(row["quantity"]) for row in rows}
