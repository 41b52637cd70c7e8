"""What the ensemble says in numbers: earliest, likely and latest time, and probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk.hydraulics.arrays import BoolArray, FloatArray
from risk.nowcast.members import SHARES

WITHIN_MIN = (15.0, 30.0, 60.0)
EARLY, LIKELY, LATE = 0.05, 0.50, 0.95


@dataclass(frozen=True, slots=True, eq=False)
class NowcastResult:
    """Nowcast of S spaces for K thresholds. Infinite: not reached within 60 min. NaN: unknown, the space is blind.

    Attributes
    ----------
    earliest_min, likely_min, latest_min : ndarray, shape (K, S)
        5, 50 and 95 % points of the time to each threshold. [min]
    probability : ndarray, shape (3, K, S)
        That it is reached within 15, 30 and 60 minutes.
    last_order_min : ndarray, shape (K, S)
        See `risk.nowcast.deadline`. [min]
    member_min : ndarray, shape (K, paths, barriers, pumps, S)
        Time of every member, for the list of what drove the forecast. [min]
    """

    earliest_min: FloatArray
    likely_min: FloatArray
    latest_min: FloatArray
    probability: FloatArray
    last_order_min: FloatArray
    member_min: NDArray[np.float32]


def dry(thresholds: int, spaces: int) -> NowcastResult:
    """Return the nowcast of spaces that stay dry: nothing is reached."""
    shape = (thresholds, spaces)
    return NowcastResult(
        np.full(shape, np.inf),
        np.full(shape, np.inf),
        np.full(shape, np.inf),
        np.zeros((len(WITHIN_MIN), *shape)),
        np.full(shape, np.inf),
        np.full((thresholds, *SHARES.shape, spaces), np.inf, dtype=np.float32),
    )


def weighted_quantiles(
    values: FloatArray | NDArray[np.float32], share: FloatArray, points: tuple[float, ...]
) -> list[FloatArray]:
    """Return the values at which the shares of the sorted values first reach some points, along the axis but one.

    Parameters
    ----------
    values : ndarray, shape (..., members, spaces)
        Values, infinite ones included.
    share : ndarray, shape (members,)
        Shares, together 1.
    points : tuple of float
        0 to 1.

    Notes
    -----
    By hand: values 3, 1, 2 with shares 0.5, 0.2, 0.3: sorted 1 (0.2), 2 (0.5), 3 (1.0): the median is 2.
    """
    by_space = np.ascontiguousarray(np.swapaxes(values, -1, -2))
    order = np.argsort(by_space, axis=-1, kind="stable")
    reached = np.cumsum(share[order], axis=-1)
    ordered = np.take_along_axis(by_space, order, axis=-1)
    ranks = [np.argmax(reached >= point - 1e-9, axis=-1)[..., None] for point in points]
    return [np.take_along_axis(ordered, rank, axis=-1)[..., 0].astype(np.float64) for rank in ranks]


def summarise(
    result: NowcastResult,
    chosen: NDArray[np.int64],
    minutes: NDArray[np.float32],
    share: FloatArray,
    order: FloatArray,
    unknown: BoolArray,
) -> None:
    """Write the nowcast of some spaces into the result.

    Parameters
    ----------
    minutes : ndarray, shape (K, paths, barriers, pumps, S)
        Members that can differ. [min]
    share : ndarray, shape (paths, barriers, pumps)
        Their shares.
    order : ndarray, shape (K, S)
        Last minutes of the order. [min]
    """
    flat, shares = minutes.reshape(minutes.shape[0], -1, chosen.size), share.ravel()
    times = weighted_quantiles(flat, shares, (EARLY, LIKELY, LATE))
    for time, into in zip(times, (result.earliest_min, result.likely_min, result.latest_min), strict=True):
        into[:, chosen] = np.where(unknown, np.nan, time)
    for k, within in enumerate(WITHIN_MIN):
        reached = np.where(flat <= within, shares[:, None], 0.0).sum(axis=1)
        result.probability[k][:, chosen] = np.where(unknown, np.nan, np.minimum(reached, 1.0))
    result.last_order_min[:, chosen] = np.where(unknown, np.nan, order)
    result.member_min[..., chosen] = np.where(unknown, np.float32(np.nan), minutes)
