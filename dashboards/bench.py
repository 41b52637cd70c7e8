"""``undercroft bench query``: every panel's query timed, and the bytes of a reading, on PostgreSQL and TimescaleDB."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Annotated

import typer

from dashboards.build import all_dashboards
from dashboards.macros import fill as fill_macros
from undercroft.bench import Figure, print_figures
from undercroft.errors import BadInput
from undercroft.groups import group
from undercroft.settings import Settings
from undercroft.store.bench import (
    bytes_per_observation,
    compress_readings,
    extend,
    fill,
    open_for_bench,
    refreshed_rows_per_s,
    tidy,
    timed_s,
)
from undercroft.store.connection import Connection
from undercroft.store.timescale import is_timescale

P95_LIMIT_MS = 200.0
GROWTH_LIMIT = 1.10
BYTES_LIMIT = 12.0
SMALLER_LIMIT = 8.0
END = datetime(2026, 7, 1, tzinfo=UTC)
WINDOW = timedelta(hours=6)
STREAM_ROWS_S = 5_000
STREAM_STEPS = 12
_TIMES = 20

Days = Annotated[list[int] | None, typer.Option(help="days of data, growing; default: 7, 30, 90", min=1)]


def register(app: typer.Typer) -> None:
    """Add ``undercroft bench query``."""
    group(app, "bench", "Figures beside their limits, measured now.").command("query")(bench_query)


def bench_query(
    days: Days = None,
    sensors: Annotated[int, typer.Option(min=1, help="sensors in the database")] = 500,
    against: Annotated[str | None, typer.Option(help="a plain PostgreSQL to compare with: URL of an empty one")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Fill the empty exercise database of UNDERCROFT_DATABASE_URL and time every panel's query on it."""
    url = Settings().database_url
    if url is None:
        raise BadInput("UNDERCROFT_DATABASE_URL is not set: name an empty database of mode exercise")
    steps = sorted(set(days or [7, 30, 90]))
    figures = run(url.get_secret_value(), sensors, steps)
    if against is not None:
        figures = compared(figures, run(against, sensors, steps))
    if not print_figures(figures, as_json=as_json):
        raise typer.Exit(1)


def run(url: str, sensors: int, steps: list[int]) -> list[Figure]:
    """Return the figures of one database: times at the longest stretch, their growth, and the bytes of a reading."""
    with closing(open_for_bench(url)) as connection:
        fill(connection, sensors, END, steps[0])
        tidy(connection, END)
        first = spans_ms(connection)
        for before, wanted in pairwise(steps):
            extend(connection, END, before, wanted)
            tidy(connection, END)
        last = spans_ms(connection) if len(steps) > 1 else first
        compress_readings(connection, END)
        weight = bytes_per_observation(connection)
        rate = refreshed_rows_per_s(connection, END, STREAM_ROWS_S, STREAM_STEPS) if is_timescale(connection) else None
    figures = [Figure(name, p95(of), "ms", P95_LIMIT_MS, "p95 limit", "lower") for name, of in last.items()]
    if len(steps) > 1:
        growth = sum(map(median, last.values())) / sum(map(median, first.values()))
        words = f"growth of all medians from {steps[0]} to {steps[-1]} days"
        figures.append(Figure("growth", growth, "times", GROWTH_LIMIT, words, "lower"))
    if rate is not None:
        figures.append(Figure("refresh", rate, "rows/s", STREAM_ROWS_S, "issue 6 limit", "higher"))
    return [*figures, Figure("bytes_per_observation", weight, "byte", BYTES_LIMIT, "issue 6 limit", "lower")]


def compared(ours: list[Figure], plain: list[Figure]) -> list[Figure]:
    """Return both, the plain ones by name, and how many times smaller a reading is."""
    weights = {name: figure.value for name, figure in (("ours", ours[-1]), ("plain", plain[-1]))}
    smaller = weights["plain"] / weights["ours"]
    beside = [
        Figure(f"plain_{figure.name}", figure.value, figure.unit, figure.value, "itself", figure.better)
        for figure in plain
    ]
    return [*ours, Figure("times_smaller", smaller, "times", SMALLER_LIMIT, "plain PostgreSQL", "higher"), *beside]


def spans_ms(connection: Connection) -> dict[str, list[float]]:
    """Return how long each panel's query took over the last hours, one space chosen where a panel is of one. [ms]"""
    texts = {
        each.name: fill_macros(
            each.sql, END - WINDOW, END, interval_ms=60_000, variables={"space": ["bench-7"]} if board.one_space else {}
        )
        for board in all_dashboards()
        for panel in board.panels
        for each in panel.queries
        if "{{" not in each.sql
    }
    found = {}
    for name, text in sorted(texts.items()):
        timed_s(connection, text, 1)
        found[name] = [1000 * span_s for span_s in timed_s(connection, text, _TIMES)]
    return found


def p95(spans_ms: list[float]) -> float:
    """Return the 95th percentile: of twenty spans the second longest. [ms]"""
    return sorted(spans_ms)[-max(1, len(spans_ms) // 20) - 1]
