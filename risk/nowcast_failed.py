"""A nowcast that fails ends no tick: the tick says so in `system/nowcast-failed`, and goes on with the last. Pure."""

from __future__ import annotations

from traceback import format_tb

from risk.conditions import KIND, Conditions
from risk.thresholds import NOWCAST_TOLD_S
from risk.warnings import Act

CONDITION = "nowcast-failed"
SUBJECT = f"system/{CONDITION}"
AUTHOR = "engine"
MOST_LETTERS = 200
LAST_CALLS = 4
AGAIN_US = 60_000_000
"""What goes on failing is told once a minute. [µs]"""


def words_of_error(error: BaseException) -> str:
    r"""Return an error as one short line.

    Examples
    --------
    >>> words_of_error(ValueError("no moment\nat all"))
    'ValueError: no moment at all'
    """
    return " ".join(f"{type(error).__name__}: {error}".split())[:MOST_LETTERS]


def where_of_error(error: BaseException) -> list[str]:
    """Return the last calls that led to an error, plainly, for the tick waits; another process has noted them."""
    return [*getattr(error, "__notes__", ()), *(line.strip() for line in format_tb(error.__traceback__)[-LAST_CALLS:])]


def told_of_nowcast(
    conditions: Conditions, error: str | None, *, is_made: bool, tick_us: int, up_to: int
) -> list[Act]:  # fmt: skip
    """Return what a tick tells of its nowcast: that it failed, or that one was made 5 minutes after the last that did.

    Parameters
    ----------
    error : str or None
        Why one failed since the last tick.
    is_made : bool
        Whether this tick took a new one.
    """
    alarm = conditions.get(SUBJECT)
    known = None if alarm is None else alarm.told.get(CONDITION)
    if error is not None:
        if known is not None and tick_us - known.told_us < AGAIN_US:
            return []
        body = {"is_active": True, "detail": error}
    elif is_made and known is not None and tick_us - known.told_us >= NOWCAST_TOLD_S.value * 1e6:
        body = {"is_active": False}
    else:
        return []
    return [Act(up_to, KIND, SUBJECT, AUTHOR, tick_us, body)]
