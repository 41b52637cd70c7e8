"""``GET`` and ``POST /roster``, ``POST /roster/absences``."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from api.acts.caller import REFUSALS, Asking
from api.acts.schemas import ActOut
from api.errors import RequestInvalid, documented
from api.roster.schemas import AbsenceIn, RosterIn, RosterOut
from api.services import Given
from duty.roster.acts import import_roster, mark_absent, take_back_absence
from duty.roster.roster import STEPS_KNOWN_FOR, roster_of
from duty.roster.view import view_of
from undercroft.local_time import zone_of

router = APIRouter(tags=["roster"])

Hours = Annotated[int, Query(ge=1, le=24 * 31, description="how far to look ahead")]


@router.get("/roster", responses=documented(RequestInvalid))
async def get_roster(given: Given, hours: Hours = 48) -> RosterOut:
    """Show who is told first, second ... now, and the shifts, absences and gaps ahead."""
    now = given.clock.now()
    until = now + timedelta(hours=hours)
    shifts = await given.reader.rows("duty_shifts", starts_at=now - STEPS_KNOWN_FOR, ends_at=until)
    absences = await given.reader.rows("duty_absences", starts_at=now, ends_at=until)
    handover = await given.reader.row("roster_handover")
    return RosterOut.model_validate(view_of(roster_of(shifts, absences), now, until) | {"handover": handover})


@router.post("/roster", status_code=201, responses=REFUSALS)
def post_roster(asked: RosterIn, caller: Asking) -> ActOut:
    """Put the file's shifts in place of what others of their step and standing do meanwhile. Needs the role leader."""
    return ActOut.of(
        caller.do(
            lambda connection, actor, now, key: import_roster(
                connection, actor, asked.csv, zone_of(asked.zone), now, key, channels=caller.services.channels
            )
        )
    )


@router.post("/roster/absences", status_code=201, responses=REFUSALS)
def post_absence(asked: AbsenceIn, caller: Asking) -> ActOut:
    """Record that somebody cannot be reached: the deputy, or the next step, is told instead; or take that back."""
    person, starts_at, ends_at = asked.person_id, asked.starts_at, asked.ends_at
    if ends_at is None:
        return ActOut.of(
            caller.do(
                lambda connection, actor, now, key: take_back_absence(connection, actor, person, starts_at, now, key)
            )
        )
    return ActOut.of(
        caller.do(
            lambda connection, actor, now, key: mark_absent(connection, actor, person, starts_at, ends_at, now, key)
        )
    )
