"""Every panel's query in a ``.sql`` file whose first lines declare the columns it returns.

A declaration is ``-- name | type | unit | heading``, and where a stat panel shows it a fifth field may say how it
looks (`dashboards.house.LOOKS`); of any ``*age_s`` it is one of `dashboards.house.AGES`. Types: text, number, time,
flag; a text that is a code has for its unit the name of its words (`dashboards.words`).
Time bounds are Grafana's macros.
``{{chosen:ALIAS}}`` is true for what the dashboard's variables choose, by ALIAS's `street`, `kind` and `space_id`, each
of which passes where it is null; ``{{in:VARIABLE:COLUMN}}`` asks for one variable and lets no null pass; ``{{word}}``
is a part of several queries (a file of ``parts/``), a fact or a parameter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from dashboards.facts import FACTS

_COLUMN = re.compile(r"^-- (\w+) \| (text|number|time|flag) \| ([^|]*?) \| ([^|]+?)(?: \| ([\w:]+))?$")
_IN = re.compile(r"\{\{in:(\w+):([\w.]+)\}\}")
_CHOSEN = re.compile(r"\{\{chosen:(\w+)\}\}")
_PARAMETER = re.compile(r"\{\{(\w+)\}\}")


@dataclass(frozen=True, slots=True)
class Column:
    """A declared column: its heading is Chinese and English, unit and look are words of `dashboards.house`."""

    name: str
    kind: str
    unit: str
    heading: str
    look: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """A query as Grafana gets it: our parameters filled in, Grafana's macros still there."""

    name: str
    sql: str
    columns: tuple[Column, ...]

    @property
    def is_filtered(self) -> bool:
        """Whether any of the dashboard's variables changes it."""
        return "${" in self.sql

    def with_parameters(self, parameters: Mapping[str, str]) -> Query:
        """Return the query with its ``{{word}}`` parameters filled in."""
        return Query(self.name, _PARAMETER.sub(lambda found: parameters[found.group(1)], self.sql), self.columns)

    def of_variable(self, name: str, other: str) -> Query:
        """Return the query that asks another variable than the one named."""
        return Query(self.name, self.sql.replace(f"${{{name}:", f"${{{other}:"), self.columns)


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
    columns = tuple(Column(*found.groups(default="")) for line in lines if (found := _COLUMN.match(line)))
    if not columns:
        raise ValueError(f"query {name} declares no columns")
    text = _PARAMETER.sub(_part, _without_comments(lines)).rstrip(";")
    text = _IN.sub(_in, _CHOSEN.sub(_chosen, text))
    return Query(name, _PARAMETER.sub(lambda found: FACTS.get(found.group(1), found.group(0)), text), columns)


def _without_comments(lines: Iterable[str]) -> str:
    return "\n".join(line for line in lines if not line.startswith("--")).strip()


def _part(found: re.Match[str]) -> str:
    path = files(__package__) / "parts" / f"{found.group(1)}.sql"
    return _without_comments(path.read_text(encoding="utf-8").splitlines()) if path.is_file() else found.group(0)


def _values(variable: str) -> str:
    return f"array[${{{variable}:sqlstring}}]::text[]"


def _in(found: re.Match[str]) -> str:
    variable, column = found.groups()
    return f"('*' = any({_values(variable)}) or {column} = any({_values(variable)}))"


def _chosen(found: re.Match[str]) -> str:
    alias, district = found.group(1), _values("district")
    parts = [f"('*' = any({district}) or (select district_id from grafana.deployment) = any({district}))"]  # noqa: S608 - a name of ours
    for variable, column in (("street", "street"), ("kind", "kind"), ("space", "space_id")):
        values = _values(variable)
        parts.append(f"('*' = any({values}) or {alias}.{column} is null or {alias}.{column} = any({values}))")
    return "(" + " and ".join(parts) + ")"
