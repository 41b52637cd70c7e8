"""``GET /orders``, ``/orders/tally`` and ``/orders/{order_id}``."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query

from api.deployment import present
from api.errors import RequestInvalid, documented
from api.orders.schemas import OrderOut, OrderPage, OrderRank, OrderStep, OrderTally, OrderWithSteps, ProposedOrder
from api.pagination import CursorText, Limit
from api.params import Subject
from api.services import Given, Services
from duty.door.refusals import NotPossibleNow, SubjectUnknown
from duty.orders.acts import proposals
from duty.orders.orders import ENDED
from duty.orders.view import TALLY_OVER, standing, waits
from undercroft.site.model import DEFAULT_TIMEZONE

router = APIRouter(tags=["orders"])

OrderId = Annotated[str, Path(pattern=r"^o-[0-9a-f]{10}$")]
OPEN = "true: those that wait for somebody, whose confirmation is contradicted or expired too; false: those that ended"
IncidentId = Annotated[str, Query(pattern=r"^[\w.:-]+$", max_length=80, description="of this incident only")]


@router.get("/orders", responses=documented(RequestInvalid))
async def list_orders(
    given: Given,
    is_open: Annotated[bool | None, Query(alias="open", description=OPEN)] = None,
    subject: Subject | None = None,
    incident_id: IncidentId | None = None,
    limit: Limit = 100,
    cursor: CursorText = None,
) -> OrderPage:
    """List orders, each with its clock, its owner and what sensors and field reports say against it.

    Of the open ones a page may hold fewer than ``limit``: go on while there is a cursor.
    """
    after = OrderRank.decode(cursor)
    rows = await given.reader.rows(
        "read_orders",
        open=is_open,
        subject=subject,
        incident_id=incident_id,
        order_id=None,
        limit=limit,
        after_ended=after and after.ended,
        after_changed_at=after and after.changed_at,
        after_order_id=after and after.order_id,
    )
    now = await _now(given)
    zone = await _zone(given)
    shown = [standing(row, now, zone) for row in rows]
    items = [OrderOut.model_validate(order) for order in shown if not is_open or waits(order)]
    last = rows[-1] if len(rows) == limit else None
    rank = last and OrderRank(ended=last["state"] in ENDED, changed_at=last["changed_at"], order_id=last["order_id"])
    return OrderPage(items=items, next_cursor=rank.encode() if rank else None)


@router.get("/orders/tally", responses=documented())
async def get_order_tally(given: Given) -> OrderTally:
    """Count the orders that wait and are late now, and those of the last 24 hours confirmed in time and late."""
    now = await _now(given)
    stretch = {"now": now, "since": now - TALLY_OVER}
    row = await given.reader.row("read_order_tally", **stretch) or {}
    return OrderTally.model_validate(row | stretch)


@router.get("/orders/proposed", responses=documented(RequestInvalid, SubjectUnknown, NotPossibleNow))
async def get_proposed_orders(
    given: Given, subject: Annotated[str, Query(pattern=r"^space/[\w.:-]+$", max_length=86)]
) -> list[ProposedOrder]:
    """Show what the templates would have ordered at a space as it stands now, most urgent first, and who leads it."""
    place = await given.reader.row("acts_incident_of", subject=subject)
    site = await given.reader.row("acts_command_rows") or {"rows": None}
    return [ProposedOrder.model_validate(entry) for entry in proposals(subject, place, site["rows"])]


@router.get("/orders/{order_id}", responses=documented(RequestInvalid, SubjectUnknown))
async def get_order(order_id: OrderId, given: Given) -> OrderWithSteps:
    """Show one order and every step that it took."""
    nothing = dict.fromkeys(("open", "subject", "incident_id", "after_ended", "after_changed_at", "after_order_id"))
    row = await given.reader.row("read_orders", **nothing, order_id=order_id, limit=1)
    if row is None:
        raise SubjectUnknown(f"there is no order {order_id}")
    steps = await given.reader.rows("read_order_history", order_id=order_id)
    shown = standing(row, await _now(given), await _zone(given))
    return OrderWithSteps.model_validate(shown | {"steps": [OrderStep.model_validate(step) for step in steps]})


async def _zone(given: Services) -> ZoneInfo:
    """Return the district's time zone, of the times in words; all other times are UTC."""
    row = await given.reader.row("site_timezone")
    return ZoneInfo((row and row["timezone"]) or DEFAULT_TIMEZONE)


async def _now(given: Services) -> datetime:
    deployment = await given.deployment()
    tick = await given.reader.row("read_newest_tick")
    at = present(deployment.mode, tick["tick_at"] if tick else None, given.clock.now())
    row = await given.reader.row("acts_order_time", at=at)
    return row["at"] if row else at
