"""However many clients need a snapshot at once, the database is asked for one; nobody gets one that is too old."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

from api.deployment import read_deployment
from api.events.snapshots import GOOD_FOR_S, Snapshots
from tests.browser.world import START, World
from undercroft.clock import FakeClock
from undercroft.store.reading import Query, Reader


class Counting(Reader):
    """The real reader, counting what it is asked for."""

    taken = 0

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Query]:
        self.taken += 1
        async with super().snapshot() as query:
            yield query


async def test_one_for_all_and_none_too_old(exercise_db: str, world: World) -> None:
    clock = FakeClock(START)
    async with Counting(exercise_db, most_connections=2) as reader:
        here = await read_deployment(reader)
        snapshots = Snapshots(reader, clock)
        first = world.tick()
        frames = await asyncio.gather(*(snapshots.of(here, first) for _ in range(50)))
        assert reader.taken == 1
        assert {frame.tick_seq for frame in frames} == {first}

        second = world.tick()
        assert (await snapshots.of(here, first)).tick_seq == first, "the second tick waits in the client's queue"
        assert (await snapshots.of(here, second)).tick_seq == second
        assert reader.taken == 2

        clock.advance(timedelta(seconds=GOOD_FOR_S))
        await snapshots.of(here, second)
        assert reader.taken == 3
        await snapshots.of(replace(here, deployment_id="another"), second)
        assert reader.taken == 4
