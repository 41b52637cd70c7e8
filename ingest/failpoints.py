"""Places where a test kills the process, to prove that nothing is lost there. Without the variable they do nothing.

``UNDERCROFT_FAILPOINT=after_insert:3`` kills (-9) at the third passage of that place.
"""

from __future__ import annotations

import os
import signal
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
    wanted, _, passages = setting.partition(":")
    if wanted not in PLACES:
        raise ValueError(f"{VARIABLE}: {wanted} is none of {', '.join(PLACES)}")
    left = int(passages or 1)

    def strike(place: str) -> None:
        nonlocal left
        if place == wanted:
            left -= 1
            if left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return strike
