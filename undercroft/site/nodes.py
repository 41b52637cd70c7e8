"""A walk over a document that may be wrong anywhere: what has not the right type is simply not there.

So the cross-checks report all they can see, while the model reports what is of the wrong type.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from typing import Any

from undercroft.site.lines import Path
from undercroft.site.problems import Problem, shown


@dataclass(frozen=True, slots=True)
class Node:
    """A table of the document and where it stands."""

    table: dict[str, Any]
    path: Path = ()

    def tables(self, key: str) -> Iterator[Node]:
        """Yield the tables of a list."""
        values = self.table.get(key)
        for position, value in enumerate(values if isinstance(values, list) else ()):
            if isinstance(value, dict):
                yield Node(value, (*self.path, key, position))

    def inner(self, key: str) -> Node | None:
        """Return the table under a key."""
        value = self.table.get(key)
        return Node(value, (*self.path, key)) if isinstance(value, dict) else None

    def number(self, key: str) -> float | None:
        """Return a finite number."""
        value = self.table.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            return None
        return float(value)

    def text(self, key: str) -> str | None:
        """Return a text."""
        value = self.table.get(key)
        return value if isinstance(value, str) else None

    def problem(self, key: str, expected: str, found: str | None = None) -> Problem:
        """Say that this field is wrong."""
        return Problem((*self.path, key), shown(self.table.get(key)) if found is None else found, expected)
