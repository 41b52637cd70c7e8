"""What is told of an order whose time is over, in Chinese and English."""

from __future__ import annotations

from datetime import datetime

from duty.lateness import Reminded
from duty.model import Reason
from duty.texts import MOST_BYTES, MOST_COMMAND_BYTES, REASON_WORDS, SEVERITY_WORDS, Style, Written, cut

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
        f"· {where}  {order.text_zh} {order.text_en}",
        f"· 责任人 owner {owner}，时限 due {due_at.astimezone(style.zone):%H:%M:%S}，第 {waits.times} 次催办 reminder",
        cut(f"四个一 {order.command.line}", MOST_COMMAND_BYTES),
        "请催办，办结后登记确认；无法执行须登记拒绝并说明。 Press for it; enter its confirmation or refusal.",
        f"编号 ref {order.order_id}",
    ]
    return Written(title, cut("\n".join(lines), MOST_BYTES))
