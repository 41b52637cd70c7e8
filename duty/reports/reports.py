"""Reports on an incident: first, follow-up and final (初报 续报 终报), drafted from logged facts.

Nothing is sent by itself. Each figure names the reading it comes from. A follow-up does not repeat the start; the final
report tells all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from undercroft.model import Severity
from undercroft.plain_text import one_line


class ReportKind(StrEnum):
    """Which a report is: the first by phone, then the three in writing."""

    PHONE = "phone"
    FIRST = "first"
    FOLLOW_UP = "follow_up"
    FINAL = "final"


BY_PHONE = 0
"""The number of the first report by phone; those in writing are numbered from 1."""

TITLES = {
    ReportKind.PHONE: ("电话首报", "First report by phone"),
    ReportKind.FIRST: ("初报", "First report"),
    ReportKind.FOLLOW_UP: ("续报", "Follow-up report"),
    ReportKind.FINAL: ("终报", "Final report"),
}


def title_of(kind: ReportKind, serial: int) -> tuple[str, str]:
    """Return what a report is called; follow-ups are numbered."""
    zh, en = TITLES[kind]
    return (f"{zh}{serial - 1}", f"{en} {serial - 1}") if kind is ReportKind.FOLLOW_UP else (zh, en)


TO_FILL = "〔待填 to be filled in〕"


@dataclass(frozen=True, slots=True)
class Limits:
    """When reports are due. Zhuhai's plan: 30 min by phone, 2 h in writing (domain notes 7); yours may differ."""

    first_phone: timedelta = timedelta(minutes=30)
    first_written: timedelta = timedelta(hours=2)
    follow_up_every: timedelta = timedelta(hours=2)
    final_after_end: timedelta = timedelta(hours=24)
    from_severity: Severity = Severity.ORANGE


@dataclass(frozen=True, slots=True)
class Fact:
    """Something the log knows; ``source`` names the reading, event, order or entry it comes from."""

    at: datetime
    kind: str
    text_zh: str
    text_en: str
    source: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A report to be read, completed and signed by a person."""

    incident_id: str
    serial: int
    kind: ReportKind
    drafted_at: datetime
    due_at: datetime | None
    covers_from: datetime
    facts: tuple[Fact, ...]
    place_zh: str
    place_en: str
    exercise: bool
    head_printed: str = ""

    @property
    def title(self) -> tuple[str, str]:
        """The title in both languages; follow-ups are numbered."""
        return title_of(self.kind, self.serial)


@dataclass(frozen=True, slots=True)
class Due:
    """A report that has to be there by a time."""

    kind: ReportKind
    serial: int
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Submitted:
    """A report that a person declared as handed in."""

    kind: ReportKind
    serial: int
    submitted_at: datetime


def dues(
    serious_at: datetime | None,
    ended_at: datetime | None,
    submitted: Sequence[Submitted],
    now: datetime,
    limits: Limits,
) -> list[Due]:
    """Return every report that the incident needs up to now and the next one, in order.

    Parameters
    ----------
    serious_at : datetime or None
        When the incident first reached the severity that has to be reported; None: it never did.
    ended_at : datetime or None
        When its last alarm ended.
    """
    if serious_at is None:
        return []
    found = [
        Due(ReportKind.PHONE, BY_PHONE, serious_at + limits.first_phone),
        Due(ReportKind.FIRST, 1, serious_at + limits.first_written),
    ]
    until = ended_at or now + limits.follow_up_every
    serial, at = 2, serious_at + limits.first_written + limits.follow_up_every
    while at <= until:
        found.append(Due(ReportKind.FOLLOW_UP, serial, at))
        serial, at = serial + 1, at + limits.follow_up_every
    if ended_at is not None:
        serial = max([serial, *(entry.serial + 1 for entry in submitted if entry.kind is not ReportKind.FINAL)])
        found.append(Due(ReportKind.FINAL, serial, ended_at + limits.final_after_end))
    return found


def to_write(left: Sequence[Due], now: datetime) -> Due | None:
    """Return which report is to be written next of those that were not handed in; None: none in writing.

    The first one first; of follow-ups that are late the newest, which tells what the others would have told.

    Examples
    --------
    >>> from datetime import UTC
    >>> at = datetime(2026, 7, 1, 12, tzinfo=UTC)
    >>> late = [Due(ReportKind.FOLLOW_UP, 1 + n, at - timedelta(hours=7 - 2 * n)) for n in (1, 2, 3, 4)]
    >>> to_write(late, at).serial
    4
    """
    written = [due for due in left if due.kind is not ReportKind.PHONE]
    over = [due for due in written if due.due_at < now]
    if written and written[0].kind is ReportKind.FIRST:
        return written[0]
    return over[-1] if over else next(iter(written), None)


@dataclass(frozen=True, slots=True)
class Count:
    """How reporting went: on time, late, and missing now."""

    on_time: int
    late: int
    missing: int


def count(asked: Iterable[Due], submitted: Sequence[Submitted], now: datetime) -> Count:
    """Count reports on time, late and missing: over its time, and neither it nor a later one was there by then.

    Each is matched with what was handed in under its number, the final one by its kind: its number moves.
    """
    on_time = late = missing = 0
    for due in asked:
        own = next((entry.submitted_at for entry in submitted if _answers(entry, due)), None)
        if own is not None:
            on_time, late = (on_time + 1, late) if own <= due.due_at else (on_time, late + 1)
        elif now > due.due_at and not any(_stands_for(entry, due) for entry in submitted):
            missing += 1
    return Count(on_time, late, missing)


def _answers(entry: Submitted, due: Due) -> bool:
    return entry.kind is due.kind and (entry.serial == due.serial or due.kind is ReportKind.FINAL)


def _stands_for(entry: Submitted, due: Due) -> bool:
    """Tell whether a later report was there before an earlier one's time was over."""
    later = entry.serial > due.serial or entry.kind is ReportKind.FINAL
    return later and entry.submitted_at <= due.due_at


def draft(
    incident_id: str, asked: Due, facts: Sequence[Fact], now: datetime, covers_from: datetime, *,
    place: tuple[str, str], exercise: bool,
) -> Draft:  # fmt: skip
    """Return a report of the facts since ``covers_from``; a first report takes all, a follow-up only what is new."""
    chosen = tuple(
        sorted((fact for fact in facts if covers_from <= fact.at <= now), key=lambda fact: (fact.at, fact.source))
    )
    return Draft(
        incident_id, asked.serial, asked.kind, now, asked.due_at, covers_from, chosen, place[0], place[1], exercise
    )


FIELDS = (
    ("nature", "性质、范围", "Nature and extent"),
    ("losses", "初步损失", "First losses"),
    ("trend", "发展趋势", "Trend"),
    ("leaders", "现场领导", "Leaders present"),
    ("measures", "已采取措施", "Measures taken"),
    ("requests", "请求事项", "Requests"),
)
"""What the prescribed form asks beside time, source and place (Zhaoqing, Hechi; domain notes 7)."""

_MEASURES = {"order", "acknowledged", "confirmed"}


def markdown(report: Draft, zone: ZoneInfo) -> str:
    """Return the report as Markdown in both languages, with a source behind every fact."""
    zh, en = report.title
    mark = "【演练 EXERCISE】" if report.exercise else ""
    lines = [
        f"# {mark}{zh} {en}", "", f"- 事件 incident: `{report.incident_id}`",
        f"- 时间 drafted: {_local(report.drafted_at, zone)}",
        f"- 时限 due: {_local(report.due_at, zone) if report.due_at else TO_FILL}",
        f"- 地点 place: {report.place_zh} {report.place_en}",
        f"- 签发 signed by: {TO_FILL}", "", "## 经过 What happened", "",
    ]  # fmt: skip
    lines += [f"- {_local(fact.at, zone)} {_said(fact)}" for fact in report.facts]
    for key, name_zh, name_en in FIELDS:
        lines += ["", f"## {name_zh} {name_en}", ""]
        known = [fact for fact in report.facts if fact.kind in _MEASURES] if key == "measures" else []
        lines += [f"- {_said(fact)}" for fact in known] or [TO_FILL]
    if report.head_printed:
        lines += ["", f"值班日志签名 signed head of the duty log: `{report.head_printed}`"]
    return "\n".join(lines) + "\n"


def _said(fact: Fact) -> str:
    return one_line(f"{fact.text_zh} {fact.text_en} 〔{fact.source}〕")


def plain(written: str) -> str:
    """Return Markdown of `markdown` as plain text."""
    lines = (line.lstrip("# ").replace("`", "") for line in written.splitlines())
    return "\n".join(lines) + "\n"


def _local(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")
