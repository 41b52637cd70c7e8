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
    taken = set(np.unique(arrays.basin_of_space[open_before]).tolist())
    first: set[int] = set()
    for change in sorted(raised, key=lambda change: (-change.severity, arrays.spaces[change.space].id)):
        basin = int(arrays.basin_of_space[change.space])
        if basin not in taken:
            taken.add(basin)
            first.add(change.space)
    return [
        replace(change, first_out=True) if change.kind == RAISED and change.space in first else change
        for change in changes
    ]


def open_by_basin(severity: NDArray[np.int8], arrays: SiteArrays) -> dict[str, dict[str, int]]:
    """Return the severity of every open alarm of a space, by basin and subject."""
    found: dict[str, dict[str, int]] = {}
    for row in np.flatnonzero(severity > 0).tolist():
        space = arrays.spaces[row]
        found.setdefault(space.basin, {})[f"space/{space.id}"] = int(severity[row])
    return found
