"""One listener for all clients: it reads each tick once and hands the same bytes to everybody.

The hub follows ticks by number, so that a lost notification or a restart of the database costs time, not ticks.
A client that does not keep up is ended rather than buffered; it connects again with the id of its last event.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Protocol

import structlog

from api.deployment import Deployment, read_deployment
from api.errors import TooManyClients
from api.events.frames import Frame, pulse_frame, tick_frames
from undercroft.clock import Clock
from undercroft.errors import StoreRejected, StoreUnavailable
from undercroft.store.reading import Query, Row

_log = structlog.get_logger(__name__)

PULSE_S = 3.0
TICKS_PER_READ = 50
RETRY_LEAST_S = 0.2
RETRY_MOST_S = 3.0
CANCEL_AGAIN_S = 0.5


async def _end(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks until they end: a query that answers in the same instant may swallow one cancellation."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        done, pending = await asyncio.wait(pending, timeout=CANCEL_AGAIN_S)
        for task in done:
            if not task.cancelled():
                task.result()


class Listener(Protocol):
    """What wakes the hub."""

    async def wait(self, timeout_s: float) -> bool:
        """Wait for a tick; False when none came in this time. [s]"""
        ...

    async def close(self) -> None:
        """End it."""
        ...


class Client:
    """The events that one client has not been sent yet, up to a bound."""

    def __init__(self, most_waiting: int) -> None:
        self._waiting: deque[Frame] = deque()
        self._most_waiting = most_waiting
        self._wake = asyncio.Event()
        self.ended = False

    def offer(self, frame: Frame) -> None:
        """Take an event; too many, and the client is ended."""
        if len(self._waiting) >= self._most_waiting:
            self.end()
        if not self.ended:
            self._waiting.append(frame)
            self._wake.set()

    def end(self) -> None:
        """Let the stream finish; what waits is dropped, for the client asks for it again."""
        self.ended = True
        self._waiting.clear()
        self._wake.set()

    async def next(self) -> Frame | None:
        """Wait for the next event; None: the stream is over."""
        while not self._waiting:
            if self.ended:
                return None
            self._wake.clear()
            await self._wake.wait()
        return self._waiting.popleft()


class Hub:
    """Follows the ticks and tells the clients.

    Parameters
    ----------
    query
        Where ticks are read.
    listen
        Makes a listener; called again after each loss.
    clock
        The wall clock.
    most_clients, most_waiting
        Clients at once, and events waiting per client, at most.
    pulse_s
        Time between two pulses. [s]
    """

    def __init__(
        self,
        query: Query,
        listen: Callable[[], Awaitable[Listener]],
        clock: Clock,
        *,
        most_clients: int = 200,
        most_waiting: int = 256,
        pulse_s: float = PULSE_S,
    ) -> None:
        self._query = query
        self._listen = listen
        self._clock = clock
        self._most_clients = most_clients
        self._most_waiting = most_waiting
        self._pulse_s = pulse_s
        self._clients: set[Client] = set()
        self._tick: Row | None = None
        self._closing = False
        self._fresh = asyncio.Event()
        self.position: int | None = None
        """Number of the newest tick handed out; None before the database was first reached."""
        self.deployment: Deployment | None = None

    @property
    def clients(self) -> int:
        """How many clients follow."""
        return len(self._clients)

    @property
    def stale(self) -> bool:
        """Whether the database is out of reach."""
        return not self._fresh.is_set()

    async def wait_until_fresh(self) -> Deployment:
        """Wait until the database is in reach, and return what it is for."""
        await self._fresh.wait()
        assert self.deployment is not None  # noqa: S101 - read before the event is set
        return self.deployment

    def pulse(self) -> Frame:
        """Return the state of things now."""
        return pulse_frame(self.deployment, self._tick, self._clock.now(), stale=self.stale)

    def require_room(self) -> None:
        """Refuse one client too many.

        Raises
        ------
        TooManyClients
            If the service has as many as it allows.
        """
        if len(self._clients) >= self._most_clients:
            raise TooManyClients

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        """Follow the ticks from now on."""
        client = Client(self._most_waiting)
        if self._closing:
            client.end()
        self._clients.add(client)
        try:
            yield client
        finally:
            self._clients.discard(client)

    def close(self) -> None:
        """End all clients; called before the server waits for its connections."""
        self._closing = True
        for client in self._clients:
            client.end()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow the ticks while inside."""
        tasks = [asyncio.create_task(self._follow_for_ever()), asyncio.create_task(self._pulse_for_ever())]
        try:
            yield
        finally:
            self.close()
            await _end(tasks)

    async def _pulse_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._pulse_s)
            self._tell(self.pulse())

    async def _follow_for_ever(self) -> None:
        retry_s = RETRY_LEAST_S
        while not self._closing:
            try:
                listener = await self._listen()
                try:
                    await self._start()
                    retry_s = RETRY_LEAST_S
                    while not self._closing:
                        await self._publish_new()
                        await listener.wait(self._pulse_s)
                finally:
                    await listener.close()
            except (StoreUnavailable, StoreRejected) as error:
                self._lost(error)
            await asyncio.sleep(retry_s)
            retry_s = min(retry_s * 2, RETRY_MOST_S)

    async def _start(self) -> None:
        self.deployment = await read_deployment(self._query)
        if self.position is None:
            self._tick = await self._query.row("read_newest_tick")
            self.position = self._tick["tick_seq"] if self._tick else 0

    async def _publish_new(self) -> None:
        """Hand out every tick after the last one handed out, then say that all is fresh.

        While nobody follows, ticks are passed by unread: whoever comes next begins with a snapshot, or reads what it
        missed up to `position`.
        """
        assert self.deployment is not None  # noqa: S101 - `_start` read it
        assert self.position is not None  # noqa: S101 - `_start` set it
        position = self.position
        newest = await self._query.row("read_newest_tick")
        if newest and not self._clients:
            self._tick, self.position = newest, newest["tick_seq"]
            position = newest["tick_seq"]
        while newest and newest["tick_seq"] > position:
            frames = await tick_frames(
                self._query,
                self.deployment,
                self._clock.now(),
                after=position,
                up_to=newest["tick_seq"],
                limit=TICKS_PER_READ,
            )
            if not frames:
                break
            self._tick = newest
            for frame in frames:
                self._tell(frame)
            self.position = position = frames[-1].tick_seq or newest["tick_seq"]
        if self.stale:
            self._fresh.set()
            _log.info("live_stream_fresh", position=self.position)
            self._tell(self.pulse())

    def _lost(self, error: Exception) -> None:
        if not self.stale:
            self._fresh.clear()
            self._tell(self.pulse())
        _log.warning("live_stream_stale", detail=str(error), clients=len(self._clients))

    def _tell(self, frame: Frame) -> None:
        for client in self._clients:
            client.offer(frame)
