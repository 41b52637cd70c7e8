"""One thing wrong in a site file, and how it is told: file, line, field, what was found, what was expected."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from undercroft.errors import SiteInvalid
from undercroft.site.lines import LineIndex, Path

_LONGEST_FOUND = 60


@dataclass(frozen=True, slots=True)
class Problem:
    """Something to mend at a path of the document, in words."""

    path: Path
    found: str
    expected: str


@dataclass(frozen=True, slots=True)
class Located:
    """A problem at its place in a file."""

    file: str
    line: int
    field: str
    found: str
    expected: str

    def __str__(self) -> str:
        """One line for people, in the form that editors and compilers share."""
        return f"{self.file}:{self.line}: {self.field}: found {self.found}, expected {self.expected}"


class SiteProblems(SiteInvalid):
    """The site file has problems; all of them are told, one per line."""

    def __init__(self, problems: Iterable[Located]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def locate(problems: Iterable[Problem], file: str, text: str, document: dict[str, Any]) -> list[Located]:
    """Give each problem its line; in the order of the file."""
    index = LineIndex(text)
    located = {
        Located(file, index.line_of(problem.path), field_name(problem.path, document), problem.found, problem.expected)
        for problem in problems
    }
    return sorted(located, key=lambda problem: (problem.line, problem.field, problem.expected))


def field_name(path: Path, document: Any) -> str:
    """Name a field for people: list elements by their ``id``, or counted from 1 where they have none.

    Examples
    --------
    >>> field_name(("space", 1, "width_m"), {"space": [{"id": "a"}, {"id": "b"}]})
    'space[b].width_m'
    >>> field_name(("space", 1, "width_m"), {"space": [{}, {}]})
    'space[#2].width_m'
    """
    name = ""
    value = document
    for step in path:
        value = value_at(value, (step,))
        if isinstance(step, str):
            name += f".{step}" if name else step
        else:
            ident = value.get("id") if isinstance(value, dict) else None
            name += f"[{ident}]" if isinstance(ident, str) else f"[#{step + 1}]"
    return name or "(top level)"


def value_at(document: Any, path: Path) -> Any:
    """Return the value at a path, None where there is nothing."""
    value = document
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def shown(value: Any) -> str:
    """Show a value as it would stand in TOML, cut when long."""
    text = _as_toml(value)
    return text if len(text) <= _LONGEST_FOUND else text[: _LONGEST_FOUND - 3] + "..."


def _as_toml(value: Any) -> str:
    match value:
        case None:
            text = "nothing"
        case bool():
            text = "true" if value else "false"
        case dict():
            text = "a table"
        case list():
            text = f"a list of {len(value)}"
        case datetime() | date() | time():
            text = value.isoformat()
        case str():
            text = json.dumps(value, ensure_ascii=not value.isprintable())
        case _:
            text = f"{value:.10g}" if isinstance(value, float) else str(value)
    return text
