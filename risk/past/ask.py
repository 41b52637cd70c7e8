"""The library of floods asked for the spaces that only their own water tells of, and its answer put into a nowcast.

It speaks where the deepest level sensor inside is one that it knows, is heard now, and has nothing doubtful against it;
elsewhere the nowcast stays what it is without a library (docs/decisions/0032). Where that sensor falls silent or is
doubted after the library spoke, its last answer stays as the least that is said, until the deepest is heard well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from risk.arrays import NEVER_US, BoolArray, FloatArray, IntArray, SiteArrays
from risk.nowcast.summary import EARLY, LATE, LIKELY, WITHIN_MIN
from risk.past.foreseen import PastAsked, foreseen, times_min
from risk.past.inforce import Past
from risk.past.present import Wet
from risk.past.traces import AHEAD_MIN
from risk.state import EngineState

WITHIN = [AHEAD_MIN.index(within) for within in WITHIN_MIN]


@dataclass(frozen=True, slots=True, eq=False)
class PastOfSite:
    """A library in force on a site: its row of every level sensor, -1 where it says nothing."""

    past: Past
    rows: IntArray

    @classmethod
    def on(cls, past: Past, arrays: SiteArrays) -> PastOfSite:
        """Return a library on a site."""
        return cls(past, past.rows_of(arrays))


def past_asked(
    state: EngineState,
    arrays: SiteArrays,
    of_site: PastOfSite | None,
    chosen: IntArray,
    fresh: BoolArray,
    missing_m: FloatArray,
) -> tuple[PastAsked, ...]:
    """Return what a library is asked of some spaces; nothing where it has nothing to say.

    Parameters
    ----------
    chosen : ndarray, shape (n,)
        Spaces asked about.
    fresh : ndarray, shape (S,)
        Sensors that are heard.
    missing_m : ndarray, shape (2, n)
        Depth that is missing inside to orange and to red; infinite where something measures outside. [m]
    """
    if of_site is None:
        return ()
    sensor = arrays.l_sensor
    runs = np.flatnonzero((of_site.rows >= 0) & (state.spell_us != NEVER_US))
    level = _deepest(state, arrays, chosen)
    plain = (of_site.rows[level] >= 0) & (state.spell_us[level] != NEVER_US) & _heard_well(state, sensor, level, fresh)
    place = np.flatnonzero(plain & np.isfinite(missing_m).any(axis=0))
    if place.size == 0:
        return ()
    wet = Wet(
        of_site.rows[runs], arrays.basin_of_space[arrays.l_space[runs]], state.sure_us[runs], state.sure_m[runs],
        state.spell_us[runs], state.spell_wet_us[runs], state.spell_peak_m[runs],
    )  # fmt: skip
    of_wet = np.searchsorted(runs, level[place])
    past = of_site.past
    spaces = arrays.l_space[runs]
    since_us = state.tick_us - state.sure_us[level[place], -1]
    return (PastAsked(past, past.version, state.tick_us, wet, spaces, place, of_wet, since_us, missing_m.T[place]),)


def _heard_well(state: EngineState, sensor: IntArray, level: IntArray, fresh: BoolArray) -> BoolArray:
    """Tell which of some level sensors are heard, and have nothing doubtful against them; -1 is none."""
    at = sensor[level]
    newest = (state.sure_us[level, -1] == state.evidence_us[at]) & ~(state.held[at] > state.sure_m[level, -1])
    return np.asarray((level >= 0) & fresh[at] & newest)


def past_kept(
    state: EngineState, arrays: SiteArrays, of_site: PastOfSite | None, chosen: IntArray, fresh: BoolArray
) -> ByPast:
    """Return what a library answered last, where the deepest sensor is silent or doubted since. ``fresh``: as above."""
    place = np.zeros(0, np.int64)
    if of_site is not None and arrays.l_sensor.size:
        spoke = (state.ahead_us[chosen] != NEVER_US) & (state.ahead_floods[chosen] > 0)
        place = np.flatnonzero(spoke)
        level = _deepest(state, arrays, chosen[place])
        place = place[~_heard_well(state, arrays.l_sensor, level, fresh)]
    at = chosen[place]
    return ByPast(
        place, state.ahead_min[at], state.ahead_p[at], state.ahead_members[at], state.ahead_floods[at].astype(np.int64)
    )


def _deepest(state: EngineState, arrays: SiteArrays, chosen: IntArray) -> IntArray:
    """Return the level sensor inside each space that holds most water, the first of equal ones; -1 for none."""
    inside = np.flatnonzero(~arrays.l_outside)
    held = np.nan_to_num(state.held[arrays.l_sensor[inside]], nan=-np.inf)
    order = np.lexsort((-inside, held, arrays.l_space[inside]))
    found = np.full(arrays.n_spaces, -1, np.int64)
    found[arrays.l_space[inside[order]]] = inside[order]  # the last of each space stays
    return found[chosen]


@dataclass(frozen=True, slots=True, eq=False)
class ByPast:
    """A nowcast by past floods: which of the spaces asked about, and what to put in place of the ensemble's."""

    place: IntArray
    times_min: FloatArray
    probability: FloatArray
    members: FloatArray
    floods: IntArray


def by_past(asked: PastAsked) -> ByPast:
    """Return what a library says in the terms of a nowcast, where it judges."""
    found = foreseen(asked)
    rows = np.flatnonzero(found.judged)
    chance = found.probability[rows]
    return ByPast(
        asked.place[rows], times_min(chance, (EARLY, LIKELY, LATE)), chance[:, :, WITHIN],
        found.members[rows][:, :, WITHIN], found.floods[rows],
    )  # fmt: skip
