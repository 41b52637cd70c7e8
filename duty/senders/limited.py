"""An end to every attempt, whatever it hangs in: a name that is not resolved, a service of Apprise without a limit.

The attempt runs in a thread of its own, and is left when its time is over. It may still end well: then its outcome is
that of the next try of the same message, which is not sent again meanwhile.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from duty.senders.base import Outcome, Outgoing, Sender, Temporary

MOST_HANGING = 8
"""Attempts of one channel that may hang at once; until one ends, nothing new is begun."""

GIVEN_UP_AFTER_S = 600.0
"""When an attempt that hangs is forgotten, so that its message is tried anew and others are begun. [s]"""


class _Attempt:
    """One send in a thread of its own."""

    def __init__(self, sender: Sender, message: Outgoing, began_s: float) -> None:
        self.began_s, self.ended = began_s, threading.Event()
        self._outcome: Outcome | None = None
        self._error: BaseException | None = None
        threading.Thread(target=self._run, args=(sender, message), name="attempt", daemon=True).start()

    def _run(self, sender: Sender, message: Outgoing) -> None:
        try:
            self._outcome = sender.send(message)
        except BaseException as error:  # noqa: BLE001 - raised where the outcome is asked for
            self._error = error
        self.ended.set()

    def outcome(self) -> Outcome:
        """Return how it ended, or raise what it raised."""
        if self._outcome is None:
            assert self._error is not None  # noqa: S101 - it ended
            raise self._error
        return self._outcome


@dataclass(slots=True)
class Limited:
    """A sender that always answers in time. Used by one thread.

    Attributes
    ----------
    within_s : float
        How long an attempt is waited for. [s]
    """

    sender: Sender
    within_s: float
    monotonic_s: Callable[[], float] = time.monotonic
    _left: dict[str, _Attempt] = field(default_factory=dict)

    @property
    def most_bytes(self) -> int | None:
        """How long a body the service takes whole. [byte]"""
        return self.sender.most_bytes

    def send(self, message: Outgoing) -> Outcome:
        """Send, and wait so long; of a message whose attempt was left, tell how that one ended."""
        now_s = self.monotonic_s()
        self._left = {key: one for key, one in self._left.items() if now_s - one.began_s < GIVEN_UP_AFTER_S}
        left = self._left.get(message.key)
        if left is not None and not left.ended.is_set():
            return Temporary(f"the attempt before has not ended for {now_s - left.began_s:.0f} s")
        hanging = sum(not one.ended.is_set() for one in self._left.values())
        if left is None and hanging >= MOST_HANGING:
            return Temporary(f"{hanging} attempts before have not ended")
        attempt = left or _Attempt(self.sender, message, now_s)
        if not attempt.ended.wait(self.within_s):
            self._left[message.key] = attempt
            return Temporary(f"no end within {self.within_s:g} s")
        self._left.pop(message.key, None)
        return attempt.outcome()
