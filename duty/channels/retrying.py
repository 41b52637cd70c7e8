"""When what failed is tried again: an address that takes nothing costs its channel one send a wait. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from duty.channels.merging import Waiting

FIRST_BACKOFF_S, MOST_BACKOFF_S = 1.0, 60.0
MOST_DOUBLINGS = 10


def backoff_s(failures: int) -> float:
    """Return how long to wait after so many failures in a row. [s]

    Examples
    --------
    >>> [backoff_s(failures) for failures in (1, 2, 6, 7, 5000)]
    [1.0, 2.0, 32.0, 60.0, 60.0]
    """
    return min(FIRST_BACKOFF_S * 2.0 ** min(failures - 1, MOST_DOUBLINGS), MOST_BACKOFF_S)


def due_of(rows: Iterable[Waiting], not_before_s: Callable[[Waiting], float], now_s: float) -> list[Waiting]:
    """Return what may be tried now, in the order given: of all that failed for one address, one message at a time.

    What never failed has its first try at once. An address that failed is tried again when the longest of its waits is
    over: with the message that failed most often, until its wait is the longest there is, then each in its turn, since
    it may be the message that cannot be taken. Once one is taken the others follow.

    Parameters
    ----------
    rows : iterable of mapping
        What waits, most urgent first.
    not_before_s : callable
        When a message may be tried. [s]
    """
    waiting = [(row, not_before_s(row)) for row in rows]
    failed: dict[str, list[tuple[Waiting, float]]] = {}
    for row, at_s in waiting:
        if row["failures"]:
            failed.setdefault(row["address"], []).append((row, at_s))
    turns = {_turn_of(entries) for entries in failed.values() if max(at_s for _, at_s in entries) <= now_s}
    return [
        row for row, at_s in waiting if (row["notification_id"] in turns if row["failures"] else at_s <= now_s)
    ]  # fmt: skip


def _turn_of(entries: list[tuple[Waiting, float]]) -> int:
    """Return which of the messages that failed for an address is tried next."""
    most, _ = max(entries, key=lambda entry: (entry[0]["failures"], -entry[0]["notification_id"]))
    if backoff_s(most["failures"]) >= MOST_BACKOFF_S:
        most, _ = min(entries, key=lambda entry: (entry[1], entry[0]["notification_id"]))
    return int(most["notification_id"])
