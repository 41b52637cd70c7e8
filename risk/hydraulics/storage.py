"""Storage of a space: volume at a depth, and depth at a volume, from its hypsometric table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from risk.hydraulics.arrays import FloatArray, at_least_zero, floats, wet


@dataclass(frozen=True, slots=True, eq=False)
class StorageCurve:
    """A hypsometric table: plan area at a depth over the floor, linear in between, constant above the last row.

    Attributes
    ----------
    depth_m : ndarray
        Depths of the rows, rising from 0 (a first row above 0 holds down to the floor). [m]
    area_m2 : ndarray
        Plan area at each depth, above 0. [m²]
    volume_m3 : ndarray
        Volume below each depth, made from the other two. [m³]

    Notes
    -----
    Volume is the integral of the area: within a row exactly quadratic in depth, so that the inverse is a square root
    and no water is made or lost by going there and back.

    By hand: area 10 m² at 0 m and 30 m² at 2 m: V(1) = 10 * 1 + (20 / 2) * 1² / 2 = 15 m³; V(2) = 40 m³; with constant
    area above, V(3) = 40 + 30 = 70 m³.
    """

    depth_m: FloatArray
    area_m2: FloatArray
    volume_m3: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        depth, area = floats(self.depth_m), floats(self.area_m2)
        if depth.ndim != 1 or depth.shape != area.shape or depth.size == 0:
            raise ValueError("depth_m and area_m2 must be two rows of equal length, at least 1")
        if not (np.all(np.isfinite(depth)) and np.all(np.isfinite(area))):
            raise ValueError("depth_m and area_m2 must be finite")
        if depth[0] < 0.0 or np.any(np.diff(depth) <= 0.0):
            raise ValueError("depth_m must rise from row to row and start at 0 or above")
        if np.any(area <= 0.0):
            raise ValueError("area_m2 must be above 0")
        if depth[0] > 0.0:
            depth, area = np.insert(depth, 0, 0.0), np.insert(area, 0, area[0])
        layers = np.diff(depth) * (area[1:] + area[:-1]) / 2.0
        object.__setattr__(self, "depth_m", depth)
        object.__setattr__(self, "area_m2", area)
        object.__setattr__(self, "volume_m3", np.concatenate(([0.0], np.cumsum(layers))))

    @classmethod
    def from_rows(cls, rows: Iterable[tuple[float, float]]) -> StorageCurve:
        """Return the curve of ``(depth_m, area_m2)`` rows, in any order."""
        depth, area = zip(*sorted(rows), strict=True)
        return cls(floats(depth), floats(area))

    def _slopes(self) -> FloatArray:
        """Growth of area with depth in each row; 0 above the last. [m]"""
        return np.append(np.diff(self.area_m2) / np.diff(self.depth_m), 0.0)

    def volume_at_m3(self, depth_m: ArrayLike) -> FloatArray:
        """Return the volume below a depth; 0 at or below the floor, NaN where the depth is unknown. [m³]"""
        depth = wet(depth_m)
        row = np.clip(np.searchsorted(self.depth_m, depth, side="right") - 1, 0, self.depth_m.size - 1)
        over = depth - self.depth_m[row]
        return floats(self.volume_m3[row] + over * (self.area_m2[row] + 0.5 * self._slopes()[row] * over))

    def depth_at_m(self, volume_m3: ArrayLike) -> FloatArray:
        """Return the depth that a volume fills to, the inverse of `volume_at_m3`; NaN where it is unknown. [m]

        Within a row ``V = a d + s d²/2``, so ``d = 2 V / (a + sqrt(a² + 2 s V))``, which also holds for s = 0.
        """
        volume = at_least_zero("volume_m3", volume_m3)
        row = np.clip(np.searchsorted(self.volume_m3, volume, side="right") - 1, 0, self.volume_m3.size - 1)
        over, area, slope = volume - self.volume_m3[row], self.area_m2[row], self._slopes()[row]
        root = np.sqrt(np.maximum(area * area + 2.0 * slope * over, 0.0))
        return floats(self.depth_m[row] + 2.0 * over / (area + root))
