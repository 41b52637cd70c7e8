"""What was sent to whom and what became of it, for whoever asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from undercroft.store.connection import Connection
from undercroft.store.duty import Row, rows

STATES = ("queued", "sending", "accepted", "handed_over", "merged", "held", "failed")
OPEN = ("queued", "sending", "merged")
"""States of what is still to be taken; ``open`` stands for them."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which messages are wanted; None: whatever it is."""

    incident_id: str | None = None
    alarm: str | None = None
    """A subject that the message tells of."""
    person_id: str | None = None
    channel: str | None = None
    states: Sequence[str] | None = None


def notifications(connection: Connection, asked: Asked, limit: int, before: int | None = None) -> list[Row]:
    """Return messages, newest first; with ``before`` those queued before that one."""
    return rows(connection, "notifications_list", **asdict(asked), limit=limit, before=before)


def notification(connection: Connection, notification_id: int) -> Row | None:
    """Return one message with its text and the numbers of those that it carries."""
    return next(iter(rows(connection, "notifications_one", notification_id=notification_id)), None)


def states_of(word: str | None) -> list[str] | None:
    """Return the states that a word of a filter stands for.

    Examples
    --------
    >>> states_of("open"), states_of("failed"), states_of(None)
    (['queued', 'sending', 'merged'], ['failed'], None)
    """
    if word is None:
        return None
    return list(OPEN) if word == "open" else [word]
