"""``/spaces``: the ranking, one space, its readings."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from api.deployment import newest_until, present
from api.errors import RequestInvalid, SensorUnknown, SpaceUnknown, documented
from api.pagination import CursorText, Limit
from api.params import Instant, SensorKey, SpaceId, split_sensor_key
from api.services import Database, Given
from api.spaces.corrected import asked_of, corrected_of
from api.spaces.numbers import key_numbers
from api.spaces.schemas import (
    ObservationPage,
    ObservationRank,
    SpaceDetail,
    SpacePage,
    SpaceRank,
    sensor_of,
    summary_of,
)
from api.spaces.thresholds import thresholds_of
from undercroft.model import SpaceKind

router = APIRouter(prefix="/spaces", tags=["spaces"])

LONGEST_RANGE = timedelta(days=31)
DEFAULT_RANGE = timedelta(hours=6)

LevelFilter = Annotated[int | None, Query(ge=0, le=4)]


@router.get("", responses=documented(RequestInvalid))
async def list_spaces(
    reader: Database,
    kind: SpaceKind | None = None,
    street: Annotated[str | None, Query(min_length=1, max_length=120, pattern=r"^[^\x00]*$")] = None,
    level: LevelFilter = None,
    level_min: LevelFilter = None,
    limit: Limit = 100,
    cursor: CursorText = None,
) -> SpacePage:
    """List spaces, worst first: by level, then by score."""
    after = SpaceRank.decode(cursor)
    as_of = after.as_of if after else await _newest_tick_seq(reader)
    rows = await reader.rows(
        "read_spaces_ranked",
        as_of=as_of,
        kind=kind,
        street=street,
        level=level,
        level_min=level_min,
        limit=limit,
        after_level=after and after.level,
        after_score=after and after.score,
        after_space=after and after.space_id,
    )
    last = rows[-1] if len(rows) == limit else None
    rank = last and SpaceRank(as_of=as_of, level=last["level"], score=last["score"], space_id=last["space_id"])
    return SpacePage(
        as_of_tick_seq=as_of, items=[summary_of(row) for row in rows], next_cursor=rank.encode() if rank else None
    )


@router.get("/{space_id}", responses=documented(SpaceUnknown, RequestInvalid))
async def get_space(space_id: SpaceId, given: Given) -> SpaceDetail:
    """Show one space: site data, latest assessment with its evidence, entrances, sensors, thresholds, supplies."""
    async with given.reader.snapshot() as query:
        space = await query.row("read_space", space_id=space_id)
        if space is None:
            raise SpaceUnknown(f"there is no space {space_id!r}")
        assessment = await query.row("read_space_assessment", space_id=space_id)
        entrances = await query.rows("read_space_entrances", space_id=space_id)
        latest = newest_until((await given.deployment()).mode, given.clock.now())
        sensors = await query.rows("read_place_sensors", place_id=space_id, latest=latest)
        asked = asked_of(assessment["reasons"] if assessment else [])
        corrected = await query.rows("read_corrected", **asked)
        stock = await query.rows("supplies_stock", place=space_id)
        requirements = await query.rows("read_space_requirements", space_id=space_id)
        site = await given.site_cache.newest(query)
        at = assessment["tick_at"] if assessment else given.clock.now()
        tick = await query.row("read_newest_tick")
        out = await query.rows("out_of_service_now", place=space_id, at=tick["tick_at"] if tick else at)
    return SpaceDetail.model_validate(
        {
            **space,
            "assessment": assessment,
            "corrected": [corrected_of(row) for row in corrected],
            "numbers": key_numbers(assessment["evidence"] if assessment else None),
            "entrances": entrances,
            "sensors": [sensor_of(row) for row in sensors],
            "out_of_service": out,
            "thresholds": thresholds_of(site, space_id, SpaceKind(space["kind"]), at) if site else [],
            "stock": stock,
            "requirements": requirements,
        }
    )


@router.get("/{space_id}/observations", responses=documented(SpaceUnknown, SensorUnknown, RequestInvalid))
async def list_observations(
    space_id: SpaceId,
    sensor: SensorKey,
    given: Given,
    since: Annotated[Instant | None, Query(alias="from", description="default: 6 hours before `to`")] = None,
    until: Annotated[
        Instant | None, Query(alias="to", description="default: now, the run clock in an exercise")
    ] = None,
    limit: Limit = 500,
    cursor: CursorText = None,
) -> ObservationPage:
    """List what one sensor said of this space, while it stood here; newest first, over at most 31 days."""
    before = ObservationRank.decode(cursor)
    until = until or await _now(given)
    since = since or until - DEFAULT_RANGE
    if not since <= until or until - since > LONGEST_RANGE:
        raise RequestInvalid(f"`from` must be before `to`, by {LONGEST_RANGE.days} days at most")
    found = await given.reader.row("read_place_sensor", place_id=space_id, **split_sensor_key(sensor))
    if found is None:
        await _require_space(given, space_id)
        raise SensorUnknown(f"space {space_id!r} has no sensor {sensor!r}")
    rows = await given.reader.rows(
        "read_observations",
        sensor_id=found["sensor_id"],
        place_id=space_id,
        since=since,
        until=until,
        before=before and before.observed_at,
        limit=limit,
    )
    last = rows[-1]["observed_at"] if len(rows) == limit else None
    return ObservationPage.model_validate(
        {
            **found,
            "sensor": sensor,
            "since": since,
            "until": until,
            "items": rows,
            "next_cursor": ObservationRank(observed_at=last).encode() if last else None,
        }
    )


async def _newest_tick_seq(reader: Database) -> int:
    tick = await reader.row("read_newest_tick")
    return int(tick["tick_seq"]) if tick else 0


async def _now(given: Given) -> Instant:
    deployment = await given.deployment()
    tick = await given.reader.row("read_newest_tick")
    return present(deployment.mode, tick["tick_at"] if tick else None, given.clock.now())


async def _require_space(given: Given, space_id: str) -> None:
    if await given.reader.row("read_space", space_id=space_id) is None:
        raise SpaceUnknown(f"there is no space {space_id!r}")
