"""``/events``: the live stream."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated

from fastapi import APIRouter, Header, Query

from api.errors import RequestInvalid, TooManyClients, documented
from api.events.stream import EventStream, Sources, follow
from api.services import Given, Services

router = APIRouter(prefix="/events", tags=["events"])

LastEventId = Annotated[
    int | None,
    Header(alias="Last-Event-ID", ge=0, le=2**63 - 1, description="number of the last tick received; browsers send it"),
]


@router.get(
    "",
    status_code=200,  # FastAPI cannot see it in the response class
    response_class=EventStream,
    response_model=None,
    responses={
        200: {
            "description": "Server-sent events `snapshot`, `tick`, `pulse` and `stale`, until either side closes",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
        **documented(RequestInvalid, TooManyClients),
    },
)
async def follow_events(
    given: Given,
    last_event_id: LastEventId = None,
    deployment: Annotated[
        str | None,
        Query(
            pattern=r"^[0-9a-f-]{36}$", description="`deployment_id` the id belongs to; another one: a snapshot first"
        ),
    ] = None,
) -> EventStream:
    """Follow every tick as it is committed, each exactly once; with `Last-Event-ID`, from the tick after it."""
    given.hub.require_room()
    return EventStream(_with_client(given, last_event_id, deployment))


async def _with_client(
    given: Services, last_event_id: int | None, deployment_id: str | None
) -> AsyncGenerator[bytes, None]:
    async with given.hub.client() as client:
        sources = Sources(given.hub, given.reader, given.snapshots, given.clock)
        async for chunk in follow(client, sources, last_event_id, deployment_id):
            yield chunk
