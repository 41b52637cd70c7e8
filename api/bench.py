"""``undercroft bench api``: lists, live events and memory, on a large district in a storm, each beside its limit.

The engine is the process that ``undercroft risk`` runs (`risk.bench_chain`), the service the one of ``undercroft api``.
Many clients hold the live stream open; one of them notes when each red alarm comes. Beside them another asks for lists,
one after the other.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import cycle
from typing import Annotated

import httpx
import orjson
import psutil
import typer

from risk.bench_chain import Chain, running_chain
from undercroft.bench import Figure, print_figures
from undercroft.clock import Clock, SystemClock
from undercroft.errors import StackFailed
from undercroft.groups import group

LIST_MOST_MS = 200.0
EVENT_MOST_MS = 1000.0
MEMORY_MOST_MB = 200.0
LISTS = ("spaces?limit=100", "alarms?open=true&limit=100", "alarm-events?limit=100", "incidents?limit=100")
PAUSE_S = 0.02
DEADLINE_S = 30.0
_MB = 1e6


def register(app: typer.Typer) -> None:
    """Add ``undercroft bench api``."""
    group(app, "bench", "Figures beside their limits, measured now.").command("api")(bench_api)


def bench_api(
    as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False,
    spaces: Annotated[int, typer.Option(min=100, help="spaces of the district")] = 2000,
    followers: Annotated[int, typer.Option(min=1, max=500, help="clients of the live stream")] = 20,
    alarms: Annotated[int, typer.Option(min=20, help="red alarms that are timed")] = 150,
) -> None:
    """Measure lists, live events and memory of the service in a storm; exit code 1 over a limit."""
    clock = SystemClock()
    with running_chain(spaces) as (url, chain), _running_api(url) as (address, process):
        subjects = chain.subjects(alarms)
        seen = asyncio.run(_measure(address, chain, clock, followers, subjects))
        committed = chain.committed_at(subjects)
        memory_mb = process.memory_full_info().pss / _MB
    delays_ms = sorted((at - committed[subject]).total_seconds() * 1000.0 for subject, at in seen.arrived.items())
    if len(delays_ms) < len(subjects):
        raise StackFailed(f"bench api: only {len(delays_ms)} of {len(subjects)} red alarms reached the stream")
    figures = [
        Figure("list_p95", _quantile(sorted(seen.lists_ms), 0.95), "ms", LIST_MOST_MS, "stated limit", "lower"),
        Figure("event_p99", _quantile(delays_ms, 0.99), "ms", EVENT_MOST_MS, "stated limit", "lower"),
        Figure("memory", round(memory_mb, 1), "MB", MEMORY_MOST_MB, "stated limit", "lower"),
    ]
    if not print_figures(figures, as_json=as_json):
        raise typer.Exit(1)


def _quantile(ascending: list[float], share: float) -> float:
    return round(ascending[min(len(ascending) - 1, round(share * len(ascending)))], 1)


class _Seen:
    """What the clients noted: when each red alarm came, and how long each list took."""

    def __init__(self) -> None:
        self.arrived: dict[str, datetime] = {}
        self.lists_ms: list[float] = []


async def _measure(address: str, chain: Chain, clock: Clock, followers: int, subjects: list[str]) -> _Seen:
    seen = _Seen()
    unlimited = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=f"{address}api/v1/", timeout=DEADLINE_S, limits=unlimited) as client:
        ready = [asyncio.Event() for _ in range(followers)]
        tasks = [asyncio.create_task(_note(client, clock, seen, frozenset(subjects), ready[0]))]
        tasks += [asyncio.create_task(_follow(client, event)) for event in ready[1:]]
        try:
            async with asyncio.timeout(DEADLINE_S):
                await asyncio.gather(*(event.wait() for event in ready))
            tasks.append(asyncio.create_task(_ask(client, clock, seen)))
            await asyncio.to_thread(chain.measure, len(subjects))
            async with asyncio.timeout(DEADLINE_S):
                while len(seen.arrived) < len(subjects) and not any(task.done() for task in tasks):
                    await asyncio.sleep(PAUSE_S)
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        for failed in ended:
            if isinstance(failed, Exception):
                raise failed
    return seen


async def _note(
    client: httpx.AsyncClient, clock: Clock, seen: _Seen, subjects: frozenset[str], ready: asyncio.Event
) -> None:
    async with client.stream("GET", "events") as stream:
        async for line in stream.aiter_lines():
            if not line.startswith("data: "):
                continue
            came = clock.now()
            ready.set()
            for event in orjson.loads(line[6:]).get("alarm_events", ()):
                if event["severity"] == 4 and event["subject"] in subjects:
                    seen.arrived.setdefault(event["subject"], came)


async def _follow(client: httpx.AsyncClient, ready: asyncio.Event) -> None:
    async with client.stream("GET", "events") as stream:
        async for _ in stream.aiter_raw():
            ready.set()


async def _ask(client: httpx.AsyncClient, clock: Clock, seen: _Seen) -> None:
    for path in cycle(LISTS):
        began_s = clock.monotonic_s()
        answer = await client.get(path)
        if answer.status_code != httpx.codes.OK:
            raise StackFailed(f"bench api: {path}: {answer.status_code} {answer.text}")
        seen.lists_ms.append((clock.monotonic_s() - began_s) * 1000.0)
        await asyncio.sleep(PAUSE_S)


@contextmanager
def _running_api(url: str) -> Iterator[tuple[str, psutil.Process]]:
    environment = {**os.environ, "UNDERCROFT_DATABASE_URL": url}
    command = [sys.executable, "-m", "undercroft", "api", "--port", "0"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline() if process.stdout is not None else ""
        if not line.startswith("undercroft api: http"):
            raise StackFailed("bench api: the service did not start")
        yield line.split(": ", 1)[1].strip(), psutil.Process(process.pid)
    finally:
        process.terminate()
        process.communicate()
