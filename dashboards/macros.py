"""Grafana's macros of the PostgreSQL data source, filled in as Grafana does: for tests and benchmarks.

Source: grafana ``pkg/tsdb/grafana-postgresql-datasource/macros.go``; variables: ``${name:sqlstring}`` of templateSrv.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

ALL = "'*'"
"""What Grafana puts for "All": the variable's custom value, unquoted by it."""

_MACRO = re.compile(r"\$__(timeFilter|timeFrom|timeTo|unixEpochFrom|unixEpochTo)\(([^)]*)\)")
_VARIABLE = re.compile(r"\$\{(\w+):sqlstring\}")


def fill(
    sql: str,
    since: datetime,
    until: datetime,
    *,
    interval_ms: int = 60_000,
    variables: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """Return the SQL that the server gets for a time range and chosen values; an unnamed variable stands on All."""
    chosen = variables or {}
    text = _VARIABLE.sub(lambda found: _quoted(chosen.get(found.group(1))), sql)
    text = text.replace("$__interval_ms", str(interval_ms))
    return _MACRO.sub(lambda found: _macro(found.group(1), found.group(2), since, until), text)


def _quoted(values: Sequence[str] | None) -> str:
    if values is None:
        return ALL
    return ",".join("'" + value.replace("'", "''") + "'" for value in values)


def _macro(name: str, argument: str, since: datetime, until: datetime) -> str:
    start, end = (at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for at in (since, until))
    match name:
        case "timeFilter":
            return f"{argument} BETWEEN '{start}' AND '{end}'"
        case "timeFrom":
            return f"'{start}'"
        case "timeTo":
            return f"'{end}'"
        case "unixEpochFrom":
            return str(int(since.timestamp()))
        case _:
            return str(int(until.timestamp()))
