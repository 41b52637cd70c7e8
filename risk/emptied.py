"""Spaces in which nobody is, by somebody's word (`risk.said`): people add nothing to their score. It only ranks."""

from __future__ import annotations

import numpy as np

from risk.arrays import SiteArrays
from risk.reports import place_of
from risk.score import ScoreStatics, without_people
from risk.state import EngineState
from undercroft.model import SpaceKind

_SAYS = ("evacuated", "closed")


def with_people_gone(scores: ScoreStatics, state: EngineState, arrays: SiteArrays) -> ScoreStatics:
    """Return the factors of the site without the people of the spaces that are said to be empty."""
    spoken = {name for name, _, what in map(place_of, state.reports) if what in _SAYS}
    gone = sorted(space for space in map(arrays.space_index.__getitem__, spoken) if _is_empty(state, arrays, space))
    return without_people(scores, np.array(gone, np.int64)) if gone else scores


def _is_empty(state: EngineState, arrays: SiteArrays, space: int) -> bool:
    named = arrays.spaces[space]

    def said(what: str, entrance: str = "") -> bool:
        report = state.reports.get(f"{named.id}/{entrance}/{what}")
        return report is not None and report.value >= 0.5

    closed = said("closed") or all(said("closed", entrance.id) for entrance in named.entrances)
    return said("evacuated") or (named.kind is SpaceKind.UNDERPASS and closed)
