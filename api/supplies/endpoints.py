"""``/dispatch``, ``/priority`` and ``/stock-movements``: what is short and who could send it, what comes first."""

from __future__ import annotations

from asyncio import to_thread
from typing import Annotated, Any

from fastapi import APIRouter, Query

from api.errors import NotAssessed, RequestInvalid, SiteMissing, documented
from api.pagination import CursorText, Limit
from api.params import IDENT
from api.services import Database, Given
from api.supplies.schemas import DispatchOut, MovementPage, MovementRank, PriorityOut
from risk.sensitivity import sensitivity_of
from risk.supplies.plan import supply_plan
from undercroft.store.reading import Query as Statements

router = APIRouter(tags=["supplies"])

Row = dict[str, Any]


@router.get("/dispatch", responses=documented(NotAssessed, SiteMissing, RequestInvalid))
async def get_dispatch(
    given: Given,
    every: Annotated[bool, Query(alias="all", description="also for spaces that nothing threatens now")] = False,
) -> DispatchOut:
    """Propose which depot sends what where before it is too late, and say what cannot be met."""
    async with given.reader.snapshot() as query:
        tick, assessments = await _newest(query)
        site = await given.site_cache.newest(query)
        held = await query.rows("supplies_stock", place=None)
    if site is None:
        raise SiteMissing
    stock = {(row["place_id"], row["item"]): float(row["quantity"]) for row in held}
    by_space = {row["space_id"]: row for row in assessments}
    return DispatchOut.of(tick, await to_thread(supply_plan, site, by_space, stock, every=every))


@router.get("/priority", responses=documented(NotAssessed))
async def get_priority(given: Given) -> PriorityOut:
    """Show the ten most urgent spaces, and how their ranks move with each weight 20 % up and down."""
    async with given.reader.snapshot() as query:
        tick, assessments = await _newest(query)
    levels = {row["space_id"]: row["level"] for row in assessments}
    return PriorityOut.of(tick, await to_thread(sensitivity_of, assessments), levels)


async def _newest(query: Statements) -> tuple[Row, list[Row]]:
    tick = await query.row("read_newest_tick")
    if tick is None:
        raise NotAssessed("the engine has not ticked yet")
    return tick, await query.rows("asof_assessments", tick_seq=tick["tick_seq"], space=None)


@router.get("/stock-movements", responses=documented(RequestInvalid))
async def list_stock_movements(
    reader: Database,
    place: Annotated[str | None, Query(pattern=f"^{IDENT}$", description="id of a depot or space")] = None,
    limit: Limit = 100,
    cursor: CursorText = None,
) -> MovementPage:
    """List who moved or counted which supplies, newest first."""
    before = MovementRank.decode(cursor)
    rows = await reader.rows("supplies_movements", place=place, before=before and before.commit_seq, limit=limit)
    last = MovementRank(commit_seq=rows[-1]["commit_seq"]).encode() if len(rows) == limit else None
    return MovementPage.model_validate({"items": rows, "next_cursor": last})
