"""Ticks that are to be taken, of the log or new ones. A new tick ends before an import of the site. Pure.

Whatever was committed before an import was said of the site of then, also where it comes within one tick: a reading of
a sensor that the import takes out, a report of an entrance that it renames. So a tick of the old site goes before, at
the same time (docs/decisions/0040). A recorded tick covers what it covered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

NEWEST = -1
"""Names the nowcast of the memory after the tick before."""


@dataclass(frozen=True, slots=True)
class PendingTick:
    """A tick to be taken: recorded already, or about to be.

    ``nowcast_id`` names the nowcast in force: the memory after which tick it is made from, `NEWEST` for that after the
    last. ``asked`` says that a later tick took a nowcast made from the memory after this one; ``is_recorded``, that it
    is one of the log. ``nowcast_error``: why the nowcast failed that it would have used.
    """

    tick_seq: int
    tick_at: datetime
    up_to: int
    run_seq: int | None
    nowcast_id: int | None = None
    asked: bool = False
    is_recorded: bool = False
    nowcast_error: str | None = None


def parted(pending: Sequence[PendingTick], after: int, imports: Sequence[int]) -> list[PendingTick]:
    """Return ticks after a point of the commit order, none of them over an import with something before it.

    Parameters
    ----------
    pending : sequence of PendingTick
        In order; all of the log, or all new.
    after : int
        Number up to which ticks were taken.
    imports : sequence of int
        Numbers of the site versions that a site is there before.

    Examples
    --------
    Numbers 8 to 12, of which 10 is an import: a tick up to 9, and one from 10 on.

    >>> at = datetime(2026, 7, 1)
    >>> [(tick.tick_seq, tick.up_to) for tick in parted([PendingTick(3, at, 12, None)], 7, [10])]
    [(3, 9), (4, 12)]
    """
    if not imports or pending[0].is_recorded:
        return list(pending)
    parts: list[PendingTick] = []
    for entry in pending:
        ends = [number - 1 for number in imports if after < number - 1 < entry.up_to]
        parts += [*(replace(entry, up_to=end, run_seq=None) for end in ends), entry]
        after = entry.up_to
    first = pending[0].tick_seq
    return [replace(part, tick_seq=first + number) for number, part in enumerate(parts)]
