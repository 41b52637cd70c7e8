"""The forecast family: likely times to orange and red, and a probable orange; see docs/risk.md.

The sooner of the simple forecast and the ensemble's likely time counts. A forecast alone never gives red.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk.arrays import NEVER_US, BoolArray, FloatArray, IntArray, SiteArrays
from risk.forecast import TimeToThreshold, forecast
from risk.nowcast.summary import WITHIN_MIN
from risk.state import EngineState
from risk.statics import SiteStatics
from risk.thresholds import HORIZON_MIN, WET_DEPTH_M

ORANGE_WITHIN_MIN = 30.0
"""A forecast of orange within this raises orange where it is probable enough. [min]"""


@dataclass(frozen=True, slots=True)
class Soon:
    """What is forecast at a tick.

    Attributes
    ----------
    severity : ndarray, shape (N,)
        Of the forecast family.
    soonest : TimeToThreshold
        The likely times, the sooner of the two ways.
    by_ensemble : ndarray, shape (2, N)
        Where the ensemble's is the sooner, orange and red.
    likely : ndarray, shape (N,)
        Probability of orange within half an hour, 0 where it stands already.
    """

    severity: NDArray[np.int8]
    soonest: TimeToThreshold
    by_ensemble: BoolArray
    likely: FloatArray


def forecast_family(
    state: EngineState,
    arrays: SiteArrays,
    statics: SiteStatics,
    known: tuple[BoolArray, BoolArray],
    held: tuple[FloatArray, FloatArray, IntArray],
    touched: BoolArray,
    tick_us: int,
) -> Soon:
    """Return what is forecast, and keep the last that met its limit, which an alarm that stands quotes.

    Parameters
    ----------
    known : tuple of ndarray, shapes (E,) and (S,)
        Barriers known to be deployed, pump sensors whose pumps are known to run.
    held : tuple of ndarray, shapes (L,), (4, L) and (rows,)
        Depths, thresholds in force, and the level sensors that matter.
    touched : ndarray, shape (N,)
        Spaces with new evidence.
    """
    simple = forecast(state, arrays, statics.storage, held[1], statics.levels.rising_m, known, touched)
    soonest, by_ensemble, likely = with_ensemble(state, arrays, simple, held)
    soon = (
        soonest.orange_min <= statics.to_orange_min,
        soonest.red_min <= statics.to_red_min,
        likely >= statics.orange_share,
    )
    for place, found in enumerate((soonest.orange_min, soonest.red_min, likely)):
        met = np.flatnonzero(soon[place] & touched)
        state.met[met, place], state.met_us[met, place] = found[met], tick_us
    severity = np.maximum(soon[0].view(np.int8) * np.int8(2), (soon[1] | soon[2]).view(np.int8) * np.int8(3))
    return Soon(severity, soonest, by_ensemble, likely)


def with_ensemble(
    state: EngineState, arrays: SiteArrays, simple: TimeToThreshold, held: tuple[FloatArray, FloatArray, IntArray]
) -> tuple[TimeToThreshold, BoolArray, FloatArray]:
    """Return the soonest times, which of them are the ensemble's, and how probable orange within half an hour is.

    The sooner of the simple forecast and the ensemble's likely time counts. The last finished nowcast counts only where
    water still stands, and only ever brings a time forward: it is of a memory a tick or more old, the simple forecast
    is of now. The probability is 0 where orange stands already. Shape of the second: (2, N), orange and red; of the
    third: (N).
    """
    by_ensemble, likely = np.zeros((2, arrays.n_spaces), np.bool_), np.zeros(arrays.n_spaces)
    depth, least, rows = held
    rows = rows[depth[rows] >= WET_DEPTH_M.value]
    rows = rows[state.ahead_us[arrays.l_space[rows]] != NEVER_US]
    space = arrays.l_space[rows]
    if rows.size == 0:
        return simple, by_ensemble, likely
    found = np.stack((simple.orange_min, simple.red_min))
    ahead = np.full(found.shape, np.inf)
    ahead[:, space] = state.ahead_min[space, :, 1].T
    likely[space] = np.nan_to_num(state.ahead_p[space, 0, WITHIN_MIN.index(ORANGE_WITHIN_MIN)])
    likely[space[depth[rows] >= least[2, rows]]] = 0.0
    for row, severity_row in enumerate((2, 3)):
        ahead[row, space[depth[rows] >= least[severity_row, rows]]] = np.inf  # it is there already
    sooner = (ahead <= HORIZON_MIN.value) & ~(found <= ahead)
    found[sooner] = ahead[sooner]
    by_ensemble |= sooner
    return TimeToThreshold(found[0], found[1]), by_ensemble, likely


def ahead_only(times: TimeToThreshold, level: NDArray[np.int8]) -> TimeToThreshold:
    """Return the times without those to levels that a space has reached, whatever brought it there."""
    orange_min, red_min = times.orange_min.copy(), times.red_min.copy()
    orange_min[level >= 3] = red_min[level >= 4] = np.nan
    return TimeToThreshold(orange_min, red_min)
