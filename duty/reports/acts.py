"""Drafting a report, through the one door: who drafted it is on record, as is who handed it in (`duty.acts`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from duty.door.door import Actor, Asked, Done, Effect, log, through
from duty.door.refusals import NotPossibleNow, SubjectUnknown
from duty.reports import paper, reports
from undercroft.store import duty_reports as store
from undercroft.store.connection import Connection


@dataclass(frozen=True, slots=True)
class Drafted:
    """A draft that is kept: its row of the store, and how many reports were on time, late and are missing."""

    done: Done
    row: Mapping[str, Any]
    tally: reports.Count


def draft_report(
    connection: Connection, actor: Actor, incident_id: str, now: datetime, limits: reports.Limits, zone: ZoneInfo,
    key: str = "",
) -> Drafted:  # fmt: skip
    """Draft the next report of an incident and keep it.

    Raises
    ------
    Refused
        By its class, if there is no such incident, or it needs no report.
    """

    def do(at: datetime) -> Effect:
        if store.incident(connection, incident_id) is None:
            raise SubjectUnknown(f"report: there is no incident {incident_id[:80]}")
        case = paper.load_case(connection, incident_id)
        report = paper.draft_next(connection, case, at, limits)
        kept = store.save_report(connection, {
            "incident_id": incident_id, "serial": report.serial, "kind": report.kind.value, "drafted_at": at,
            "due_at": report.due_at, "covers_from": report.covers_from, "text": reports.markdown(report, zone),
            "author": actor.operator_id,
        })  # fmt: skip
        if not kept:
            raise NotPossibleNow(f"report: {incident_id} {report.serial} was handed in already")
        body = {"kind": report.kind.value, "serial": report.serial}
        subject = f"incident/{incident_id}"
        return Effect(log(connection, "draft_report", actor.operator_id, subject, body, at), detail=body)

    asked = Asked("draft_report", "draft_report", f"incident/{incident_id[:80]}", {}, key)
    done = through(connection, actor, asked, now, do)
    case = paper.load_case(connection, incident_id)
    written = [row for row in case.reports if row["serial"] != reports.BY_PHONE]
    drafts = [row for row in written if row["drafted_at"] == done.at]  # of a repeated act, unless drafted anew
    return Drafted(done, (drafts or written)[-1], paper.asked_for(case, done.at, limits)[1])
