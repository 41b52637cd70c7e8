"""Reports, CAP and load of an incident from what the database has; drafts only, a person hands them in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from duty.door.refusals import NotPossibleNow, SubjectUnknown
from duty.incidents.codec import from_json
from duty.incidents.incidents import AlarmNote, Incident
from duty.incidents.rows import event_of
from duty.log.signing import stored_heads
from duty.reports import cap
from duty.reports.log_table import details_of
from duty.reports.log_words import words_of
from duty.reports.reports import Count, Draft, Due, Fact, Limits, ReportKind, Submitted, count, draft, dues, to_write
from duty.telling.names import load_names
from duty.telling.texts import SEVERITY_WORDS, Named
from undercroft.model import Mode, Severity
from undercroft.store import duty_reports as store
from undercroft.store.connection import Connection
from undercroft.store.site import district_timezone

KIND_WORDS = {
    "raised": ("报警", "alarm raised"), "severity_up": ("升级为", "risen to"), "severity_down": ("降为", "fallen to"),
    "reason_added": ("新增原因", "a further reason at"), "cleared": ("解除", "alarm ended"),
    "acknowledged": ("已接警", "acknowledged at"), "stood_down": ("人工解除", "stood down"),
}  # fmt: skip

PAPER_WORK = frozenset({"draft_report", "export_cap"})
"""Entries of the duty log that are no news to whoever reads a report."""


@dataclass(frozen=True, slots=True)
class Case:
    """An incident with everything that is known of it."""

    row: Mapping[str, Any]
    incident: Incident
    events: list[dict[str, Any]]
    log: list[dict[str, Any]]
    reports: list[dict[str, Any]]

    @property
    def is_exercise(self) -> bool:
        """Whether it happened in a drill."""
        return bool(self.row["mode"] == Mode.EXERCISE)


def load_case(connection: Connection, incident_id: str) -> Case:
    """Return an incident.

    Raises
    ------
    SubjectUnknown
        If there is none of this name.
    """
    row = store.incident(connection, incident_id)
    if row is None:
        raise SubjectUnknown(f"there is no incident {incident_id}")
    stretch = (row["basin_id"], row["opened_at"], row["closed_at"])
    return case_of(
        row,
        store.events(connection, incident_id),
        store.reports_of(connection, incident_id),
        store.log_entries(connection, incident_id, *stretch),
    )


def case_of(
    row: Mapping[str, Any], events: list[dict[str, Any]], reports: list[dict[str, Any]],
    log: list[dict[str, Any]] | None = None,
) -> Case:  # fmt: skip
    """Return an incident of its rows in the store."""
    return Case(row, from_json(row["state"]), events, log or [], reports)


def asked_for(case: Case, now: datetime, limits: Limits) -> tuple[list[Due], Count]:
    """Return the reports that the incident needs, and how many were on time, late and are missing."""
    serious = [row["tick_at"] for row in case.events if row["severity"] >= limits.from_severity]
    handed_in = [
        Submitted(ReportKind(row["kind"]), row["serial"], row["submitted_at"])
        for row in case.reports
        if row["submitted_at"]
    ]
    asked = dues(serious[0] if serious else None, case.incident.clear_since, handed_in, now, limits)
    return asked, count(asked, handed_in, now)


def to_come(case: Case, now: datetime, limits: Limits) -> list[Due]:
    """Return the reports that were not handed in yet, in order; one that was lets those before it rest."""
    newest = max((row["serial"] for row in case.reports if row["submitted_at"]), default=-1)
    return [due for due in asked_for(case, now, limits)[0] if due.serial > newest]


def facts_of(connection: Connection, case: Case) -> list[Fact]:
    """Return the facts of an incident, each with the reading, event or log entry it comes from."""
    names = load_names(connection)
    found = [_event_fact(row, names) for row in case.events if row["kind"] in KIND_WORDS]
    found += [_passed_on(row) for row in store.refused(connection, case.row["incident_id"])]
    zone = ZoneInfo(district_timezone(connection))
    corrected = {row["corrects"]: row["entry_no"] for row in case.log if row["corrects"]}
    found += [_log_fact(row, names, zone, corrected.get(row["entry_no"])) for row in case.log if _is_told(row)]
    return found


def _is_told(row: Mapping[str, Any]) -> bool:
    return row["kind"] not in PAPER_WORK


def _log_fact(row: Mapping[str, Any], names: Mapping[str, Any], zone: ZoneInfo, corrected_by: int | None) -> Fact:
    zh, en = words_of(row, names)
    if details := details_of(row, zone):
        en += f" ({details})"
    source = f"duty log {row['entry_no']}"
    if row["corrects"]:
        source += f", 更正 corrects {row['corrects']}"
    if corrected_by:
        source += f", 已更正 corrected by {corrected_by}"
    return Fact(row["at"], row["kind"], zh, en, source)


def _event_fact(row: Mapping[str, Any], names: Mapping[str, Any]) -> Fact:
    zh, en = KIND_WORDS[row["kind"]]
    level = SEVERITY_WORDS[Severity(row["severity"])] if row["severity"] else ("", "")
    event = event_of(row)
    named = names.get(row["subject"])
    name_zh, name_en = (named.name_zh, named.name_en) if named else (row["subject"], row["subject"])
    worst: Mapping[str, Any] = max(row["reasons"], key=lambda entry: entry.get("severity", 0), default={})
    reading = f"{worst['sensor']}@{worst['observed_at']}" if worst.get("sensor") else ""
    source = reading or f"alarm log {row['subject']} {row['event_no']}"
    return Fact(
        row["tick_at"], row["kind"], f"{name_zh} {zh}{level[0]} {event.text_zh}".strip(),
        f"{name_en} {en} {level[1]} {event.text_en}".strip(), source,
    )  # fmt: skip


def _passed_on(row: Mapping[str, Any]) -> Fact:
    person, title = row["person_id"], row["title"]
    source = f"message {row['notification_id']}"
    return Fact(row["decided_at"], "refused", f"转告 {person}", f"told {person} instead: {title}", source)


def draft_next(connection: Connection, case: Case, now: datetime, limits: Limits) -> Draft:
    """Return the next report: of what happened since the last one that was handed in; the final one of everything.

    Raises
    ------
    NotPossibleNow
        If the incident needs none (any more).
    """
    asked = to_write(to_come(case, now, limits), now)
    if asked is None:
        raise NotPossibleNow(f"report: incident {case.row['incident_id']} needs none now")
    written = [row for row in case.reports if row["submitted_at"] and row["kind"] != ReportKind.PHONE]
    since = max((row["drafted_at"] for row in written), default=case.row["opened_at"])
    if asked.kind is ReportKind.FINAL:
        since = case.row["opened_at"]
    place = (case.row["name_zh"], case.row["name_en"])
    report = draft(
        case.row["incident_id"], asked, facts_of(connection, case), now, since, place=place, exercise=case.is_exercise
    )
    heads = stored_heads(connection)
    return replace(report, head_printed=heads[-1].printed) if heads else report


def cap_of(
    connection: Connection, case: Case, origin: cap.Origin, identifier: str, sent: datetime
) -> tuple[bytes, str]:
    """Return the incident as CAP 1.2, and which kind it is; in a drill its status is Exercise, whatever was asked for.

    Raises
    ------
    NotPossibleNow
        If no space has, or had, an alarm in it.
    """
    areas = store.areas(connection, cap_subjects(case))
    return cap_from(case, load_names(connection), areas, origin, identifier, sent)


def cap_subjects(case: Case) -> list[str]:
    """Return the spaces that a CAP message names: those with an open alarm, after the end all.

    Raises
    ------
    NotPossibleNow
        If there is none: what ails devices and the system is no warning of a flood.
    """
    notes = _of_spaces(case.incident.open_alarms) or _of_spaces(case.incident.alarms)
    if not notes:
        raise NotPossibleNow(f"CAP: no space has an alarm in incident {case.row['incident_id']}: no flood to warn of")
    return [note.subject for note in notes]


def _of_spaces(notes: Iterable[AlarmNote]) -> list[AlarmNote]:
    return [note for note in notes if note.subject.startswith("space/")]


def cap_from(
    case: Case, names: Mapping[str, Named], areas: Sequence[Mapping[str, Any]], origin: cap.Origin, identifier: str,
    sent: datetime,
) -> tuple[bytes, str]:  # fmt: skip
    """Return what `cap_of` does, of what the store has.

    Raises
    ------
    NotPossibleNow
        If every alarm of a space has ended and no earlier message is named: an Alert asks for attention, and what needs
        none any more is the Cancel of an earlier message (CAP 1.2, 3.2.1 msgType).
    """
    found = [cap.Area(row["subject"], row["name_zh"], row["name_en"], row["lat"], row["lon"]) for row in areas]
    marked = replace(origin, status="Exercise") if case.is_exercise else origin
    notes = _of_spaces(case.incident.open_alarms)
    if not notes and not origin.references:
        raise NotPossibleNow(
            f"CAP: every alarm in incident {case.row['incident_id']} has ended, and no earlier message is named:"
            " nothing to alert to, nothing to cancel; name what is to be cancelled by reference"
        )
    xml = cap.export(identifier, case.row["incident_id"], notes, names, found, marked, sent)
    return xml, cap.kind_of(notes, marked)
