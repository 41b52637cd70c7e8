"""One queue and one thread per channel: news first, red first of it, at least once, merged over the limit.

A channel that hangs, or whose sender breaks, holds up itself alone. How often a message failed and when it is tried
again stands with it in the store: a notifier that starts again goes on waiting.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

import structlog

from duty.channels.merging import Waiting, carried_by, next_of, text_of
from duty.channels.retrying import backoff_s, due_of
from duty.model import AGAIN
from duty.senders.base import Accepted, HandedOver, Outgoing, Permanent, Sender, Temporary
from duty.senders.guarded import send_guarded
from undercroft.clock import Clock
from undercroft.errors import StoreUnavailable
from undercroft.model import Severity
from undercroft.store import duty as store
from undercroft.store.connection import Connection, connect

log = structlog.get_logger(__name__)

WINDOW_S = 60.0
SECOND_S = 1.0
MOST_WAIT_S = 600.0
"""What a service may ask for (`duty.senders.http`), so that no clock that was set can make a wait longer. [s]"""
LOOK_EVERY_S = 0.5
AT_ONCE = 500
ANSWER_WITHIN_S = 30.0
"""As the notifier's own: a database that is frozen or gone is left, and connected to anew."""


RED_SHARE = 6
"""One send in so many is kept for red, of 18 a minute 3; at least one, where a minute has more than one."""


OTHERS_FOR_A_FAILURE = 2
"""How many sends others have, while they wait, for each that failed once more at an address that takes nothing."""


@dataclass(slots=True)
class Limiter:
    """At most so many sends in any 60 seconds, those of an earlier process too; the service's 429 stands behind it.

    Some are kept for red, so that it finds one whatever else was sent before; where one a minute is all there is, none.
    A service may allow so many in any second, too.
    """

    per_minute: int
    per_second: int | None = None
    sent: deque[float] = field(default_factory=deque)

    def free(self, now_s: float, severity: int) -> int:
        """Return how many may be sent now of messages of a severity."""
        while self.sent and now_s - self.sent[0] >= WINDOW_S:
            self.sent.popleft()
        red = severity >= Severity.RED
        left = self.per_minute - len(self.sent) - (0 if red else self.kept_for_red)
        if self.per_second is None:
            return left
        lately = sum(now_s - at < SECOND_S for at in self.sent)
        return min(left, self.per_second - lately - (0 if red else _kept_of(self.per_second)))

    @property
    def kept_for_red(self) -> int:
        """How many of a minute's sends only red may use."""
        return _kept_of(self.per_minute)

    def take(self, now_s: float) -> None:
        """Count one send."""
        self.sent.append(now_s)


def _kept_of(most: int) -> int:
    return min(max(most // RED_SHARE, 1), most - 1)


@dataclass(slots=True)
class Channel:
    """Sends what waits for one channel."""

    name: str
    sender: Sender
    limiter: Limiter
    clock: Clock
    not_before_s: dict[int, float] = field(default_factory=dict)
    paused_until_s: float = float("-inf")
    is_restored: bool = False
    owed_to_others: int = 0

    def step(self, connection: Connection) -> bool:
        """Send the most urgent message that is due; tell whether there was one."""
        now_s = self.clock.monotonic_s()
        if not self.is_restored:
            self._restore(connection, now_s)
        if now_s < self.paused_until_s:
            return False
        ready, found = self._next(connection, now_s)
        if found is None:
            return False
        if len(ready) > 1 and any(row["reason"] in AGAIN for row in ready):
            if store.give_way(connection, self.name, AGAIN):
                ready, found = self._next(connection, now_s)
            if found is None:
                return False
        urgent, free = found
        if len(ready) > free:
            known = store.told_before(connection, [row["notification_id"] for row in ready])
            carried = carried_by(urgent, ready, self.sender.most_bytes, known)
            if carried:
                store.merge(connection, urgent["notification_id"], carried)
        self._send(connection, urgent)
        return True

    def _next(self, connection: Connection, now_s: float) -> tuple[list[Waiting], tuple[Waiting, int] | None]:
        """Return what may be tried now, most urgent first, and which of it is sent."""
        rows = store.open_messages(connection, self.name, AT_ONCE, AGAIN)
        ready = due_of(rows, partial(self._not_before_s, now_s=now_s), now_s)
        free = partial(self.limiter.free, now_s)
        return ready, next_of(ready, free, others_first=self.owed_to_others > 0)

    def _restore(self, connection: Connection, now_s: float) -> None:
        """Take in what an earlier process sent within the minute, and how long the service asked to be left alone."""
        now = self.clock.now()
        for at in store.sent_since(connection, self.name, now - timedelta(seconds=WINDOW_S), now):
            self.limiter.take(now_s - (now - at).total_seconds())
        held_until = store.held_until(connection, self.name)
        if held_until is not None:
            self.paused_until_s = now_s + min((held_until - now).total_seconds(), MOST_WAIT_S)
        self.is_restored = True

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
        together = [number, *(other["notification_id"] for other in carried)] if carried else []
        known = store.told_before(connection, together)
        message = Outgoing(row["key"], row["address"], row["title"], text_of(row, carried, known), row["severity"])
        outcome = send_guarded(self.sender, message, self.name)
        if not row["address_failures"]:
            self.owed_to_others = max(self.owed_to_others - 1, 0)
        elif isinstance(outcome, Temporary):
            self.owed_to_others = OTHERS_FOR_A_FAILURE
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
        # An address that has failed for long is not tried anew every second for each message.
        waited_s = backoff_s(max(failures, row["address_failures"]))
        wait_s = min(max(waited_s, outcome.retry_after_s), MOST_WAIT_S)
        now_s = self.clock.monotonic_s()
        self.not_before_s[number] = now_s + wait_s
        if outcome.retry_after_s:
            self.paused_until_s = now_s + wait_s
        next_try_at = self.clock.now() + timedelta(seconds=wait_s)
        store.postpone(
            connection, number, outcome.error, failures=failures, doubtful=doubtful, next_try_at=next_try_at,
            holds_channel=bool(outcome.retry_after_s),
        )  # fmt: skip
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
