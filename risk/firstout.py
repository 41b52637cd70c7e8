"""First-out: which alarm of a basin came first, where none of its spaces had one open. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from risk.alarms import Change
from risk.arrays import BoolArray, SiteArrays
from risk.output import RAISED


def first_out(changes: Sequence[Change], open_before: BoolArray, arrays: SiteArrays) -> list[Change]:
    """Mark the first alarm of each basin; of several in one tick the worst, then the first by name.

    Parameters
    ----------
    open_before : ndarray of bool, shape (n_spaces,)
        Which spaces had an alarm before this tick's changes.
    """
    raised = [change for change in changes if change.kind == RAISED]
    if not raised:
        return list(changes)
    taken = {arrays.spaces[row].basin for row in np.flatnonzero(open_before).tolist()}
    first: set[int] = set()
    for change in sorted(raised, key=lambda change: (-change.severity, arrays.spaces[change.space].id)):
        basin = arrays.spaces[change.space].basin
        if basin not in taken:
            taken.add(basin)
            first.add(change.space)
    return [
        replace(change, first_out=True) if change.kind == RAISED and change.space in first else change
        for change in changes
    ]


def worst_by_basin(severity: NDArray[np.int8], arrays: SiteArrays) -> dict[str, tuple[int, str]]:
    """Return severity and subject of the worst open alarm of each basin; of equals the first by name."""
    found: dict[str, tuple[int, str]] = {}
    for row in np.flatnonzero(severity > 0).tolist():
        space, level = arrays.spaces[row], int(severity[row])
        known = found.get(space.basin)
        if known is None or (-level, space.id) < (-known[0], known[1].removeprefix("space/")):
            found[space.basin] = (level, f"space/{space.id}")
    return found
