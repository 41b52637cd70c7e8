"""The roster in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from undercroft.store.connection import Connection, translated_errors
from undercroft.store.sql import sql

_SHIFT = ("starts_at", "ends_at", "step", "standing", "person_id", "name", "phone", "reach")


def replace_shifts(connection: Connection, shifts: Sequence[Mapping[str, Any]]) -> None:
    """Put shifts in place of those that touch the time they cover: all of them, or nothing."""
    columns: dict[str, list[Any]] = {name: [shift[name] for shift in shifts] for name in _SHIFT}
    columns["reach"] = [orjson.dumps(reach).decode() for reach in columns["reach"]]
    with translated_errors(), connection.transaction():
        covered = {"starts_at": min(columns["starts_at"]), "ends_at": max(columns["ends_at"])}
        connection.execute(sql("roster_forget").encode(), covered)
        connection.execute(sql("roster_insert").encode(), columns)


def mark_absent(connection: Connection, person_id: str, starts_at: datetime, ends_at: datetime, author: str) -> None:
    """Record that somebody cannot be reached for a time."""
    values = {"person_id": person_id, "starts_at": starts_at, "ends_at": ends_at, "author": author}
    with translated_errors():
        connection.execute(sql("roster_absent").encode(), values)
