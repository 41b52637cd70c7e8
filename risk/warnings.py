"""Rain warnings in force: entered by people as acts, kept by id, and asked per space.

An act of kind ``rain_warning`` has subject ``warning/<id>`` and body ``{"colour": "yellow|orange|red", "state":
"in_force|ended", "basins": [...], "streets": [...]}``; neither list: the whole district.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from risk.arrays import FloatArray, SiteArrays

KIND = "rain_warning"
COLOUR_RANK = {"yellow": 1, "orange": 2, "red": 3}
"""Shenzhen knows three colours and no blue (docs/risk.md)."""


@dataclass(frozen=True, slots=True)
class Act:
    """Something a person did, at its place in the commit order."""

    commit_seq: int
    kind: str
    subject: str
    author: str
    acted_us: int
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RainWarning:
    """A warning in force."""

    colour: str
    basins: tuple[str, ...]
    streets: tuple[str, ...]
    author: str
    acted_us: int


def fold_warnings(warnings: dict[str, RainWarning], acts: Iterable[Act]) -> None:
    """Take acts of kind ``rain_warning`` into the warnings in force, in commit order."""
    for act in sorted(acts, key=lambda act: act.commit_seq):
        if act.kind == KIND and _has_ended(act):
            warnings.pop(act.subject, None)
        elif (warning := warning_of(act)) is not None:
            warnings[act.subject] = warning


def warning_of(act: Act) -> RainWarning | None:
    """Return the warning that an act puts in force; None where it puts in force none."""
    colour = str(act.body.get("colour"))
    if act.kind != KIND or _has_ended(act) or colour not in COLOUR_RANK:
        return None  # an unknown colour is refused where acts come in; one that got here must not stop the engine
    basins, streets = _names(act.body.get("basins")), _names(act.body.get("streets"))
    return RainWarning(colour, basins, streets, act.author, act.acted_us)


def _has_ended(act: Act) -> bool:
    return bool(act.body.get("state", "in_force") == "ended")


def _names(value: object) -> tuple[str, ...]:
    return tuple(sorted(name for name in value if isinstance(name, str))) if isinstance(value, list | tuple) else ()


def applies(warning: RainWarning, basin: str, street: str) -> bool:
    """Tell whether a warning covers a place."""
    if not warning.basins and not warning.streets:
        return True
    return basin in warning.basins or street in warning.streets


def colour_of_spaces(warnings: Mapping[str, RainWarning], arrays: SiteArrays) -> FloatArray:
    """Return the worst colour in force per space: 0 none, 1 yellow, 2 orange, 3 red."""
    rank = np.zeros(arrays.n_spaces)
    for _, warning in sorted(warnings.items()):
        covered = [applies(warning, space.basin, space.street) for space in arrays.spaces]
        np.maximum(rank, np.where(covered, COLOUR_RANK[warning.colour], 0), out=rank)
    return rank
