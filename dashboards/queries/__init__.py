"""Every panel's query in a ``.sql`` file whose first lines declare the columns it returns.

A declaration is ``-- name | type | unit | heading``; types: text, number, time, flag. Time bounds are Grafana's macros;
``{{in:VARIABLE:COLUMN}}`` is true for the chosen values of a dashboard variable, ``{{word}}`` is a parameter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_COLUMN = re.compile(r"^-- (\w+) \| (text|number|time|flag) \| ([^|]*?) \| (.+)$")
_IN = re.compile(r"\{\{in:(\w+):([\w.]+)\}\}")
_PARAMETER = re.compile(r"\{\{(\w+)\}\}")


@dataclass(frozen=True, slots=True)
class Column:
    """A declared column: its heading is Chinese and English, its unit as in `dashboards.units`."""

    name: str
    kind: str
    unit: str
    heading: str


@dataclass(frozen=True, slots=True)
class Query:
    """A query as Grafana gets it: our parameters filled in, Grafana's macros still there."""

    name: str
    sql: str
    columns: tuple[Column, ...]

    def with_parameters(self, parameters: Mapping[str, str]) -> Query:
        """Return the query with its ``{{word}}`` parameters filled in."""
        return Query(self.name, _PARAMETER.sub(lambda found: parameters[found.group(1)], self.sql), self.columns)


def names() -> list[str]:
    """Return the names of all queries."""
    return sorted(path.name.removesuffix(".sql") for path in files(__package__).iterdir() if path.name.endswith(".sql"))


@cache
def query(name: str) -> Query:
    """Return the query of a file.

    Raises
    ------
    ValueError
        If it declares no columns.
    """
    lines = (files(__package__) / f"{name}.sql").read_text(encoding="utf-8").splitlines()
    columns = tuple(Column(*found.groups()) for line in lines if (found := _COLUMN.match(line)))
    if not columns:
        raise ValueError(f"query {name} declares no columns")
    text = "\n".join(line for line in lines if not line.startswith("--")).strip().rstrip(";")
    return Query(name, _IN.sub(_chosen, text), columns)


def _chosen(found: re.Match[str]) -> str:
    variable, column = found.groups()
    values = f"array[${{{variable}:sqlstring}}]::text[]"
    return f"('*' = any({values}) or {column} = any({values}))"
