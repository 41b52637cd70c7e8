"""What is told of an order or a report whose time is over, in Chinese and English."""

from __future__ import annotations

from datetime import datetime

from duty.late.lateness import Reminded
from duty.late.report_lateness import LateReports
from duty.model import Reason
from duty.reports.reports import ReportKind, title_of
from duty.telling.texts import MOST_BYTES, MOST_COMMAND_BYTES, REASON_WORDS, SEVERITY_WORDS, Named, Style, Written, cut

MOST_OWNER_BYTES = 300


def write_late(waits: Reminded, now: datetime, style: Style) -> Written:
    """Return the reminder: which order, whose, since when it is late, who leads it, and what to do."""
    order = waits.order
    place = style.named(order.subject)
    (mark_zh, mark_en), (word_zh, word_en) = style.mark, SEVERITY_WORDS[order.severity]
    why_zh, why_en = REASON_WORDS[Reason.ORDER_LATE]
    due_at = order.due_at or now
    late_min = int((now - due_at).total_seconds() // 60)
    title = (
        f"{mark_zh}【{word_zh}】{place.name_zh}（{why_zh} {late_min} 分）"
        f" {mark_en}{word_en} {place.name_en} ({why_en}, {late_min} min)"
    )
    where = f"{order.subject}/{order.entrance}" if order.entrance else order.subject
    owner = cut(order.owner, MOST_OWNER_BYTES)
    lines = [
        title,
        f"时间 time {now.astimezone(style.zone):%Y-%m-%d %H:%M:%S}  事件 incident {order.incident_id}",
        f"· {place.name_zh} {place.name_en} {where}  {order.text_zh} {order.text_en}",
        f"· 责任人 owner {owner}，时限 due {due_at.astimezone(style.zone):%H:%M:%S}，第 {waits.times} 次催办 reminder",
        cut(f"四个一 {order.command.line}", MOST_COMMAND_BYTES),
        "请催办，办结后登记确认；无法执行须登记拒绝并说明。 Press for it; enter its confirmation or refusal.",
        f"编号 ref {order.order_id}",
    ]
    return Written(title, cut("\n".join(lines), MOST_BYTES))


def write_late_reports(told: LateReports, named: Named, now: datetime, style: Style) -> Written:
    """Return the reminder: which reports of an incident, since when they are late, and what to do."""
    asked = told.asked
    (mark_zh, mark_en), (word_zh, word_en) = style.mark, SEVERITY_WORDS[asked.severity]
    why_zh, why_en = REASON_WORDS[Reason.REPORT_LATE]
    title = f"{mark_zh}【{word_zh}】{named.name_zh}（{why_zh}） {mark_en}{word_en} {named.name_en} ({why_en})"
    lines = [title, f"时间 time {now.astimezone(style.zone):%Y-%m-%d %H:%M:%S}  事件 incident {asked.incident_id}"]
    for clock in told.clocks:
        zh, en = title_of(clock.due.kind, clock.due.serial)
        late_min = int((now - clock.due.due_at).total_seconds() // 60)
        due = f"{clock.due.due_at.astimezone(style.zone):%m-%d %H:%M}"
        lines.append(
            f"· {zh} {en}，编号 number {clock.due.serial}，时限 due {due}，已超 late {late_min} 分 min，"
            f"第 {clock.times} 次催办 reminder"
        )
    if asked.author:
        lines.append(cut(f"· 已起草 drafted by {asked.author}", MOST_OWNER_BYTES))
    if any(clock.due.kind is not ReportKind.PHONE for clock in told.clocks):
        lines.append(f"起草 draft: undercroft incident report {asked.incident_id}")
    lines += [
        f"报后登记 once handed in: undercroft incident submit {asked.incident_id} {told.clocks[0].due.serial}",
        f"编号 ref {asked.incident_id}",
    ]
    return Written(title, cut("\n".join(lines), MOST_BYTES))
