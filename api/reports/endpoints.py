"""``/incidents/{incident_id}/reports``: draft, list, read; ``/incidents/{incident_id}/cap``. Nothing is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import StringConstraints

from api.acts.caller import REFUSALS, Asking
from api.acts.schemas import ActOut
from api.deployment import present
from api.errors import RequestInvalid, documented
from api.params import Zone
from api.reports.schemas import DraftOut, DueOut, ReportIn, ReportList, ReportOut, ReportTally, ReportWithText
from api.services import Given, Services
from duty import cap, paper
from duty.door import Actor, Done
from duty.notifier import names_of
from duty.refusals import NotPossibleNow, SubjectUnknown
from duty.report_acts import Drafted, draft_report
from duty.reports import plain
from undercroft.store.connection import Connection

router = APIRouter(tags=["reports"])

IncidentId = Annotated[str, Path(pattern=r"^[\w.:-]+$", max_length=80)]
Serial = Annotated[int, Path(ge=1, lt=2**31)]
Sender = Annotated[
    str, Query(pattern=r"^[^\s,<&\x00-\x1f]+$", max_length=100, description="who sends it, as CAP names it")
]
SenderName = Annotated[str, Query(pattern=r"^[^\x00-\x1f\x7f]+$", max_length=100)]
AreaCode = Annotated[str, Query(pattern=r"^[0-9]{6}$", description="GB/T 2260")]
Reference = Annotated[str, StringConstraints(pattern=f"^{cap.REFERENCE}$", max_length=250)]
References = Annotated[
    Sequence[Reference],
    Query(max_length=9, description="earlier messages of the incident, each sender,identifier,sent"),
]
READ = documented(RequestInvalid, SubjectUnknown)


@router.post("/incidents/{incident_id}/reports", status_code=201, responses=REFUSALS)
def post_report(incident_id: IncidentId, asked: ReportIn, caller: Asking) -> DraftOut:
    """Draft the next report (初报 续报 终报) from logged facts, each figure with its source; it is kept, never sent."""
    found: list[Drafted] = []

    def draft(connection: Connection, actor: Actor, now: datetime, key: str) -> Done:
        limits, zone = caller.services.report_limits, paper.zone_of(asked.zone)
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
    return ReportList(
        incident_id=incident_id,
        now=now,
        tally=ReportTally(**asdict(tally)),
        to_come=[DueOut(**asdict(due), left_s=(due.due_at - now).total_seconds()) for due in left],
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


@router.get(
    "/incidents/{incident_id}/cap",
    responses=documented(RequestInvalid, SubjectUnknown, NotPossibleNow)
    | {200: {"content": {"application/cap+xml": {"schema": {"type": "string"}}}}},
    response_class=Response,
)
async def get_cap(  # noqa: PLR0913, PLR0917 - one argument per parameter
    incident_id: IncidentId,
    given: Given,
    sender: Sender,
    sender_name: SenderName | None = None,
    sender_name_zh: SenderName | None = None,
    area_code: AreaCode = "440304",
    zone: Annotated[Zone, Query()] = "Asia/Shanghai",
    reference: References = (),
) -> Response:
    """Export the incident as CAP 1.2, status Draft, or Exercise in a drill; it is sent to nobody.

    With a ``reference`` it is an Update, and without an open alarm of a space a Cancel.
    """
    case, now = await _case(given, incident_id), await _now(given)
    names = names_of(await given.reader.rows("duty_names"))
    areas = await given.reader.rows("reports_areas", subjects=paper.cap_subjects(case))
    origin = cap.origin_of(sender, sender_name_zh, sender_name, area_code, paper.zone_of(zone), reference)
    return Response(paper.cap_from(case, names, areas, origin, now), media_type="application/cap+xml")


async def _case(given: Services, incident_id: str) -> paper.Case:
    row = await given.reader.row("reports_incident", incident_id=incident_id)
    if row is None:
        raise SubjectUnknown(f"there is no incident {incident_id}")
    stretch: dict[str, Any] = {"basin_id": row["basin_id"], "starts_at": row["opened_at"], "ends_at": row["closed_at"]}
    events = await given.reader.rows("reports_events", **stretch)
    return paper.case_of(row, events, await given.reader.rows("reports_of", incident_id=incident_id))


async def _now(given: Services) -> datetime:
    deployment = await given.deployment()
    tick = await given.reader.row("read_newest_tick")
    return present(deployment.mode, tick["tick_at"] if tick else None, given.clock.now())
