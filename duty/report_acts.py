"""Drafting a report, through the one door: who drafted it is on record, as is who handed it in (`duty.acts`)."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from duty import paper, reports
from duty.door import Actor, Asked, Effect, log, through
from duty.refusals import NotPossibleNow
from undercroft.store import duty_reports as store
from undercroft.store.connection import Connection


def draft_report(
    connection: Connection, actor: Actor, incident_id: str, now: datetime, limits: reports.Limits, zone: ZoneInfo
) -> tuple[reports.Draft, reports.Count]:
    """Draft the next report of an incident and keep it; return it, and how many were on time, late and are missing.

    Raises
    ------
    Refused
        By its class, if there is no such incident, or it needs no report.
    """
    found: list[tuple[reports.Draft, reports.Count]] = []

    def do(at: datetime) -> Effect:
        case = paper.load_case(connection, incident_id)
        report = paper.draft_next(connection, case, at, limits)
        kept = store.save_report(connection, {
            "incident_id": incident_id, "serial": report.serial, "kind": report.kind.value, "drafted_at": at,
            "due_at": report.due_at, "covers_from": report.covers_from, "text": reports.markdown(report, zone),
            "author": actor.operator_id,
        })  # fmt: skip
        if not kept:
            raise NotPossibleNow(f"report: {incident_id} {report.serial} was handed in already")
        found.append((report, paper.asked_for(case, at, limits)[1]))
        body = {"kind": report.kind.value, "serial": report.serial}
        subject = f"incident/{incident_id}"
        return Effect(log(connection, "draft_report", actor.operator_id, subject, body, at), detail=body)

    through(connection, actor, Asked("draft_report", "draft_report", f"incident/{incident_id[:80]}", {}), now, do)
    return found[0]
