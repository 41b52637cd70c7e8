"""Which packet identifiers of an MQTT session may stand for a message that comes again. Pure.

A broker delivers again only what it has not seen acknowledged, and gives a number to another message as soon as it
has. So what is known under a number holds for as long as its message may be in flight, and no longer:

- With a connection the broker delivers again all that was in flight, marked, in order, and before anything new (MQTT
  3.1.1, 4.4 and 4.6). At the first unmarked message all numbers are free that did not come again.
- On one connection at most `FORGET_AFTER` messages are committed and not acknowledged. A number is free when so many
  came after it: it is forgotten after one to two times as many.

Numbers are forgotten, and that is committed, before the message is written that shows it. A broker gives all 65,535 in
turn, so none is used again while it is remembered.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from ingest.batch import Message

FORGET_AFTER = 10_000
"""Above the window of a session (4,000), which bounds what is read and not committed. [messages]"""


class SessionNumbers:
    """Of one connection."""

    def __init__(self, forget_after: int = FORGET_AFTER) -> None:
        self._forget_after = forget_after
        self._is_past_again = False
        self._taken = 0
        self._recent: set[int] = set()

    def to_keep(self, messages: Sequence[Message]) -> Collection[int] | None:
        """Return the numbers to be remembered if all others are to be forgotten before these are written."""
        if not self._is_past_again:
            if all(message.is_again or not message.mid for message in messages):
                return None
            return self._recent | {message.mid for message in messages if message.is_again}
        return self._recent if self._taken >= self._forget_after else None

    def forgot(self, kept: Collection[int]) -> None:
        """Note that all others were forgotten, for good."""
        self._recent = set() if self._is_past_again else set(kept)
        self._is_past_again = True
        self._taken = 0

    def took(self, messages: Sequence[Message], remembered: Iterable[int]) -> None:
        """Note that messages were written, and under which numbers it is remembered how they came."""
        self._taken += len(messages)
        self._recent.update(remembered)
        if not self._is_past_again:
            self._recent.update(message.mid for message in messages)
