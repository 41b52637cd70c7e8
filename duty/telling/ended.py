"""How an end is told: an all clear names its basin, and what ended of the system or of devices is no all clear. Pure.

Neither says more than is true: what is open in other incidents stands in both.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from duty.incidents.incidents import AlarmNote
from duty.model import Reason
from duty.telling.decide import Cause, Open
from duty.telling.texts import (
    MOST_BYTES,
    SEVERITY_WORDS,
    TIME_LINE,
    Named,
    Style,
    Written,
    bytes_of,
    cut,
    left_out,
    lines_of,
)
from undercroft.model import Severity

MOST_TITLE_BYTES = 300
MOST_ELSEWHERE_BYTES = 500


def write_end(cause: Cause, reason: Reason, basin: Named, style: Style) -> Written:
    """Return the message that says what has ended, for everybody who was told of it."""
    title = (_all_clear if reason is Reason.ALL_CLEAR else _ended)(cause, basin, style)
    local = cause.at.astimezone(style.zone)
    head = [title, f"{TIME_LINE}{local:%Y-%m-%d %H:%M:%S}  事件 incident {cause.incident_id}"]
    tail = [*_elsewhere(cause.elsewhere, style), f"编号 ref {cause.key}"]
    if reason is Reason.ALL_CLEAR:
        tail = [*_meant(cause, basin), *tail]
        room = MOST_BYTES - bytes_of([*head, *tail])
        return Written(title, "\n".join([*head, *lines_of(cause.alarms, style, room), *tail]))
    tail = ["此消息不是汛情解除。 This is no all clear of water.", *tail]
    room = MOST_BYTES - bytes_of([*head, *tail])
    return Written(title, "\n".join([*head, *_over(cause.ended, style, room), *tail]))


def _all_clear(_: Cause, basin: Named, style: Style) -> str:
    mark_zh, mark_en = style.mark
    return (
        f"{mark_zh}【解除】{basin.name_zh}（地下空间报警已结束）"
        f" {mark_en}ALL CLEAR {basin.name_en} (the alarms of its spaces have ended)"
    )


def _meant(cause: Cause, basin: Named) -> list[str]:
    ailing = "上列设备仍有故障。 The devices above still fail."
    return [
        f"{basin.name_zh}本次事件的地下空间报警均已结束。进入前须现场确认。"
        f" The alarms of spaces of this incident in {basin.name_en} have all ended."
        " Check on site before anybody enters.",
        *([ailing] if cause.alarms else []),
    ]


def _ended(cause: Cause, basin: Named, style: Style) -> str:
    """Return a title that names what ended, the worst of it where it is more than one."""
    mark_zh, mark_en = style.mark
    names = [style.named(note.subject) for note in cause.ended] or [basin]
    more_zh, more_en = (f" 等 {len(names)} 项", f" and {len(names) - 1} more") if len(names) > 1 else ("", "")
    return cut(
        f"{mark_zh}【已结束】{names[0].name_zh}{more_zh}（非汛情解除）"
        f" {mark_en}ENDED {names[0].name_en}{more_en} (no all clear of water)",
        MOST_TITLE_BYTES,
    )


def _over(notes: Sequence[AlarmNote], style: Style, room: int) -> list[str]:
    """Return what ended, each with the words that it had; what does not fit is counted."""
    lines: list[str] = []
    room -= bytes_of([left_out(len(notes))])
    for number, note in enumerate(notes):
        named = style.named(note.subject)
        block = [f"· 已结束 ENDED {named.name_zh} / {named.name_en}"]
        if note.text_zh or note.text_en:
            block.append(f"  原报警 it had said: {note.text_zh}  {note.text_en}")
        if bytes_of(block) > room:
            return [*lines, left_out(len(notes) - number)]
        lines += block
        room -= bytes_of(block)
    return lines


def _elsewhere(others: Sequence[Open], style: Style) -> list[str]:
    """Return what is open in other incidents, by basin, the worst first; nothing where nothing is."""
    if not others:
        return []
    basins = dict.fromkeys(entry.basin for entry in others)
    ordered = sorted(others, key=lambda entry: list(basins).index(entry.basin))
    said = []
    for basin, entries in groupby(ordered, key=lambda entry: entry.basin):
        named, words = style.basin(basin), [_count(entry) for entry in entries]
        said.append(f"{named.name_zh} {named.name_en}：{'，'.join(words)}")
    return [cut(f"未结束的报警 STILL OPEN: {'；'.join(said)}", MOST_ELSEWHERE_BYTES)]


def _count(entry: Open) -> str:
    zh, en = SEVERITY_WORDS[Severity(entry.severity)]
    return f"{zh} {en} {entry.count}"
