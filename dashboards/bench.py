"""``undercroft bench query``: every panel's query timed, and the bytes of a reading, on PostgreSQL and TimescaleDB."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from statistics import median
from typing import Annotated
from urllib.parse import urlsplit, urlunsplit

import typer

from dashboards.bench_series import simulated_days
from dashboards.build import all_dashboards
from dashboards.macros import fill as fill_macros
from undercroft.bench import Figure, print_figures
from undercroft.errors import BadInput
from undercroft.groups import group
from undercroft.settings import Settings
from undercroft.store.bench import (
    bytes_per_observation,
    compress_readings,
    fill,
    open_empty,
    open_filled,
    refreshed_rows_per_s,
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
LONG_MS = 5.0
"""A shorter query's growth is lost in what the machine trembles."""
VERY_LONG_S = 1.0
_TIMES = 20
_FEW_TIMES = 5
"""What takes very long misses its limit anyway."""
Spans = dict[str, list[float]]

Days = Annotated[list[int] | None, typer.Option(help="days of data, growing; default: 7, 30, 90", min=1)]


def register(app: typer.Typer) -> None:
    """Add ``undercroft bench query``."""
    group(app, "bench", "Figures beside their limits, measured now.").command("query")(bench_query)


class Stage(StrEnum):
    """Filling takes long and may go on beside other work; timing wants a quiet machine."""

    ALL = "all"
    FILL = "fill"
    TIME = "time"


def bench_query(
    days: Days = None,
    sensors: Annotated[int, typer.Option(min=1, help="sensors in the database")] = 500,
    against: Annotated[str | None, typer.Option(help="a plain PostgreSQL to compare with: URL of an empty one")] = None,
    stage: Annotated[Stage, typer.Option(help="fill the databases, time those filled before, or both")] = Stage.ALL,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Fill the empty exercise database of UNDERCROFT_DATABASE_URL and time every panel's query on it.

    It takes the longest stretch; each shorter one goes to a database beside it (NAME_7d), which has to be made first.
    """
    url = Settings().database_url
    if url is None:
        raise BadInput("UNDERCROFT_DATABASE_URL is not set: name an empty database of mode exercise")
    steps = sorted(set(days or [7, 30, 90]))
    urls = [url.get_secret_value()] if against is None else [url.get_secret_value(), against]
    if stage is not Stage.TIME:
        for each in urls:
            fill_all(each, sensors, steps)
    if stage is Stage.FILL:
        return
    figures = run(urls[0], steps)
    if against is not None:
        figures = compared(figures, run(against, steps))
    if not print_figures(figures, as_json=as_json):
        raise typer.Exit(1)


def fill_all(url: str, sensors: int, steps: list[int]) -> None:
    """Fill a database for each stretch with the same simulated days."""
    series = simulated_days(sensors)
    for days in steps:
        with closing(open_empty(database_of(url, days, steps))) as connection:
            fill(connection, sensors, END, days, series)


def database_of(url: str, days: int, steps: list[int]) -> str:
    """Return the URL of a stretch's database.

    Examples
    --------
    >>> database_of("postgresql://me@here/bench?sslmode=disable", 7, [7, 90])
    'postgresql://me@here/bench_7d?sslmode=disable'
    >>> database_of("postgresql://me@here/bench", 90, [7, 90])
    'postgresql://me@here/bench'
    """
    parts = urlsplit(url)
    return url if days == steps[-1] else urlunsplit(parts._replace(path=f"{parts.path}_{days}d"))


def run(url: str, steps: list[int]) -> list[Figure]:
    """Return the figures of filled databases: times at the longest stretch, their growth, the bytes of a reading."""
    with ExitStack() as stack:
        connections = [stack.enter_context(closing(open_filled(database_of(url, days, steps)))) for days in steps]
        for connection in connections:
            if nothing := idle(connection):
                raise BadInput(f"these queries find nothing to time: {', '.join(nothing)}: fill an empty database anew")
        spans = spans_ms(connections)
        longest = connections[-1]
        compress_readings(longest, END)
        weight = bytes_per_observation(longest)
        rate = refreshed_rows_per_s(longest, END, STREAM_ROWS_S, STREAM_STEPS) if is_timescale(longest) else None
    figures = [Figure(name, p95(of), "ms", P95_LIMIT_MS, "p95 limit", "lower") for name, of in spans[-1].items()]
    if len(steps) > 1:
        figures += grown(spans[0], spans[-1], f"from {steps[0]} to {steps[-1]} days")
    if rate is not None:
        figures.append(Figure("refresh", rate, "rows/s", STREAM_ROWS_S, "issue 6 limit", "higher"))
    return [*figures, Figure("bytes_per_observation", weight, "byte", BYTES_LIMIT, "issue 6 limit", "lower")]


def grown(first: Spans, last: Spans, stretch: str) -> list[Figure]:
    """Return how times grew: all medians together, and the panel that grew most, turn by turn, of those not short."""
    before, after = (sum(median(of) for of in spans.values()) for spans in (first, last))
    figures = [Figure("growth", after / before, "times", GROWTH_LIMIT, f"medians {stretch}", "lower")]
    turns = {
        name: median(late / early for early, late in zip(of, last[name], strict=True))
        for name, of in first.items()
        if median(of) >= LONG_MS
    }
    if turns:
        most = max(turns, key=lambda name: turns[name])
        words = f"{most} {stretch}, most of those over {LONG_MS:.0f} ms,"
        figures.append(Figure("growth_most", turns[most], "times", GROWTH_LIMIT, words, "lower"))
    return figures


def compared(ours: list[Figure], plain: list[Figure]) -> list[Figure]:
    """Return both, the plain ones by name, and how many times smaller a reading is."""
    weights = {name: figure.value for name, figure in (("ours", ours[-1]), ("plain", plain[-1]))}
    smaller = weights["plain"] / weights["ours"]
    beside = [
        Figure(f"plain_{figure.name}", figure.value, figure.unit, figure.value, "itself", figure.better)
        for figure in plain
    ]
    return [*ours, Figure("times_smaller", smaller, "times", SMALLER_LIMIT, "plain PostgreSQL", "higher"), *beside]


def idle(connection: Connection) -> list[str]:
    """Return the queries that find no row: their times would say nothing."""
    return [name for name, text in sorted(texts().items()) if not connection.execute(text.encode()).fetchall()]


def texts() -> dict[str, str]:
    """Return every query of panels and annotations over the last hours, by name; a panel of one space has one."""
    return {
        each.name: fill_macros(
            each.sql, END - WINDOW, END, interval_ms=60_000, variables={"space": ["bench-7"]} if board.one_space else {}
        )
        for board in all_dashboards()
        for each in board.queries()
    }


def spans_ms(connections: Sequence[Connection]) -> list[Spans]:
    """Return, by database, how long each query took over the last hours. [ms]

    The databases take turns query by query, so that whatever else the machine does falls on all of them alike.
    """
    found: list[Spans] = [{} for _ in connections]
    for name, text in sorted(texts().items()):
        warm_s = max(timed_s(connection, text, 1)[0] for connection in connections)
        for _ in range(_TIMES if warm_s < VERY_LONG_S else _FEW_TIMES):
            for connection, spans in zip(connections, found, strict=True):
                spans.setdefault(name, []).append(1000 * timed_s(connection, text, 1)[0])
    return found


def p95(spans_ms: list[float]) -> float:
    """Return the 95th percentile: of twenty spans the second longest, of fewer the longest. [ms]"""
    return sorted(spans_ms)[-(len(spans_ms) // 20) - 1]
