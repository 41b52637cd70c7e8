"""Places where a test kills the process, to prove that nothing is lost there. Without the variable they do nothing.

``UNDERCROFT_FAILPOINT=after_insert:3`` kills (-9) at the third passage of that place, ``after_insert:3:freeze`` stops
it there (SIGSTOP).
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Mapping

VARIABLE = "UNDERCROFT_FAILPOINT"
PLACES = ("before_insert", "after_insert", "after_commit", "before_ack", "after_ack")

Failpoint = Callable[[str], None]


def no_failpoint(place: str) -> None:
    """Pass."""
    del place


def failpoint_from(environment: Mapping[str, str]) -> Failpoint:
    """Return what to call at each place.

    Raises
    ------
    ValueError
        If the variable names no place.
    """
    setting = environment.get(VARIABLE, "")
    if not setting:
        return no_failpoint
    wanted, *rest = setting.split(":")
    passages, how = [*rest, "", ""][:2]
    number = signal.SIGSTOP if how == "freeze" else signal.SIGKILL
    if wanted not in PLACES:
        raise ValueError(f"{VARIABLE}: {wanted} is none of {', '.join(PLACES)}")
    left = int(passages or 1)

    def strike(place: str) -> None:
        nonlocal left
        if place == wanted:
            left -= 1
            if left == 0:  # to this thread: sent to the process, another might take it, and this one go on a little
                signal.pthread_kill(threading.get_ident(), number)

    return strike
