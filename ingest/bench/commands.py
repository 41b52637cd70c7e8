"""``undercroft bench ingest``: real Mosquitto, real PostgreSQL with fsync, one ingest process."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from ingest.bench.draining import pack, share, single
from ingest.bench.lasting import latency, memory
from ingest.bench.mosquitto import running_mosquitto
from undercroft.bench import Figure, print_figures
from undercroft.clock import SystemClock
from undercroft.errors import BadInput
from undercroft.groups import group
from undercroft.stack.datadir import open_data_dir
from undercroft.stack.postgres import PostgresServer, running_postgres

FIGURES = ("single", "pack", "share", "latency_p99", "memory")


def register(app: typer.Typer) -> None:
    """Add ``undercroft bench ingest``."""
    group(app, "bench", "Measure, each figure beside its limit.").command("ingest")(bench_ingest)


def bench_ingest(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    only: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(FIGURES)}; share needs single.")] = None,
) -> None:
    """Measure draining a backlog (single, pack, share), latency at a steady rate, and memory under a backlog."""
    chosen = frozenset(only or FIGURES)
    if unknown := sorted(chosen - set(FIGURES)):
        raise BadInput(f"bench ingest: --only {unknown[0]} is none of {', '.join(FIGURES)}")
    if "share" in chosen and "single" not in chosen:
        raise BadInput("bench ingest: --only share is held against single; give both")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ucb-", dir="/tmp")))
        data_dir = stack.enter_context(open_data_dir(folder))
        postgres = stack.enter_context(running_postgres(data_dir, fsync=True))
        figures = _measure(chosen, postgres)
    if not print_figures(figures, as_json=as_json):
        sys.exit(1)


def _measure(chosen: frozenset[str], postgres: PostgresServer) -> list[Figure]:
    """Measure in order, each with a broker of its own: sessions that one leaves behind would slow the next."""
    found: dict[str, Figure] = {}
    measures: dict[str, Callable[[PostgresServer, str], Figure]] = {
        "single": single,
        "pack": pack,
        "share": lambda postgres, url: share(postgres, url, found["single"].value),
        "latency_p99": latency,
        "memory": memory,
    }
    for name in (name for name in FIGURES if name in chosen):
        with (
            tempfile.TemporaryDirectory(prefix="ucm-", dir="/tmp") as folder,
            running_mosquitto(Path(folder), SystemClock()) as broker_url,
        ):
            found[name] = measures[name](postgres, broker_url)
    return list(found.values())
