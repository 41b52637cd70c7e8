"""One queue and one thread per channel: red first, at least once, merged over the limit.

A channel that hangs, or whose sender breaks, holds up itself alone. How often a message failed and when it is tried
again stands with it in the store: a notifier that starts again goes on waiting.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog

from duty.senders.base import Accepted, HandedOver, Outgoing, Permanent, Sender, Temporary
from duty.senders.guarded import send_guarded
from undercroft.clock import Clock
from undercroft.errors import StoreUnavailable
from undercroft.model import Severity
from undercroft.store import duty as store
from undercroft.store.connection import Connection, connect

log = structlog.get_logger(__name__)

WINDOW_S = 60.0
FIRST_BACKOFF_S, MOST_BACKOFF_S = 1.0, 60.0
MOST_DOUBLINGS = 10
MOST_WAIT_S = 600.0
"""What a service may ask for (`duty.senders.http`), so that no clock that was set can make a wait longer. [s]"""
LOOK_EVERY_S = 0.5
AT_ONCE = 500
ANSWER_WITHIN_S = 30.0
"""As the notifier's own: a database that is frozen or gone is left, and connected to anew."""


RED_SHARE = 6
"""One send in so many is kept for red, at least one: of 18 a minute, 3."""


@dataclass(slots=True)
class Limiter:
    """At most so many sends in any 60 seconds; it lives in memory, the service's 429 stands behind it.

    Some are kept for red, so that it finds one whatever else was sent before; where one a minute is all there is, none.
    """

    per_minute: int
    sent: deque[float] = field(default_factory=deque)

    def free(self, now_s: float, severity: int) -> int:
        """Return how many may be sent now of messages of a severity."""
        while self.sent and now_s - self.sent[0] >= WINDOW_S:
            self.sent.popleft()
        kept = 0 if severity >= Severity.RED else self.kept_for_red
        return self.per_minute - len(self.sent) - kept

    @property
    def kept_for_red(self) -> int:
        """How many of a minute's sends only red may use."""
        return min(max(self.per_minute // RED_SHARE, 1), self.per_minute - 1)

    def take(self, now_s: float) -> None:
        """Count one send."""
        self.sent.append(now_s)


SEPARATOR = "\n――――――\n"
"""Between the texts of one send."""


def carried_by_first(rows: Sequence[Mapping[str, Any]], free: int, most_bytes: int | None) -> list[int]:
    """Return which messages the most urgent one carries to its address, when more wait than may be sent.

    As many as the service takes whole beside it, the most urgent first; what does not fit waits for a send of its own.
    Only messages that were never sent, and carry nothing yet, merge, so that a repeated attempt is the same message.

    Parameters
    ----------
    rows : sequence of mapping
        What waits, most urgent first.
    free : int
        How many may be sent now.
    most_bytes : int or None
        How long a text the service takes whole, in UTF-8. [byte]
    """
    if len(rows) <= free:
        return []
    first, *others = [row for row in rows if row["address"] == rows[0]["address"]]
    if not _merges(first):
        return []
    taken, room = [], float("inf") if most_bytes is None else most_bytes - len(first["body"].encode())
    for row in others:
        needs = len((SEPARATOR + row["body"]).encode())
        if _merges(row) and needs <= room:
            taken.append(row["notification_id"])
            room -= needs
    return taken


def _merges(row: Mapping[str, Any]) -> bool:
    return row["attempts"] == 0 and not row["carries"]


@dataclass(slots=True)
class Channel:
    """Sends what waits for one channel."""

    name: str
    sender: Sender
    limiter: Limiter
    clock: Clock
    not_before_s: dict[int, float] = field(default_factory=dict)
    paused_until_s: float = float("-inf")

    def step(self, connection: Connection) -> bool:
        """Send the most urgent message that is due; tell whether there was one."""
        now_s = self.clock.monotonic_s()
        rows = store.open_messages(connection, self.name, AT_ONCE)
        ready = [row for row in rows if self._not_before_s(row, now_s) <= now_s]
        if not ready or now_s < self.paused_until_s:
            return False
        free = self.limiter.free(now_s, ready[0]["severity"])
        if free <= 0:
            return False
        carried = carried_by_first(ready, free, self.sender.most_bytes)
        if carried:
            store.merge(connection, ready[0]["notification_id"], carried)
        self._send(connection, ready[0])
        return True

    def _not_before_s(self, row: dict[str, Any], now_s: float) -> float:
        """Return when a message may be tried; of one that an earlier process tried, what it left of the wait."""
        number, next_try_at = row["notification_id"], row["next_try_at"]
        if next_try_at is None:
            return now_s
        if number not in self.not_before_s:
            left_s = (next_try_at - self.clock.now()).total_seconds()
            self.not_before_s[number] = now_s + min(max(left_s, 0.0), MOST_WAIT_S)
        return self.not_before_s[number]

    def _send(self, connection: Connection, row: dict[str, Any]) -> None:
        number = row["notification_id"]
        carried = store.begin_attempt(connection, number, self.clock.now())
        self.limiter.take(self.clock.monotonic_s())
        body = SEPARATOR.join([row["body"], *carried])
        message = Outgoing(row["key"], row["address"], row["title"], body, row["severity"])
        outcome = send_guarded(self.sender, message, self.name)
        doubtful = row["doubtful"] + 1 if isinstance(outcome, Temporary) and outcome.most is not None else 0
        if isinstance(outcome, Temporary) and _is_exhausted(outcome, doubtful, row["severity"]):
            outcome = Permanent(f"{outcome.error} (answered so {doubtful} times)")
        match outcome:
            case Accepted(receipt):
                self._settle(connection, number, "accepted", receipt, None)
            case HandedOver(receipt):
                self._settle(connection, number, "handed_over", receipt, None)
            case Permanent(error):
                log.error("message_failed", channel=self.name, notification=number, error=error)
                self._settle(connection, number, "failed", None, error)
            case Temporary():
                self._postpone(connection, row, outcome, doubtful)

    def _settle(self, connection: Connection, number: int, state: str, receipt: str | None, error: str | None) -> None:
        store.settle(connection, number, state, self.clock.now(), receipt=receipt, error=error)
        self.not_before_s.pop(number, None)

    def _postpone(self, connection: Connection, row: dict[str, Any], outcome: Temporary, doubtful: int) -> None:
        number, failures = row["notification_id"], row["failures"] + 1
        backoff_s = min(FIRST_BACKOFF_S * 2 ** min(failures - 1, MOST_DOUBLINGS), MOST_BACKOFF_S)
        wait_s = min(max(backoff_s, outcome.retry_after_s), MOST_WAIT_S)
        now_s = self.clock.monotonic_s()
        self.not_before_s[number] = now_s + wait_s
        if outcome.retry_after_s:
            self.paused_until_s = now_s + wait_s
        next_try_at = self.clock.now() + timedelta(seconds=wait_s)
        store.postpone(connection, number, outcome.error, failures=failures, doubtful=doubtful, next_try_at=next_try_at)
        log.warning("message_postponed", channel=self.name, notification=number, error=outcome.error)


def _is_exhausted(outcome: Temporary, doubtful: int, severity: int) -> bool:
    """Tell whether an answer that nobody knows came often enough. Red is tried for ever, and told past it meanwhile."""
    return severity < Severity.RED and outcome.most is not None and doubtful >= outcome.most


class Worker(threading.Thread):
    """Runs a channel until told to stop; survives a database that goes away."""

    def __init__(self, url: str, channel: Channel, stop: threading.Event, on_fault: Callable[[str], None]) -> None:
        super().__init__(name=f"channel-{channel.name}", daemon=True)
        self._url, self._channel, self._end, self._on_fault = url, channel, stop, on_fault
        self._wake = threading.Event()

    def wake(self) -> None:
        """Look at the queue now."""
        self._wake.set()

    def run(self) -> None:
        """Send until told to stop."""
        try:
            while not self._end.is_set():
                try:
                    self._follow()
                except StoreUnavailable as error:
                    log.warning("database_gone", channel=self._channel.name, error=str(error))
                    self._end.wait(1.0)
        except BaseException as error:
            self._on_fault(f"channel {self._channel.name}: {type(error).__name__}: {error}")
            raise

    def _follow(self) -> None:
        name = f"undercroft-duty-{self._channel.name}"
        with closing(
            connect(self._url, application_name=name, autocommit=True, answer_within_s=ANSWER_WITHIN_S)
        ) as connection:
            while not self._end.is_set():
                self._wake.clear()
                if not self._channel.step(connection):
                    self._wake.wait(LOOK_EVERY_S)
