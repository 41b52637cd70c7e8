"""What subjects and basins are called, as the store has it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from duty.telling.texts import Named
from undercroft.model import SpaceKind
from undercroft.store import duty as store
from undercroft.store.connection import Connection


def load_names(connection: Connection) -> dict[str, Named]:
    """Return what subjects and basins are called."""
    return names_of(store.names(connection))


def names_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, Named]:
    """Return what subjects and basins are called, of the rows of ``duty_names``."""
    return {
        row["subject"]: Named(
            row["name_zh"],
            row["name_en"],
            SpaceKind(row["kind"]) if row["kind"] else None,
            row["street"],
            row["has_barrier"],
        )
        for row in rows
    }
