"""What is told of an alarm without an order, and of orders that are not carried out, in Chinese and English."""

from __future__ import annotations

from datetime import datetime

from duty.incidents.incidents import Incident
from duty.late.unfinished import Told, Undone, Why
from duty.model import Reason
from duty.telling.texts import MOST_BYTES, REASON_WORDS, SEVERITY_WORDS, Named, Style, Written, cut

MOST_LINE_BYTES = 400
"""What one place or order may take of a message."""

WHY_WORDS = {
    Why.REFUSED: ("被拒绝", "refused"), Why.CONTRADICTED: ("与确认不符", "DISAGREEMENT"),
    Why.EXPIRED: ("确认已过期", "confirmation expired"),
}  # fmt: skip


def write_no_order(told: Told, incident: Incident, named: Named, now: datetime, style: Style) -> Written:
    """Return the reminder that somebody took an alarm, and ordered nothing."""
    lines = []
    for note in told.notes:
        place, since = style.named(note.subject), (note.acknowledged_at or note.since).astimezone(style.zone)
        lines.append(f"· {place.name_zh} {place.name_en}，接警 acknowledged {since:%H:%M:%S}")
    todo = f"请下达指令 order now: undercroft order propose {told.notes[0].subject}"
    return _written(told, incident, named, now, style, lines, todo)


def write_undone(told: Told, incident: Incident, named: Named, now: datetime, style: Style) -> Written:
    """Return the reminder that orders were refused, are contradicted, or have to be confirmed again."""
    lines = [_line(undone, style) for undone in told.undone]
    todo = (
        "请另行下达、核实后重新确认，或取消不再适用的。 Issue it anew, or have somebody look and confirm again, or"
        " cancel what no longer applies: undercroft order step <order> issue|confirm|cancel"
    )
    return _written(told, incident, named, now, style, lines, todo)


def _line(undone: Undone, style: Style) -> str:
    order, (zh, en) = undone.order, WHY_WORDS[undone.why]
    place = style.named(order.subject)
    where = f"/{order.entrance}" if order.entrance else ""
    said = f"：{undone.words}" if undone.words else f" {undone.since.astimezone(style.zone):%H:%M}"
    return f"· {place.name_zh} {place.name_en}{where} {order.proof} {order.order_id} {order.owner}，{zh} {en}{said}"


def _written(
    told: Told, incident: Incident, named: Named, now: datetime, style: Style, lines: list[str], todo: str
) -> Written:
    (mark_zh, mark_en), (word_zh, word_en) = style.mark, SEVERITY_WORDS[told.severity]
    why_zh, why_en = REASON_WORDS[Reason(told.reason)]
    title = f"{mark_zh}【{word_zh}】{named.name_zh}（{why_zh}） {mark_en}{word_en} {named.name_en} ({why_en})"
    head = [
        title,
        f"时间 time {now.astimezone(style.zone):%Y-%m-%d %H:%M:%S}  事件 incident {incident.incident_id}",
    ]
    tail = [todo, f"第 {told.times} 次催办 reminder，编号 ref {told.cause}"]
    room = MOST_BYTES - sum(len(line.encode()) + 1 for line in [*head, *tail])
    body: list[str] = []
    for number, line in enumerate(lines):
        block = cut(line, MOST_LINE_BYTES)
        left = f"另有 {len(lines) - number} 处 and {len(lines) - number} more"
        if len(block.encode()) + 1 + len(left.encode()) + 1 > room:
            body.append(left)
            break
        body.append(block)
        room -= len(block.encode()) + 1
    return Written(title, "\n".join([*head, *body, *tail]))
