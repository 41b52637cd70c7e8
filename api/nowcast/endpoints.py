"""``/spaces/{space_id}/nowcast``: the members of the nowcast in force, worked out again from the tick log."""

from __future__ import annotations

from asyncio import to_thread
from contextlib import closing
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from api.errors import Busy, LogGone, NowcastNotKnown, RequestInvalid, SpaceUnknown, documented
from api.nowcast.schemas import NowcastOut
from api.params import Instant, SpaceId
from api.services import Given
from risk.inforce import InForce, NowcastUnknown, nowcast_at
from undercroft.errors import BadInput
from undercroft.store.connection import connect

router = APIRouter(tags=["spaces"])


@router.get(
    "/spaces/{space_id}/nowcast",
    responses=documented(SpaceUnknown, NowcastNotKnown, LogGone, Busy, RequestInvalid),
)
async def get_nowcast(
    space_id: SpaceId,
    given: Given,
    at: Annotated[Instant | None, Query(description="default: the newest tick")] = None,
) -> NowcastOut:
    """List the members of the nowcast in force at a time, what they start from, and what each assumption does."""
    if await given.reader.row("read_space", space_id=space_id) is None:
        raise SpaceUnknown(f"there is no space {space_id!r}")
    if given.refolding.locked():
        raise Busy
    async with given.refolding:
        try:
            found = await to_thread(_worked_out, given.database_url, space_id, at)
        except NowcastUnknown as error:
            raise NowcastNotKnown(str(error)) from error
        except BadInput as error:
            raise LogGone(str(error)) from error
    return NowcastOut.of(space_id, found)


def _worked_out(database_url: str, space_id: str, at: datetime | None) -> InForce:
    with closing(connect(database_url, application_name="undercroft-api-nowcast", autocommit=True)) as connection:
        return nowcast_at(connection, space_id, at)
