"""The live stream against the real service: each tick once, whatever breaks."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.browser.service import running_api
from tests.browser.world import Finding, Happening, World, reason

DEADLINE_S = 20.0


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event."""

    name: str
    id: int | None
    body: Any


@pytest.fixture
def address(exercise_db: str, world: World) -> Iterator[str]:
    with running_api(exercise_db) as (found, _):
        yield found


@asynccontextmanager
async def following(address: str, last: int | None = None, **params: str) -> AsyncIterator[AsyncIterator[Event]]:
    """Connect to the stream; events come with a deadline each."""
    headers = {} if last is None else {"Last-Event-ID": str(last)}
    async with (
        httpx.AsyncClient(timeout=DEADLINE_S) as client,
        client.stream("GET", f"{address}api/v1/events", headers=headers, params=params) as response,
    ):
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        yield events(response)


async def events(response: httpx.Response) -> AsyncIterator[Event]:
    """Parse server-sent events."""
    fields: dict[str, str] = {}
    async for line in response.aiter_lines():
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.strip()
        elif "data" in fields:
            found = Event(fields["event"], int(fields["id"]) if "id" in fields else None, json.loads(fields["data"]))
            fields = {}
            yield found
        else:
            fields = {}


async def until(stream: AsyncIterator[Event], name: str) -> Event:
    """Return the next event of this name."""
    async with asyncio.timeout(DEADLINE_S):
        async for event in stream:
            if event.name == name:
                return event
    raise AssertionError(f"the stream ended before {name}")


async def ticks(stream: AsyncIterator[Event], count: int) -> list[int]:
    """Return the ids of the next ticks."""
    return [(await until(stream, "tick")).id or 0 for _ in range(count)]


async def test_snapshot_first_then_every_tick(address: str, world: World) -> None:
    world.tick([Finding("cp-01", level=3, score=70.0, reasons=[reason()])])
    async with following(address) as stream:
        snapshot = await until(stream, "snapshot")
        assert snapshot.id == 1
        assert snapshot.body["mode"] == "exercise"
        assert snapshot.body["spaces"][0]["space_id"] == "cp-01"
        assert len(snapshot.body["spaces"]) == snapshot.body["spaces_total"] == 40
        world.tick([Finding("cp-02", level=4)], [Happening("space/cp-02", 4, reasons=[reason(4)])])
        tick = await until(stream, "tick")
        assert tick.id == 2
        assert tick.body["now"] == tick.body["tick_at"] == "2023-09-07T11:02:00Z"
        assert [space["space_id"] for space in tick.body["assessments"]] == ["cp-02"]
        assert [(event["kind"], event["event_no"]) for event in tick.body["alarm_events"]] == [("raised", 1)]
        assert [(alarm["subject"], alarm["active"]) for alarm in tick.body["alarms"]] == [("space/cp-02", True)]


async def test_resumes_after_an_id_exactly_once(address: str, world: World) -> None:
    for number in range(130):
        world.tick([Finding("cp-01", score=float(number % 100))])
    async with following(address, last=7) as stream:
        assert await ticks(stream, 123) == list(range(8, 131))
        world.tick()
        assert await ticks(stream, 1) == [131]
    world.tick()
    world.tick([], [Happening("space/cp-03", 3)])
    async with following(address, last=131) as stream:
        assert await ticks(stream, 2) == [132, 133]


async def test_nothing_is_lost_while_ticks_pour_in(address: str, world: World) -> None:
    """A client that connects again and again in the middle of the flow has every tick once."""

    def pour() -> None:
        for _ in range(300):
            world.tick()

    async with following(address) as stream:
        await until(stream, "snapshot")  # from now on the service follows
    writing = asyncio.create_task(asyncio.to_thread(pour))
    seen: list[int] = []
    while len(seen) < 300:
        async with following(address, last=seen[-1] if seen else 0) as stream:
            seen += await ticks(stream, min(37, 300 - len(seen)))
    await writing
    assert seen == list(range(1, 301))


@pytest.mark.parametrize("last", [99, 2**62])
async def test_an_id_from_elsewhere_gets_a_snapshot(address: str, world: World, last: int) -> None:
    world.tick()
    async with following(address, last=last) as stream:
        assert (await until(stream, "snapshot")).id == 1


async def test_an_id_of_another_deployment_gets_a_snapshot(address: str, world: World) -> None:
    world.tick()
    world.tick()
    other = "00000000-0000-0000-0000-000000000000"
    async with following(address, last=1, deployment=other) as stream:
        snapshot = await until(stream, "snapshot")
        assert snapshot.id == 2
    async with following(address, last=1, deployment=snapshot.body["deployment_id"]) as stream:
        assert await ticks(stream, 1) == [2]


async def test_bad_id_is_refused(address: str) -> None:
    async with httpx.AsyncClient() as client:
        response = await client.get(f"{address}api/v1/events", headers={"Last-Event-ID": "-1"})
    assert response.status_code == 422
    assert response.json()["error"] == "RequestInvalid"


async def test_survives_a_lost_database_connection(address: str, world: World) -> None:
    """Every session of the service is ended by the server: clients hear `stale`, then what they missed."""
    world.tick()
    async with following(address) as stream:
        await until(stream, "snapshot")
        world.connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name like 'undercroft-api%' and datname = current_database()"
        )
        assert (await until(stream, "stale")).body["stale"] is True
        world.tick()
        world.tick()
        assert await ticks(stream, 2) == [2, 3]


async def test_fresh_readings_are_told(address: str, world: World) -> None:
    world.tick()
    async with following(address) as stream:
        assert (await until(stream, "snapshot")).body["observed"] == {}
        world.observe(next(iter(world.sensor_keys("cp-01").values())), [(world.now, 0.1)])
        world.tick()
        assert (await until(stream, "tick")).body["observed"] == {"cp-01": "2023-09-07T11:01:00Z"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_ends_in_good_order_with_clients(exercise_db: str, world: World, number: signal.Signals) -> None:
    with running_api(exercise_db) as (address, process):
        async with following(address) as stream:
            await until(stream, "snapshot")
            process.send_signal(number)
            async with asyncio.timeout(DEADLINE_S):
                rest = [event.name async for event in stream]
            assert set(rest) <= {"pulse"}
        assert await asyncio.to_thread(process.wait, DEADLINE_S) == 0
