"""What the dead-man still has to tell, to each address in order: nothing is given up because a channel failed once."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog

from duty.model import Reach
from duty.senders.base import Accepted, HandedOver, Outgoing, Permanent, Sender, Temporary
from duty.senders.guarded import send_guarded
from undercroft.model import EXERCISE_MARK, Mode

log = structlog.get_logger(__name__)

FIRST_BACKOFF_S, MOST_BACKOFF_S = 2.0, 60.0

NAMES = {
    "database": ("数据库", "the database"), "engine": ("风险引擎", "the risk engine"),
    "duty": ("通知服务", "the notifier"), "ingest": ("数据接收", "ingest"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Notice:
    """A part fell silent, or is back."""

    part: str
    what: str
    at: datetime


@dataclass(slots=True)
class Line:
    """What one address waits for, oldest first; times are those of a clock that never goes back. [s]"""

    reach: Reach
    waiting: deque[Notice] = field(default_factory=deque)
    tries: int = 0
    doubtful: int = 0
    """Answers in a row that nobody knows; an outage is none."""
    not_before_s: float = float("-inf")


class Outbox:
    """Tells everybody who is to know, each address by itself."""

    def __init__(
        self, senders_of: Callable[[Mode], Mapping[str, Sender]], reach: tuple[Reach, ...], mode: Mode,
        zone: ZoneInfo,
    ) -> None:  # fmt: skip
        self._zone = zone
        self._senders_of, self._lines = senders_of, [Line(entry) for entry in reach]
        self._mode, self._senders = mode, senders_of(mode)

    def be(self, mode: Mode) -> None:
        """Use the channels of a mode from now on."""
        if mode is not self._mode:
            self._mode, self._senders = mode, self._senders_of(mode)

    def add(self, notice: Notice) -> None:
        """Have a notice told; a silence that waits to be told already is not told twice."""
        for line in self._lines:
            newest = next((known for known in reversed(line.waiting) if known.part == notice.part), None)
            if newest is None or newest.what != notice.what:
                line.waiting.append(notice)

    def deliver(self, now_s: float) -> int:
        """Send what is due; return how many were taken. What fails for a time is tried again until it is taken."""
        return sum(self._follow(line, now_s) for line in self._lines)

    def _follow(self, line: Line, now_s: float) -> int:
        taken = 0
        while line.waiting and now_s >= line.not_before_s:
            notice, channel = line.waiting[0], line.reach.channel
            sender = self._senders.get(channel)
            sent = message(notice, line.reach.address, self._mode, self._zone)
            outcome = send_guarded(sender, sent, channel) if sender else Permanent("no such channel")
            line.tries += 1
            if isinstance(outcome, Accepted | HandedOver):
                taken += 1
            else:
                log.error("watch_not_sent", channel=channel, part=notice.part, tries=line.tries, outcome=str(outcome))
            is_doubtful = isinstance(outcome, Temporary) and outcome.most is not None
            line.doubtful = line.doubtful + 1 if is_doubtful else 0
            if isinstance(outcome, Temporary) and (outcome.most is None or line.doubtful < outcome.most):
                wait_s = min(FIRST_BACKOFF_S * 2 ** min(line.tries - 1, 10), MOST_BACKOFF_S)
                line.not_before_s = now_s + max(wait_s, outcome.retry_after_s)
            else:
                line.waiting.popleft()
                line.tries = line.doubtful = 0
        return taken


def message(notice: Notice, address: str, mode: Mode, zone: ZoneInfo) -> Outgoing:
    """Return what is sent about a part, in a drill with its mark; the key is that of this silence."""
    zh, en = NAMES[notice.part]
    mark_zh, mark_en = EXERCISE_MARK if mode is Mode.EXERCISE else ("", "")
    is_silent = notice.what == "silent"
    state_zh, state_en = ("无响应", "is SILENT") if is_silent else ("已恢复", "is back")
    title = f"{mark_zh}【系统】{zh}{state_zh} {mark_en}{en} {state_en}"
    advice = "请人工值守监测并联系维护。 Watch by hand and call maintenance." if is_silent else ""
    facts = f"watch|{notice.part}|{notice.what}|{notice.at.isoformat()}|{address}"
    key = hashlib.sha256(facts.encode()).hexdigest()[:32]
    return Outgoing(
        key, address, title, f"{title}\n时间 time {notice.at.astimezone(zone):%Y-%m-%d %H:%M:%S}\n{advice}", 4
    )
