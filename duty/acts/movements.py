"""Movements of supplies: what an act leaves in stock, within its transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from duty.door.refusals import NotPossibleNow, SubjectUnknown
from risk.supplies.stock import KIND, Movement, stock_after
from undercroft.store import duty_acts as store
from undercroft.store.connection import Connection


def moved(connection: Connection, subject: str, body: Mapping[str, Any]) -> float:
    """Write what a movement leaves in stock, and return it. A second movement of the place waits for the first.

    Raises
    ------
    SubjectUnknown
        If there is no such depot or space.
    NotPossibleNow
        If more is taken than is known to be there.
    """
    item, place = str(body["item"]), subject.partition("/")[2]
    there = store.stock(connection, subject, item)
    if there is None:
        raise SubjectUnknown(f"{KIND}: there is no {subject}")
    counted = body.get("counted")
    change = float(body["quantity"] if counted is None else counted)
    if counted is None and there + change < 0.0:
        count = "say what is there as counted, if the books are wrong"
        raise NotPossibleNow(f"{KIND}: {subject} holds {there:g} {item}, {-change:g} cannot be taken; {count}")
    move = Movement(place, item, change, counted is not None)
    left = stock_after({(place, item): there}, [move])[place, item]
    store.set_stock(connection, place, item, left)
    return left
