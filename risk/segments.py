"""Rows of an axis that belong together: runs for a maximum per target, and the rows of each space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from risk.arrays import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Segments:
    """Contiguous runs of rows that belong to the same target, for a maximum per target."""

    starts: IntArray
    targets: IntArray
    size: int

    @classmethod
    def of(cls, targets: IntArray, size: int) -> Segments:
        """Return the runs of rows sorted by target."""
        if targets.size == 0:
            return cls(np.zeros(0, np.int64), np.zeros(0, np.int64), size)
        starts = np.flatnonzero(np.concatenate(([True], targets[1:] != targets[:-1])))
        return cls(starts, targets[starts], size)

    def fmax(self, values: FloatArray) -> FloatArray:
        """Return the greatest known value of each target; NaN where it has none."""
        alone = self.starts.size == values.size  # one row each, as most sites have it
        if alone and self.starts.size == self.size:
            return values
        out = np.full(self.size, np.nan)
        if self.starts.size:
            out[self.targets] = values if alone else np.fmax.reduceat(values, self.starts)
        return out

    def maximum(self, values: NDArray[np.generic], fill: float) -> NDArray[np.generic]:
        """Return the greatest value of each target over the last axis; ``fill`` where it has no row."""
        out = np.full((*values.shape[:-1], self.size), fill, dtype=values.dtype)
        if self.starts.size:
            out[..., self.targets] = np.maximum.reduceat(values, self.starts, axis=-1)
        return out


@dataclass(frozen=True, slots=True)
class RowsBySpace:
    """Which rows of an axis belong to each space: those of a space lie one after another, from its start on."""

    rows: IntArray
    starts: IntArray

    @classmethod
    def of_rows(cls, rows: IntArray, space_of: IntArray, n_spaces: int) -> RowsBySpace:
        """Return some rows by the space that ``space_of`` names for each row of the axis, -1 for none."""
        rows = rows[space_of[rows] >= 0]
        rows = rows[np.argsort(space_of[rows], kind="stable")]
        return cls(rows, np.searchsorted(space_of[rows], np.arange(n_spaces + 1)))

    def __getitem__(self, space: int) -> IntArray:
        return self.rows[self.starts[space] : self.starts[space + 1]]

    def of(self, spaces: IntArray) -> tuple[IntArray, IntArray]:
        """Return the rows of some spaces one after another, and to which of the spaces each belongs."""
        first = self.starts[spaces]
        counts = self.starts[spaces + 1] - first
        of_space = np.repeat(np.arange(spaces.size), counts)
        before = np.cumsum(counts) - counts
        return self.rows[np.arange(of_space.size) + (first - before)[of_space]], of_space
