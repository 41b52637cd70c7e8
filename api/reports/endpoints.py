"""``/reports/due``; ``/incidents/{incident_id}/reports`` and ``/cap``: make, list, read. Nothing is sent."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Response

from api.acts.caller import REFUSALS, Asking
from api.acts.schemas import ActOut
from api.deployment import present
from api.errors import RequestInvalid, documented
from api.reports.schemas import (
    CapIn,
    CapMade,
    CapOut,
    CapWithXml,
    DraftOut,
    DueOut,
    DueTally,
    ReportDue,
    ReportIn,
    ReportList,
    ReportOut,
    ReportsDue,
    ReportTally,
    ReportWithText,
)
from api.services import Given, Services
from duty.door.door import Actor, Done
from duty.door.refusals import SubjectUnknown
from duty.late.report_lateness import TALLY_OVER
from duty.reports import cap, paper
from duty.reports.acts import Drafted, draft_report
from duty.reports.cap_acts import Exported, export_cap
from duty.reports.reports import plain
from undercroft.local_time import zone_of
from undercroft.store.connection import Connection

router = APIRouter(tags=["reports"])

IncidentId = Annotated[str, Path(pattern=r"^[\w.:-]+$", max_length=80)]
Serial = Annotated[int, Path(ge=1, lt=2**31)]
CapIdentifier = Annotated[str, Path(pattern=r"^[0-9_]{20,40}$")]
READ = documented(RequestInvalid, SubjectUnknown)


@router.get("/reports/due", responses=documented())
async def list_due(given: Given) -> ReportsDue:
    """List what has to be handed in of every incident, what is missing first, and count it, as the notifier does."""
    now = await _now(given)
    tally = await given.reader.row("reports_tally", now=now, since=now - TALLY_OVER) or {}
    rows = await given.reader.rows("reports_due", now=now)
    items = [ReportDue.model_validate(row | {"left_s": (row["due_at"] - now).total_seconds()}) for row in rows]
    return ReportsDue(now=now, since=now - TALLY_OVER, tally=DueTally.model_validate(tally), items=items)


@router.post("/incidents/{incident_id}/reports", status_code=201, responses=REFUSALS)
def post_report(incident_id: IncidentId, asked: ReportIn, caller: Asking) -> DraftOut:
    """Draft the next report (初报 续报 终报) from logged facts, each figure with its source; it is kept, never sent."""
    found: list[Drafted] = []

    def draft(connection: Connection, actor: Actor, now: datetime, key: str) -> Done:
        limits, zone = caller.services.report_limits, zone_of(asked.zone)
        found.append(draft_report(connection, actor, incident_id, now, limits, zone, key))
        return found[0].done

    done = caller.do(draft)
    report = ReportWithText.model_validate(found[0].row)
    tally = ReportTally(**asdict(found[0].tally))
    return DraftOut(**ActOut.of(done).model_dump(), report=report, tally=tally)


@router.get("/incidents/{incident_id}/reports", responses=READ)
async def list_reports(incident_id: IncidentId, given: Given) -> ReportList:
    """List the reports of an incident: drafted and handed in, still to come, and how many are late and missing."""
    case, now = await _case(given, incident_id), await _now(given)
    _, tally = paper.asked_for(case, now, given.report_limits)
    left = paper.to_come(case, now, given.report_limits)
    drafted = {row["serial"] for row in case.reports}
    return ReportList(
        incident_id=incident_id,
        now=now,
        tally=ReportTally(**asdict(tally)),
        to_come=[
            DueOut(**asdict(due), left_s=(due.due_at - now).total_seconds(), is_drafted=due.serial in drafted)
            for due in left
        ],
        items=[ReportOut.model_validate(row) for row in case.reports],
    )


@router.get("/incidents/{incident_id}/reports/{serial}", responses=READ)
async def get_report(
    incident_id: IncidentId, serial: Serial, given: Given, form: Literal["markdown", "text"] = "markdown"
) -> ReportWithText:
    """Read one report."""
    rows = await given.reader.rows("reports_of", incident_id=incident_id)
    row = next((entry for entry in rows if entry["serial"] == serial), None)
    if row is None:
        raise SubjectUnknown(f"there is no report {serial} of an incident {incident_id}")
    return ReportWithText.model_validate(row if form == "markdown" else row | {"text": plain(row["text"])})


@router.post("/incidents/{incident_id}/cap", status_code=201, responses=REFUSALS)
def post_cap(incident_id: IncidentId, asked: CapIn, caller: Asking) -> CapMade:
    """Make the next CAP 1.2 message of an incident, status Draft, or Exercise in a drill; it is kept, never sent.

    With a ``reference`` it is an Update, and without an open alarm of a space a Cancel.
    """
    zone = zone_of(asked.zone)
    origin = cap.origin_of(
        asked.sender, asked.sender_name_zh, asked.sender_name, asked.area_code, zone, asked.reference
    )
    found: list[Exported] = []

    def export(connection: Connection, actor: Actor, now: datetime, key: str) -> Done:
        found.append(export_cap(connection, actor, incident_id, origin, now, key))
        return found[0].done

    done = caller.do(export)
    return CapMade(**ActOut.of(done).model_dump(), message=CapWithXml.model_validate(found[0].row))


@router.get("/incidents/{incident_id}/cap", responses=READ)
async def list_cap(incident_id: IncidentId, given: Given) -> list[CapOut]:
    """List the CAP messages that were made of an incident, oldest first."""
    await _row(given, incident_id)
    rows = await given.reader.rows("cap_messages", incident_id=incident_id, identifier=None)
    return [CapOut.model_validate(row) for row in rows]


@router.get(
    "/incidents/{incident_id}/cap/{identifier}",
    responses=READ | {200: {"content": {"application/cap+xml": {"schema": {"type": "string"}}}}},
    response_class=Response,
)
async def get_cap(incident_id: IncidentId, identifier: CapIdentifier, given: Given) -> Response:
    """Return a CAP message as it was made."""
    row = await given.reader.row("cap_messages", incident_id=incident_id, identifier=identifier)
    if row is None:
        raise SubjectUnknown(f"there is no CAP message {identifier} of an incident {incident_id}")
    return Response(row["xml"], media_type="application/cap+xml")


async def _case(given: Services, incident_id: str) -> paper.Case:
    row = await _row(given, incident_id)
    events = await given.reader.rows("reports_events", incident_id=incident_id)
    return paper.case_of(row, events, await given.reader.rows("reports_of", incident_id=incident_id))


async def _row(given: Services, incident_id: str) -> dict[str, Any]:
    row = await given.reader.row("reports_incident", incident_id=incident_id)
    if row is None:
        raise SubjectUnknown(f"there is no incident {incident_id}")
    return row


async def _now(given: Services) -> datetime:
    deployment = await given.deployment()
    tick = await given.reader.row("read_newest_tick")
    return present(deployment.mode, tick["tick_at"] if tick else None, given.clock.now())
