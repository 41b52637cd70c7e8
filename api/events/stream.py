"""What one client of the live stream is sent, in order, each tick once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass

from starlette.responses import StreamingResponse
from starlette.types import Send

from api.events.frames import RETRY_MS, Frame, comment, tick_frames
from api.events.hub import TICKS_PER_READ, Client, Hub
from api.events.snapshots import Snapshots
from undercroft.clock import Clock
from undercroft.errors import StoreUnavailable
from undercroft.store.reading import Reader

SEND_TIMEOUT_S = 20.0
"""A client that takes nothing for this long is let go. [s]"""

MOST_TICKS_TO_RESUME = 5_000
"""A client further behind gets a snapshot: it is quicker for both."""

RETRY_S = 0.5

STREAM_HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
}


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a stream comes from."""

    hub: Hub
    reader: Reader
    snapshots: Snapshots
    clock: Clock


async def follow(
    client: Client, sources: Sources, last_event_id: int | None, deployment_id: str | None
) -> AsyncGenerator[bytes, None]:
    """Yield the events of one client: what it missed, or a snapshot, then every tick as it comes."""
    yield f"retry: {RETRY_MS}\n\n".encode() + comment("undercroft")
    yield sources.hub.pulse().payload
    sent: int | None = None
    async with aclosing(_catch_up(client, sources, last_event_id, deployment_id)) as missed:
        async for frame in missed:
            sent = frame.tick_seq if frame.tick_seq is not None else sent
            yield frame.payload
    while (coming := await client.next()) is not None:
        if coming.tick_seq is None:
            yield comment("keep-alive") + coming.payload
        elif sent is None or coming.tick_seq > sent:
            sent = coming.tick_seq
            yield coming.payload


async def _catch_up(
    client: Client, sources: Sources, last_event_id: int | None, deployment_id: str | None
) -> AsyncGenerator[Frame, None]:
    """Yield what came before the client's own queue begins. The database may be away for a while."""
    hub = sources.hub
    after = last_event_id
    while not client.ended:
        if hub.stale:
            yield hub.pulse()
            await _fresh_or_ended(client, hub)
            continue
        deployment = await hub.wait_until_fresh()
        position = hub.position or 0
        another = deployment_id is not None and deployment_id != deployment.deployment_id
        try:
            if after is None or another or not position - MOST_TICKS_TO_RESUME <= after <= position:
                yield await sources.snapshots.of(deployment, position)
                return
            while after < position:
                frames = await tick_frames(
                    sources.reader, deployment, sources.clock.now(), after=after, up_to=position, limit=TICKS_PER_READ
                )
                for frame in frames:
                    yield frame
                after = frames[-1].tick_seq or position if frames else position
        except StoreUnavailable:
            await asyncio.sleep(RETRY_S)  # the hub says `stale` to everybody; this client waits for its turn
        else:
            return


async def _fresh_or_ended(client: Client, hub: Hub) -> None:
    while hub.stale and not client.ended:
        with suppress(TimeoutError):  # then see whether the client is still there
            await asyncio.wait_for(hub.wait_until_fresh(), RETRY_S)


class EventStream(StreamingResponse):
    """A stream that lets go of a client which takes nothing."""

    media_type = None  # stated as a header: as a class attribute, FastAPI would describe errors with it, too

    def __init__(self, content: AsyncGenerator[bytes, None]) -> None:
        super().__init__(content, headers=STREAM_HEADERS)
        self._content = content

    async def stream_response(self, send: Send) -> None:
        """Send chunk by chunk, each within `SEND_TIMEOUT_S`."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async with aclosing(self._content) as chunks:
            async for chunk in chunks:
                try:
                    async with asyncio.timeout(SEND_TIMEOUT_S):
                        await send({"type": "http.response.body", "body": chunk, "more_body": True})
                except TimeoutError:
                    return  # the server closes the connection of an unfinished answer
        await send({"type": "http.response.body", "body": b"", "more_body": False})
