"""``/alarm-load``: live and per shift, against EEMUA 191 and ISA-18.2."""

from __future__ import annotations

from asyncio import to_thread
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter

from api.deployment import present
from api.errors import documented
from api.load.schemas import AlarmLoad, LoadOut, ShiftLoad, Target
from api.services import Given
from duty.incidents.load import load_of
from duty.incidents.rows import event_of
from duty.model import AlarmEventIn

router = APIRouter(tags=["alarms"])

LIVE = timedelta(hours=1)
SHIFTS = timedelta(hours=48)
OPERATORS = 1
"""The officer at step 0, who is told of everything; who stands behind is told of what was not acknowledged."""


@router.get("/alarm-load", responses=documented())
async def get_alarm_load(given: Given) -> AlarmLoad:
    """Show how much the alarms ask of who is on duty, now and in the shifts of the last two days."""
    deployment = await given.deployment()
    tick = await given.reader.row("read_newest_tick")
    now = present(deployment.mode, tick["tick_at"] if tick else None, given.clock.now())
    shifts = [row for row in await given.reader.rows("read_shifts", since=now - SHIFTS, until=now) if row["step"] == 0]
    since = min([now - SHIFTS, *(row["starts_at"] for row in shifts)])
    until = now + timedelta(microseconds=1)  # what came with the newest tick belongs to now
    rows = await given.reader.rows("read_alarm_load_events", since=since, until=until)
    told = [row["decided_at"] for row in await given.reader.rows("read_told", since=since, until=until)]
    return await to_thread(_load, [event_of(row) for row in rows], told, shifts, now, until)


def _load(
    events: list[AlarmEventIn], told: list[datetime], shifts: list[dict[str, Any]], now: datetime, until: datetime
) -> AlarmLoad:
    def shift(row: dict[str, Any]) -> ShiftLoad:
        ends_at = min(row["ends_at"], until)
        load = load_of(events, row["starts_at"], ends_at, OPERATORS)
        who = {"person_id": row["person_id"], "name": row["name"], "is_present": row["ends_at"] > now}
        return ShiftLoad.model_validate(LoadOut.of(load, row["starts_at"], min(ends_at, now), told).model_dump() | who)

    live = LoadOut.of(load_of(events, now - LIVE, until, OPERATORS), now - LIVE, now, told)
    return AlarmLoad(now=now, target=Target(), live=live, shifts=[shift(row) for row in reversed(shifts)])
