"""What a message says, in Chinese and English, by severity and kind of space.

Messages about garages say stay out. They never speak of moving cars: in Pohang, 2022, a broadcast to move cars came
eight minutes before the car park was full (domain notes, section 4).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

from duty.incidents.incidents import AlarmNote
from duty.model import Reason
from duty.orders.command import CommandBook
from duty.telling.decide import Cause
from duty.telling.no_barrier import WITHOUT_BARRIER
from undercroft.model import EXERCISE_MARK, Severity, SpaceKind

SEVERITY_WORDS = {
    Severity.NORMAL: ("正常", "normal"), Severity.BLUE: ("蓝色", "BLUE"), Severity.YELLOW: ("黄色", "YELLOW"),
    Severity.ORANGE: ("橙色", "ORANGE"), Severity.RED: ("红色", "RED"),
}  # fmt: skip

REASON_WORDS = {
    Reason.FIRST: ("首次", "first"), Reason.WORSE: ("加重", "worse"),
    Reason.REPEAT: ("重复，尚无人确认", "repeat, nobody has acknowledged"),
    Reason.ESCALATED: ("升级，前一级未确认", "escalated, the step before has not acknowledged"),
    Reason.REFUSED: ("升级，{who} 的通道拒收", "escalated, the channel of {who} refused it"),
    Reason.ALL_CLEAR: ("解除", "all clear"), Reason.ENDED: ("已结束，非汛情解除", "ended, no all clear of water"),
    Reason.ORDER_LATE: ("指令超时", "order late"),
    Reason.REPORT_LATE: ("报告超时", "report late"),
    Reason.NO_ORDER: ("已接警，未下达指令", "acknowledged, no order given"),
    Reason.ORDER_UNDONE: ("指令未落实", "order not carried out"), Reason.PROBE: ("通道检查", "channel check"),
}  # fmt: skip

ADVICE: Mapping[tuple[SpaceKind, Severity], tuple[str, str]] = {
    (SpaceKind.CAR_PARK, Severity.YELLOW): (
        "派人到出入口查看，挡板就位备装；劝离正要进入的人员和车辆。",
        "Send somebody to the entrances, bring the barrier; turn away people and vehicles about to enter.",
    ),
    (SpaceKind.CAR_PARK, Severity.ORANGE): (
        "立即安装挡板，停止进入；库内人员走楼梯撤离，不取任何物品。",
        "Deploy the barrier now, let nobody in; people inside leave by the stairs and fetch nothing.",
    ),
    (SpaceKind.CAR_PARK, Severity.RED): (
        "严禁进入地下车库！任何人不得以任何理由下去。库内人员立即走楼梯撤离，切断电源。",
        "STAY OUT of the garage! Nobody goes down, for any reason. Those inside leave by the stairs; cut the power.",
    ),
    (SpaceKind.METRO_ENTRANCE, Severity.YELLOW): (
        "通知车站值班，出入口挡板就位备装，沙袋到位。",
        "Tell the station, bring barrier and sandbags to the entrance.",
    ),
    (SpaceKind.METRO_ENTRANCE, Severity.ORANGE): (
        "与车站共同关闭该出入口并装挡板，引导乘客走其他出口。",
        "Close this entrance together with the station and deploy the barrier; lead passengers to other exits.",
    ),
    (SpaceKind.METRO_ENTRANCE, Severity.RED): (
        "立即封闭出入口，请车站疏散并由运营方决定停运；任何人不得进入。",
        "Seal the entrance now; the station evacuates and the operator decides on stopping trains; nobody enters.",
    ),
    (SpaceKind.UNDERPASS, Severity.YELLOW): (
        "派人值守两端，准备封路器材，检查泵站。",
        "Station people at both ends with closing gear; check the pumps.",
    ),
    (SpaceKind.UNDERPASS, Severity.ORANGE): (
        "会同交警准备封闭双向，劝返车辆和行人，启动排水。",
        "With the traffic police get ready to close both directions, turn traffic back, start the pumps.",
    ),
    (SpaceKind.UNDERPASS, Severity.RED): (
        "立即双向封闭！任何车辆和行人不得进入；车内被困者弃车上高处。",
        "CLOSE both directions now! No vehicle or person enters; people caught leave their vehicle for higher ground.",
    ),
    (SpaceKind.MALL, Severity.YELLOW): (
        "通知商场值班，挡板就位备装，检查集水井水泵。",
        "Tell the mall, bring the barriers, check the sump pumps.",
    ),
    (SpaceKind.MALL, Severity.ORANGE): (
        "安装挡板，地下层停止营业，引导顾客由上层出口离开。",
        "Deploy the barriers, close the lower floors, lead customers out by the upper exits.",
    ),
    (SpaceKind.MALL, Severity.RED): (
        "立即疏散地下各层，禁用电梯扶梯，切断地下电源；任何人不得返回。",
        "Evacuate all lower floors now, no lifts or escalators, cut the power below; nobody goes back.",
    ),
    (SpaceKind.CIVIL_DEFENCE, Severity.YELLOW): (
        "通知使用单位，检查口部和防护门，挡板就位备装。",
        "Tell the user, check entrances and doors, bring the barrier.",
    ),
    (SpaceKind.CIVIL_DEFENCE, Severity.ORANGE): (
        "安装挡板，停止使用，人员撤离。",
        "Deploy the barrier, stop all use, people leave.",
    ),
    (SpaceKind.CIVIL_DEFENCE, Severity.RED): (
        "立即撤空并封闭口部；任何人不得进入。",
        "Clear it now and seal the entrances; nobody enters.",
    ),
}  # fmt: skip
"""What to do, for the person who is told: (Chinese, English)."""

TIME_LINE = "时间 time "
"""How the line begins that says when, and of which incident."""

MOST_REFUSED_BY_BYTES = 120
"""What the names of those who refused may take of a title."""

MOST_COMMAND_BYTES = 500
"""What the four (四个一) may take of a message, so that places and advice keep their room."""

MOST_BYTES = 1860
"""What a message may take in UTF-8, so that the tightest channel (WeCom, 2,048) cuts nothing of it, headed or not."""


@dataclass(frozen=True, slots=True)
class Named:
    """A subject as people know it."""

    name_zh: str
    name_en: str
    kind: SpaceKind | None = None
    street: str = ""
    has_barrier: bool = True
    """Of a space: whether the site file has one at any of its entrances."""


DISTRICT = "district"
"""The basin, so to speak, of alarms that lie in none."""

NO_BASIN = Named("系统与设备", "system and devices")
"""What they belong to: what ails the system, and devices at no place."""


@dataclass(frozen=True, slots=True)
class Written:
    """A message ready to be sent."""

    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Style:
    """What is the same in every message of a deployment."""

    names: Mapping[str, Named]
    zone: ZoneInfo
    exercise: bool
    book: CommandBook = field(default_factory=CommandBook)

    @property
    def mark(self) -> tuple[str, str]:
        """What every message of a drill begins with."""
        return EXERCISE_MARK if self.exercise else ("", "")

    def headed(self, line: str, body: str) -> str:
        """Return a message with a line before it, marked like every message of a drill."""
        mark_zh, mark_en = self.mark
        return f"{mark_zh}{mark_en}{line}\n{body}"

    def basin(self, basin: str) -> Named:
        """Return a basin as people know it."""
        return self.names.get(f"basin/{basin}", NO_BASIN if basin == DISTRICT else Named(basin, basin))

    def named(self, subject: str) -> Named:
        """Return a subject as people know it; what ails the system may be told before its name was ever read."""
        kind, _, name = subject.partition("/")
        unread = Named(f"系统 {name}", f"system: {name}") if kind == "system" else Named(subject, subject)
        return self.names.get(subject, unread)


def write(cause: Cause, reason: Reason, basin: Named, style: Style) -> Written:
    """Return the message about an incident for those who are told for this reason.

    Alarms with the same words stand together: a warning for a whole basin is said once, with the places it covers. What
    does not fit is counted; what to do about the message, and its reference, always stand at the end.
    """
    notes = cause.alarms
    severity = Severity(cause.severity) if notes else Severity.NORMAL
    mark_zh, mark_en = style.mark
    word_zh, word_en = SEVERITY_WORDS[severity]
    who = cut("、".join(cause.refused_by), MOST_REFUSED_BY_BYTES)
    why_zh, why_en = (words.format(who=who) for words in REASON_WORDS[reason])
    title = f"{mark_zh}【{word_zh}】{basin.name_zh}（{why_zh}） {mark_en}{word_en} {basin.name_en} ({why_en})"
    local = cause.at.astimezone(style.zone)
    head = [title, f"{TIME_LINE}{local:%Y-%m-%d %H:%M:%S}  事件 incident {cause.incident_id}"]
    tail = [*_led(notes, style), "请立即确认（接警）。 Please acknowledge now.", f"编号 ref {cause.key}"]
    room = MOST_BYTES - bytes_of([*head, *tail])
    return Written(title, "\n".join([*head, *lines_of(notes, style, room), *tail]))


def _led(notes: Sequence[AlarmNote], style: Style) -> list[str]:
    """Return who leads at the worst place, in which team, by which plan, and who speaks (四个一)."""
    for note in notes:
        named = style.named(note.subject)
        if named.kind is not None:
            book, space = style.book, note.subject.removeprefix("space/")
            command = book.of(space, named.kind, named.street, Severity(note.severity))
            return [cut(f"四个一 {named.name_zh} {named.name_en}：{command.line}", MOST_COMMAND_BYTES)]
    return []


def cut(text: str, most_bytes: int) -> str:
    """Return a text that takes at most so many bytes in UTF-8; what is cut off is marked.

    Examples
    --------
    >>> cut("指挥", 6), cut("指挥长", 8)
    ('指挥', '指…')
    """
    if len(text.encode()) <= most_bytes:
        return text
    return text.encode()[: most_bytes - len("…".encode())].decode(errors="ignore") + "…"


def bytes_of(lines: Iterable[str]) -> int:
    """Return what lines take in UTF-8, each with its end."""
    return sum(len(line.encode()) + 1 for line in lines)


def lines_of(notes: Sequence[AlarmNote], style: Style, room: int) -> list[str]:
    """Return the alarms, those with the same words together, worst first, and how many did not fit into the bytes.

    Milder reasons that came later stand beside the worst one where every place is told all the same.
    """
    lines, left = _lines(notes, style, room)
    if left:
        lines, left = _lines([replace(note, also_zh="", also_en="") for note in notes], style, room)
    return [*lines, left_out(left)] if left else lines


def _lines(notes: Sequence[AlarmNote], style: Style, room: int) -> tuple[list[str], int]:
    together: dict[tuple[int, bool, str, str, str, str], list[AlarmNote]] = {}
    for note in notes:
        words = (note.severity, note.acknowledged, note.text_zh, note.text_en, note.also_zh, note.also_en)
        together.setdefault(words, []).append(note)
    lines: list[str] = []
    said: set[str] = set()
    room -= bytes_of([left_out(len(notes))])
    left = 0
    for alike in together.values():
        block, unnamed = _fitting(alike, style, said, room)
        lines += block
        room -= bytes_of(block)
        left += unnamed
        said |= set(block)
    return lines, left


def left_out(count: int) -> str:
    """Return the line that says how many did not fit."""
    return f"另有 {count} 处 and {count} more"


def _fitting(alike: Sequence[AlarmNote], style: Style, said: Container[str], room: int) -> tuple[list[str], int]:
    """Return as many alarms with the same words as fit, and how many do not."""
    for named in range(len(alike), 0, -1):
        block = [line for line in _block(alike[:named], style) if line not in said or not line.startswith(_ADVICE)]
        if bytes_of(block) <= room:
            return block, len(alike) - named
    return [], len(alike)


_ADVICE = "  → "


def _block(alike: Sequence[AlarmNote], style: Style) -> list[str]:
    """Return lines on alarms with the same words: the places, the words, and once for each kind what to do."""
    severity = Severity(alike[0].severity)
    zh, en = SEVERITY_WORDS[severity]
    places = [style.named(note.subject) for note in alike]
    name_zh, name_en = "、".join(place.name_zh for place in places), ", ".join(place.name_en for place in places)
    taken = "（已接警 taken）" if alike[0].acknowledged else ""
    lines = [f"· {zh} {name_zh} / {en} {name_en}{taken}"]
    if alike[0].text_zh or alike[0].text_en:
        lines.append(f"  {alike[0].text_zh}  {alike[0].text_en}")
    if alike[0].also_zh or alike[0].also_en:
        lines.append(f"  并有 also: {alike[0].also_zh}  {alike[0].also_en}")
    kinds = dict.fromkeys((place.kind, place.has_barrier) for place in places)
    for told in (advice(kind, severity, has_barrier=has_barrier) for kind, has_barrier in kinds):
        if told is not None:
            lines += [f"{_ADVICE}{told[0]}", f"{_ADVICE}{told[1]}"]
    return lines


def advice(kind: SpaceKind | None, severity: Severity, *, has_barrier: bool) -> tuple[str, str] | None:
    """Return what to do, or None where there is nothing to say."""
    if kind is None:
        return None
    said = ADVICE.get((kind, severity))
    return said if has_barrier else WITHOUT_BARRIER.get((kind, severity), said)
