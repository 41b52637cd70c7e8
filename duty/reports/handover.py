"""The handover sheet: what the next shift takes over, from what is stored, with the signed head of the duty log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from duty.log.dutylog import Head
from duty.log.signing import stored_heads
from duty.orders.view import against, expiry, standing, waits
from duty.reports import paper, reports
from duty.roster.roster import Roster
from duty.roster.stored import load_roster
from duty.telling.names import load_names
from duty.telling.texts import SEVERITY_WORDS, Named
from undercroft.model import EXERCISE_MARK, Mode, Severity
from undercroft.plain_text import one_line
from undercroft.store import duty_acts as acts
from undercroft.store import duty_reports, duty_roster
from undercroft.store.connection import Connection
from undercroft.store.migrate import mode_of

LOOK_AHEAD = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """An incident that goes on: its worst severity, who waits, and the next report."""

    incident_id: str
    worst: int
    open_alarms: int
    waiting: int
    next_report: reports.Due | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything that is handed over; ``at`` is the time of the acts, in a run the run's."""

    at: datetime
    exercise: bool
    note: Mapping[str, Any]
    incidents: Sequence[OpenIncident]
    orders: Sequence[Mapping[str, Any]]
    quiet: Sequence[Mapping[str, Any]]
    out_of_service: Sequence[Mapping[str, Any]]
    warnings: Sequence[Mapping[str, Any]]
    roster: Roster
    head: Head | None
    names: Mapping[str, Named]
    unsigned: str = ""


def load_sheet(
    connection: Connection,
    at: datetime,
    now: datetime,
    limits: reports.Limits,
    unsigned: str = "",
    zone: ZoneInfo | None = None,
) -> Sheet:
    """Return what there is to hand over; the newest handover of the duty log is its note.

    Parameters
    ----------
    unsigned : str
        Why the duty log could not be signed; the sheet says so, loudly.
    zone : ZoneInfo or None
        Of the times in words; None is UTC, and says so.
    """
    heads = stored_heads(connection)
    orders = [standing(row, at, zone) for row in acts.orders(connection, is_open=True)]
    return Sheet(
        at=at,
        exercise=mode_of(connection) is Mode.EXERCISE,
        note=duty_roster.newest_handover(connection) or {},
        incidents=[
            _incident(connection, row["incident_id"], at, limits) for row in duty_reports.open_incidents(connection)
        ],
        orders=[order for order in orders if waits(order)],
        quiet=duty_roster.quiet_alarms(connection),
        out_of_service=duty_roster.out_of_service(connection, at),
        warnings=duty_roster.warnings_in_force(connection),
        roster=load_roster(connection, now, now + LOOK_AHEAD),
        head=heads[-1] if heads else None,
        names=load_names(connection),
        unsigned=unsigned,
    )


def _incident(connection: Connection, incident_id: str, at: datetime, limits: reports.Limits) -> OpenIncident:
    case = paper.load_case(connection, incident_id)
    left = paper.to_come(case, at, limits)
    incident = case.incident
    return OpenIncident(
        incident_id, incident.worst, len(incident.open_alarms), len(incident.waiting), left[0] if left else None
    )


def markdown(sheet: Sheet, zone: ZoneInfo) -> str:
    """Return the sheet in both languages, to be printed and signed by hand."""

    def local(at: datetime) -> str:
        return at.astimezone(zone).strftime("%m-%d %H:%M")

    def called(subject: str) -> str:
        named = sheet.names.get(subject)
        return f"{named.name_zh} {named.name_en} ({subject})" if named else subject

    mark = "".join(EXERCISE_MARK) if sheet.exercise else ""
    note = sheet.note
    sections = {
        "未结事件 Open incidents": [_incident_line(entry, sheet.at, local) for entry in sheet.incidents],
        "未回报的指令 Orders without a confirmation that holds": [
            f"{order['order_id']} {order['proof']} {called(order['subject'])} → {order['owner']}: {order['state']}"
            + (
                f", {'超时 LATE' if order['is_late'] else '时限 due'} {local(order['due_at'])}"
                if order["left_s"]
                else ""
            )
            + (f", {against(order)}" if order["disagreement"] else "")
            + (f", {expired}" if (expired := expiry(order, local)) else "")
            for order in sheet.orders
        ],
        "搁置或抑制的报警 Alarms shelved or suppressed": [
            f"{called(row['subject'])}: "
            + (
                f"至 until {local(row['shelved_until'])}"
                if row["shelved_until"]
                else f"← {called(row['suppressed_by'])}"
            )
            for row in sheet.quiet
        ],
        "停用的设备 Devices out of service": [
            f"{called(row['subject'])}: 至 until {local(row['until'])}, {row['reason']}" for row in sheet.out_of_service
        ],
        "生效的暴雨预警 Rain warnings in force": [
            f"{row['subject'].removeprefix('warning/')} {row['colour']}" for row in sheet.warnings
        ],
        "当班 On duty": [
            f"{step} {person.name} {person.phone}".rstrip() for step, person in enumerate(sheet.roster.chain(sheet.at))
        ],
        "24 小时内空班 Gaps in 24 h": [
            f"第 {gap.step} 级 step {gap.step}: {local(gap.starts_at)} – {local(gap.ends_at)}"
            for gap in sheet.roster.gaps(sheet.at, sheet.at + LOOK_AHEAD)
        ],
    }
    lines = [
        f"# {mark}交接单 Handover {local(sheet.at)}", "", *_unsigned_lines(sheet.unsigned),
        f"- 交 from: {note.get('author', '')}", f"- 接 to: {one_line(note.get('to', ''))}",
        f"- 说明 note: {one_line(note.get('text', ''))}",
    ]  # fmt: skip
    for title, entries in sections.items():
        lines += ["", f"## {title}", "", *([f"- {one_line(entry)}" for entry in entries] or ["- 无 none"])]
    lines += ["", _head_line(sheet)]
    return "\n".join(lines) + "\n"


def _unsigned_lines(why: str) -> list[str]:
    if not why:
        return []
    return [
        "**⚠ 值班日志未签名 THE DUTY LOG IS UNSIGNED**", "",
        f"- 原因 why: {why}",
        "- 班已交接，但没有签名证明此前的记录未被改动：立即报告带班领导。",
        "- The shift is handed over, but no signature shows that nothing before was changed: tell the leader now.", "",
    ]  # fmt: skip


def _head_line(sheet: Sheet) -> str:
    printed = f"`{sheet.head.printed if sheet.head else '-'}`"
    if sheet.unsigned:
        return f"**未签名 UNSIGNED** 数据库中最近一次签名，不含本次交班 newest head, not of this handover: {printed}"
    return f"值班日志签名 signed head of the duty log: {printed}"


def _incident_line(entry: OpenIncident, at: datetime, local: Any) -> str:
    zh, en = SEVERITY_WORDS[Severity(entry.worst)]
    line = f"{entry.incident_id} {zh} {en}: {entry.open_alarms} 处报警 open, {entry.waiting} 未确认 unacknowledged"
    due = entry.next_report
    if due is None:
        return line
    title_zh, title_en = reports.TITLES[due.kind]
    word = "漏报 MISSING since" if due.due_at < at else "时限 due"
    return f"{line}; {title_zh} {title_en} {due.serial} {word} {local(due.due_at)}"
