"""``POST /acts``, ``/orders`` and ``/orders/{order_id}/steps``.

These are synchronous functions, which FastAPI runs in threads of their own: they call the very functions that the
command line calls (decision 0014).
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from api.acts.caller import REFUSALS, Asking
from api.acts.schemas import ActIn, ActOut, OrderIn, StepIn
from duty.acts.acts import Act, perform
from duty.orders.acts import order, order_step

router = APIRouter(tags=["acts"], responses=REFUSALS)

OrderId = Annotated[str, Path(pattern=r"^o-[0-9a-f]{10}$")]


@router.post("/acts", status_code=201)
def post_act(asked: ActIn, caller: Asking) -> ActOut:
    """Do something as an operator: it is authorised, logged, audited, and given to the engine."""
    act = Act(asked.kind, asked.subject, asked.said())
    return ActOut.of(caller.do(lambda connection, actor, now, key: perform(connection, actor, act, now, key)))


@router.post("/orders", status_code=201)
def post_order(asked: OrderIn, caller: Asking) -> ActOut:
    """Issue an order; it belongs to the open incident of the space's basin."""
    return ActOut.of(
        caller.do(
            lambda connection, actor, now, key: order(
                connection,
                actor,
                asked.subject,
                asked.proof,
                asked.owner,
                now,
                asked.entrance or "",
                key,
                second=asked.second,
            )
        )
    )


@router.post("/orders/{order_id}/steps", status_code=201)
def post_order_step(order_id: OrderId, asked: StepIn, caller: Asking) -> ActOut:
    """Move an order on; a confirmation that the sensors contradict says so."""
    return ActOut.of(
        caller.do(
            lambda connection, actor, now, key: order_step(
                connection, actor, order_id, asked.step, now, asked.note, key
            )
        )
    )
