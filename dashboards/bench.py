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
from dashboards.dashboard import PLACE
from dashboards.macros import fill as fill_macros
from undercroft.bench import Figure, print_figures
from undercroft.errors import BadInput
from undercroft.groups import group
from undercroft.settings import Settings
from undercroft.store.bench import (
    bytes_per_observation,
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
    sensors: Annotated[int, typer.Option(min=200, help="sensors in the database; fewer leave panels empty")] = 500,
    against: Annotated[str | None, typer.Option(help="a plain PostgreSQL to compare with: URL of an empty one")] = None,
    stage: Annotated[Stage, typer.Option(help="fill the databases, time those filled before, or both")] = Stage.ALL,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Fill the empty exercise database of UNDERCROFT_DATABASE_URL and time every panel's query on it.

    It takes the longest stretch; each shorter one goes to a database beside it (NAME_7d), which has to be made first,
    on the server of --against too.
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
    if not print_figures(run(urls, steps), as_json=as_json):
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


def run(urls: Sequence[str], steps: list[int]) -> list[Figure]:
    """Return the figures of filled databases; with a second URL beside those of the plain ones that it names."""
    with ExitStack() as stack:
        sides = [
            [stack.enter_context(closing(open_filled(database_of(url, days, steps)))) for days in steps] for url in urls
        ]
        flat = [connection for side in sides for connection in side]
        for connection in flat:
            if nothing := idle(connection):
                raise BadInput(f"these queries find nothing to time: {', '.join(nothing)}: fill an empty database anew")
        spans = spans_ms(flat)
        weights = [bytes_per_observation(connection) for connection in flat]
        longest = sides[0][-1]
        rate = refreshed_rows_per_s(longest, STREAM_ROWS_S, STREAM_STEPS) if is_timescale(longest) else None
    figures = figures_of(steps, spans[: len(steps)], weights[: len(steps)])
    if rate is not None:
        figures.append(Figure("refresh", rate, "rows/s", STREAM_ROWS_S, "issue 6 limit", "higher"))
    if len(urls) == 1:
        return figures
    plain = figures_of(steps, spans[len(steps) :], weights[len(steps) :])
    return [*figures, *beside(figures, plain, steps)]


def figures_of(steps: list[int], spans: list[Spans], weights: list[float]) -> list[Figure]:
    """Return one side's figures: every query at the longest stretch; of each stretch the slowest, all, the bytes."""
    figures = [Figure(name, p95(of), "ms", P95_LIMIT_MS, "p95 limit", "lower") for name, of in spans[-1].items()]
    for days, of_stretch, weight in zip(steps, spans, weights, strict=True):
        slowest = max(of_stretch, key=lambda name: p95(of_stretch[name]))
        figures += [
            Figure(f"slowest_{days}d", p95(of_stretch[slowest]), "ms", P95_LIMIT_MS, f"{slowest}, p95 limit", "lower"),
            Figure(
                f"medians_{days}d",
                medians_ms(of_stretch),
                "ms",
                medians_ms(spans[0]),
                f"{steps[0]} days",
                "lower",
                is_held=False,
            ),
            Figure(f"bytes_per_observation_{days}d", weight, "byte", BYTES_LIMIT, "issue 6 limit", "lower"),
        ]
    return figures + (grown(spans[0], spans[-1], f"from {steps[0]} to {steps[-1]} days") if len(steps) > 1 else [])


def medians_ms(spans: Spans) -> float:
    """Return how long all queries take one after the other, each its median. [ms]"""
    return sum(median(of) for of in spans.values())


def grown(first: Spans, last: Spans, stretch: str) -> list[Figure]:
    """Return how times grew: all medians together, and the panel that grew most, turn by turn, of those not short."""
    figures = [
        Figure("growth", medians_ms(last) / medians_ms(first), "times", GROWTH_LIMIT, f"medians {stretch}", "lower")
    ]
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


def beside(ours: list[Figure], plain: list[Figure], steps: list[int]) -> list[Figure]:
    """Return how many times smaller a reading is at each stretch, and every figure of the plain side over ours."""
    by_name = {figure.name: figure for figure in ours}
    names = [(f"bytes_per_observation_{days}d", f"times_smaller_{days}d") for days in steps]
    values = {figure.name: figure.value for figure in plain}
    smaller = [
        Figure(name, values[weight] / by_name[weight].value, "times", SMALLER_LIMIT, "plain PostgreSQL", "higher")
        for weight, name in names
    ]
    return smaller + [
        Figure(
            f"plain_{figure.name}",
            figure.value,
            figure.unit,
            by_name[figure.name].value,
            "ours",
            "higher",
            is_held=False,
        )
        for figure in plain
        if figure.name in by_name
    ]


def idle(connection: Connection) -> list[str]:
    """Return the queries that find no row: their times would say nothing."""
    return [name for name, text in sorted(texts().items()) if not connection.execute(text.encode()).fetchall()]


def texts() -> dict[str, str]:
    """Return every query of panels and annotations over the last hours, by name; a panel of one space has one."""
    return {
        each.name: fill_macros(
            each.sql, END - WINDOW, END, interval_ms=60_000, variables={PLACE: ["bench-7"]} if board.one_space else {}
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
