"""The hub without a database: every tick to every client once, slow clients let go, losses told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from api.errors import TooManyClients
from api.events.frames import Frame
from api.events.hub import Client, Hub
from undercroft.clock import FakeClock
from undercroft.errors import StoreUnavailable
from undercroft.store.reading import Row, first

START = datetime(2026, 7, 1, tzinfo=UTC)


class FakeStore:
    """Ticks in a list; a switch for the database."""

    def __init__(self) -> None:
        self.ticks: list[Row] = []
        self.up = True
        self.changed = asyncio.Event()
        self.connections = 0
        self.asked: set[str] = set()

    def add(self) -> None:
        """Commit a tick and notify."""
        number = len(self.ticks) + 1
        at = START + timedelta(seconds=number)
        self.ticks.append(
            {"tick_seq": number, "tick_at": at, "up_to_commit_seq": 0, "run_seq": None, "committed_at": at}
        )
        self.changed.set()

    def set_up(self, up: bool) -> None:
        """Switch the database on or off; a listener notices at once."""
        self.up = up
        self.changed.set()

    async def listen(self) -> FakeStore:
        """Connect."""
        self._require_up()
        self.connections += 1
        return self

    async def wait(self, timeout_s: float) -> bool:
        """Wait for a change."""
        del timeout_s
        await self.changed.wait()
        self.changed.clear()
        self._require_up()
        return True

    async def close(self) -> None:
        """Nothing to give back."""

    async def rows(self, statement: str, **values: object) -> list[Row]:
        """Answer what the hub asks."""
        self._require_up()
        self.asked.add(statement)
        match statement:
            case "read_deployment":
                return [{"deployment_id": "d", "mode": "live"}]
            case "read_newest_tick":
                return self.ticks[-1:]
            case "read_ticks_after":
                after, up_to, limit = (int(str(values[key])) for key in ("after", "up_to", "limit"))
                return [tick for tick in self.ticks if after < tick["tick_seq"] <= up_to][:limit]
        return []

    async def row(self, statement: str, **values: object) -> Row | None:
        """Answer with the first row."""
        return first(await self.rows(statement, **values))

    def _require_up(self) -> None:
        if not self.up:
            raise StoreUnavailable("gone")


@asynccontextmanager
async def running(store: FakeStore, **options: int) -> AsyncIterator[Hub]:
    hub = Hub(store, store.listen, FakeClock(START), pulse_s=3600.0, **options)
    async with hub.running():
        await asyncio.wait_for(hub.wait_until_fresh(), 5)
        yield hub


async def numbers(client: Client, count: int) -> list[int]:
    """Return the numbers of the next ticks, past pulses."""
    found: list[int] = []
    while len(found) < count:
        frame = await asyncio.wait_for(client.next(), 5)
        assert frame is not None
        if frame.tick_seq is not None:
            found.append(frame.tick_seq)
    return found


async def test_every_client_gets_every_tick_once_in_order() -> None:
    store = FakeStore()
    store.add()
    async with running(store) as hub, hub.client() as one, hub.client() as two:
        for _ in range(120):  # more than one read of the store holds
            store.add()
        assert await numbers(one, 120) == list(range(2, 122))
        assert await numbers(two, 120) == list(range(2, 122))
        assert store.connections == 1


async def test_ticks_that_nobody_follows_are_not_read_and_the_next_client_goes_on_after_them() -> None:
    store = FakeStore()
    async with running(store) as hub:
        for number in range(1, 4):
            store.add()
            async with asyncio.timeout(5):
                while hub.position != number:
                    await asyncio.sleep(0)
        assert "read_ticks_after" not in store.asked
        async with hub.client() as client:
            store.add()
            assert await numbers(client, 1) == [4]
    assert "read_ticks_after" in store.asked


async def test_ticks_missed_while_the_database_was_away_come_after_it() -> None:
    store = FakeStore()
    async with running(store) as hub, hub.client() as client:
        store.set_up(False)
        frame = await asyncio.wait_for(client.next(), 5)
        assert frame is not None
        assert frame.payload.startswith(b"event: stale")
        assert hub.stale
        for _ in range(3):
            store.add()
        store.set_up(True)
        assert await numbers(client, 3) == [1, 2, 3]
        await asyncio.wait_for(hub.wait_until_fresh(), 5)
        assert store.connections == 2


async def test_a_client_that_takes_nothing_is_let_go() -> None:
    store = FakeStore()
    async with running(store, most_waiting=10) as hub, hub.client() as slow, hub.client() as quick:
        for expected in range(1, 12):
            store.add()
            assert await numbers(quick, 1) == [expected]
        assert slow.ended
        assert await slow.next() is None
        assert not quick.ended


async def test_room_is_bounded_and_comes_back() -> None:
    async with running(FakeStore(), most_clients=1) as hub:
        async with hub.client():
            with pytest.raises(TooManyClients):
                hub.require_room()
        hub.require_room()


async def test_closing_ends_waiting_clients() -> None:
    async with running(FakeStore()) as hub, hub.client() as client:
        waiting = asyncio.create_task(client.next())
        hub.close()
        assert await asyncio.wait_for(waiting, 5) is None
        async with hub.client() as late:
            assert await asyncio.wait_for(late.next(), 5) is None


async def test_a_client_takes_events_up_to_its_bound() -> None:
    client = Client(most_waiting=2)
    for number in (1, 2):
        client.offer(Frame(number, b""))
    full = client.ended
    client.offer(Frame(3, b""))
    assert (full, client.ended) == (False, True)
    assert await client.next() is None


class Stubborn(FakeStore):
    """A listener that swallows the first cancellation, as a query that answers in the same instant may."""

    swallowed = False

    async def wait(self, timeout_s: float) -> bool:
        """Wait for a change, or for the first cancellation."""
        try:
            return await super().wait(timeout_s)
        except asyncio.CancelledError:
            if self.swallowed:
                raise
            self.swallowed = True
            return False


async def test_ends_though_a_cancellation_is_swallowed() -> None:
    store = Stubborn()
    async with asyncio.timeout(10):
        async with running(store):
            await asyncio.sleep(0)
            await asyncio.sleep(0)
    assert store.swallowed
