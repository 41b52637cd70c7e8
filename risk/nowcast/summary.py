"""What the ensemble says in numbers: earliest, likely and latest time, and probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk.hydraulics.arrays import BoolArray, FloatArray

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
    last_order_min : ndarray, shape (S,)
        See `risk.nowcast.deadline`. [min]
    member_min : ndarray, shape (K, members, S)
        Time of every member, for the list of what drove the forecast. [min]
    """

    earliest_min: FloatArray
    likely_min: FloatArray
    latest_min: FloatArray
    probability: FloatArray
    last_order_min: FloatArray
    member_min: NDArray[np.float32]


def dry(thresholds: int, spaces: int, members: int) -> NowcastResult:
    """Return the nowcast of spaces that stay dry: nothing is reached."""
    shape = (thresholds, spaces)
    return NowcastResult(
        np.full(shape, np.inf),
        np.full(shape, np.inf),
        np.full(shape, np.inf),
        np.zeros((len(WITHIN_MIN), *shape)),
        np.full(spaces, np.inf),
        np.full((thresholds, members, spaces), np.inf, dtype=np.float32),
    )


def weighted_quantile(values: FloatArray, share: FloatArray, point: float) -> FloatArray:
    """Return the value at which the shares of the sorted values first reach a point, along the first axis but last.

    Parameters
    ----------
    values : ndarray, shape (..., members, spaces)
        Values, infinite ones included.
    share : ndarray, shape (members,)
        Shares, together 1.
    point : float
        0 to 1.

    Notes
    -----
    By hand: values 3, 1, 2 with shares 0.5, 0.2, 0.3: sorted 1 (0.2), 2 (0.5), 3 (1.0): the median is 2.
    """
    order = np.argsort(values, axis=-2, kind="stable")
    reached = np.cumsum(share[order], axis=-2) >= point - 1e-9
    rank = np.argmax(reached, axis=-2)[..., None, :]
    return np.asarray(np.take_along_axis(np.take_along_axis(values, order, axis=-2), rank, axis=-2)[..., 0, :])


def summarise(
    result: NowcastResult,
    chosen: NDArray[np.int64],
    minutes: FloatArray,
    share: FloatArray,
    order_min: FloatArray,
    unknown: BoolArray,
) -> None:
    """Write the nowcast of some spaces into the result."""
    for point, into in ((EARLY, result.earliest_min), (LIKELY, result.likely_min), (LATE, result.latest_min)):
        into[:, chosen] = np.where(unknown, np.nan, weighted_quantile(minutes, share, point))
    for k, within in enumerate(WITHIN_MIN):
        reached = ((minutes <= within) * share[:, None]).sum(axis=1)
        result.probability[k][:, chosen] = np.where(unknown, np.nan, np.minimum(reached, 1.0))
    result.last_order_min[chosen] = np.where(unknown, np.nan, order_min)
    result.member_min[:, :, chosen] = np.where(unknown, np.nan, minutes)
