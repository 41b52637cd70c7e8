"""A district of a hindcast: the sample's spaces with crests and drains drawn by the seed."""

from __future__ import annotations

from simulators.chance import drawn
from undercroft.model import SpaceKind
from undercroft.site.model import Entrance, Site, Space, ThresholdSet

CREST_M = (0.05, 0.40)
"""Crest over the roadway in front of it. [m]"""


def drawn_district(site: Site, seed: int) -> Site:
    """Return a site whose crests lie 0.05 to 0.40 m over the roadway, by the seed.

    Underpasses keep their crests: nothing but the crown of the road holds water back there. A space's drain follows
    from its id (`simulators.swmm.drains`), so ids carry the seed.
    """
    return site.model_copy(
        update={
            "spaces": tuple(_space(space, seed) for space in site.spaces),
            "threshold_sets": tuple(_set(entry, seed) for entry in site.threshold_sets),
        }
    )


def renamed(space_id: str, seed: int) -> str:
    """Return the id of a space in the district of a seed."""
    return f"{space_id[:34]}-{seed}"


def _space(space: Space, seed: int) -> Space:
    entrances = space.entrances
    if space.kind is not SpaceKind.UNDERPASS:
        entrances = tuple(_entrance(space, entrance, seed) for entrance in entrances)
    return space.model_copy(update={"id": renamed(space.id, seed), "entrances": entrances})


def _entrance(space: Space, entrance: Entrance, seed: int) -> Entrance:
    step_m = CREST_M[0] + (CREST_M[1] - CREST_M[0]) * drawn("crest", seed, space.id, entrance.id)
    return entrance.model_copy(update={"crest_level_m": round(entrance.roadway_level_m + step_m, 3)})


def _set(entry: ThresholdSet, seed: int) -> ThresholdSet:
    rows = [
        row if row.space is None else row.model_copy(update={"space": renamed(row.space, seed)}) for row in entry.rows
    ]
    return entry.model_copy(update={"rows": tuple(rows)})
