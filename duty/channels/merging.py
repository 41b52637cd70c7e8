"""What one send carries when more waits for a channel than it takes in a minute. Pure.

News (first, worse, escalated, all clear) goes before what is told again, and within both red goes first. Whoever waits
longest of equals is next, so the k-th red news that waits is sent within ceil(k / sends a minute) minutes, however much
is told again: of any 60 s the channel has all its sends for it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from duty.model import Reason
from duty.telling.texts import TIME_LINE
from undercroft.model import Severity

Waiting = dict[str, Any]
"""A row of ``duty_open_messages``."""

SEPARATOR = "\n――――――\n"
"""Between the texts of one send."""


def next_of(
    rows: Sequence[Waiting], free: Callable[[int], int], *, others_first: bool = False
) -> tuple[Waiting, int] | None:
    """Return the message to be sent now, and how many sends it finds; None: all wait for the limit.

    What is kept for red is used by red that is told again, too, while lesser news waits before it.

    Parameters
    ----------
    rows : sequence of mapping
        What is due, most urgent first.
    free : callable
        How many may be sent now of messages of a severity.
    others_first : bool
        Whether addresses that took nothing last wait while there is something for others, and a send for it.
    """
    others = [row for row in rows if not row["address_failures"]] if others_first else []
    for queue in (others, rows):
        for row in (*queue[:1], *(row for row in queue if row["severity"] >= Severity.RED)):
            left = free(row["severity"])
            if left > 0:
                return row, left
    return None


def carried_by(carrier: Waiting, rows: Iterable[Waiting], most_bytes: int | None, known: Collection[int]) -> list[int]:
    """Return which messages one carries to its address: as many as the service takes whole, the most urgent first.

    Only messages that were never sent, and carry nothing yet, merge, so that a repeated attempt is the same message.
    Repeats are told short where they share a send and whoever gets them had the full words of their incident before.

    Parameters
    ----------
    rows : iterable of mapping
        What waits, most urgent first.
    most_bytes : int or None
        How long a text the service takes whole, in UTF-8. [byte]
    known : collection of int
        Messages of whose incident the same people had the full words before, at the same address.
    """
    if not _merges(carrier):
        return []
    taken, room = [], float("inf") if most_bytes is None else most_bytes - len(text_in_company(carrier, known).encode())
    for row in rows:
        needs = len((SEPARATOR + text_in_company(row, known)).encode())
        is_other = row["address"] == carrier["address"] and row["notification_id"] != carrier["notification_id"]
        if is_other and _merges(row) and needs <= room:
            taken.append(row["notification_id"])
            room -= needs
    return taken


def _merges(row: Waiting) -> bool:
    return row["attempts"] == 0 and not row["carries"]


def text_of(carrier: Waiting, carried: Sequence[Waiting], known: Collection[int] = ()) -> str:
    """Return what is sent of a message with those that it carries; ``known`` as in `carried_by`."""
    if not carried:
        return str(carrier["body"])
    return SEPARATOR.join(text_in_company(row, known) for row in (carrier, *carried))


def text_in_company(row: Waiting, known: Collection[int]) -> str:
    r"""Return a message's text beside others: a repeat of what is known up to its time and incident, all else in full.

    Examples
    --------
    >>> body = "【红色】北区（重复）\n时间 time 2026-07-02 00:12:00  事件 incident north-1\n· 红色 车库"
    >>> row = {"notification_id": 7, "reason": "repeat", "body": body}
    >>> text_in_company(row, {7})
    '【红色】北区（重复）\n时间 time 2026-07-02 00:12:00  事件 incident north-1'
    >>> text_in_company(row, set()) == body
    True
    """
    lines = str(row["body"]).splitlines()
    if row["reason"] != Reason.REPEAT or row["notification_id"] not in known:
        return str(row["body"])
    end = next((number for number, line in enumerate(lines, 1) if line.startswith(TIME_LINE)), len(lines))
    return "\n".join(lines[:end])
