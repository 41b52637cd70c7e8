"""``GET`` and ``POST /operators``, ``POST /operators/{operator_id}/disable``. The first is made at the machine."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path

from api.acts.caller import REFUSALS, Asking
from api.acts.schemas import ActOut
from api.errors import ActsNotOffered, RequestInvalid, documented
from api.operators.schemas import OperatorIn, OperatorList, OperatorMade, OperatorOut
from duty.door.door import Actor, Done
from duty.door.operators import Made, add_operator, disable_operator
from duty.door.refusals import TokenUnknown
from undercroft.store.connection import Connection

router = APIRouter(tags=["operators"])

OperatorId = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9._-]{0,39}$")]


@router.get("/operators", responses=documented(RequestInvalid, TokenUnknown, ActsNotOffered))
def list_operators(caller: Asking) -> OperatorList:
    """List who may act, to whoever may act."""
    return OperatorList(items=[OperatorOut.model_validate(row) for row in caller.operators()])


@router.post("/operators", status_code=201, responses=REFUSALS)
def post_operator(asked: OperatorIn, caller: Asking) -> OperatorMade:
    """Make an operator, or give one a new token: the old one is nobody's from then on. Needs the role admin."""
    made: list[Made] = []

    def make(connection: Connection, actor: Actor, now: datetime, key: str) -> Done:
        made.append(add_operator(connection, actor, asked.operator_id, asked.name, asked.role, now, key))
        return made[0].done

    done = caller.do(make)
    return OperatorMade(**ActOut.of(done).model_dump(), token=None if done.repeated else made[0].token)


@router.post("/operators/{operator_id}/disable", status_code=201, responses=REFUSALS)
def post_operator_disable(operator_id: OperatorId, caller: Asking) -> ActOut:
    """Take an operator's rights away at once. Needs the role admin."""
    return ActOut.of(
        caller.do(lambda connection, actor, now, key: disable_operator(connection, actor, operator_id, now, key))
    )
