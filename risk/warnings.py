"""Rain warnings in force: entered by people as acts, kept by id, and asked per space.

An act of kind ``rain_warning`` has subject ``warning/<id>`` and body ``{"colour": "yellow|orange|red", "state":
"in_force|ended", "basins": [...], "streets": [...]}``; neither list: the whole district.

A site import takes no warning back. One that names a basin or a street which the site no longer has covers the whole
district until the name is there again, it ends, or it is entered anew; a space that an import moves out of a warned
basin or street stays covered (`with_moved`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from risk.arrays import FloatArray, IntArray, SiteArrays

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
    """A warning in force; ``spaces`` are those that it covers although an import moved them out of its area."""

    colour: str
    basins: tuple[str, ...]
    streets: tuple[str, ...]
    author: str
    acted_us: int
    spaces: tuple[str, ...] = ()


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


def covers(warning: RainWarning, arrays: SiteArrays, row: int) -> bool:
    """Tell whether a warning covers a space."""
    space = arrays.spaces[row]
    return (
        _covers_all(warning, arrays)
        or space.basin in warning.basins
        or space.street in warning.streets
        or space.id in warning.spaces
    )


def _covers_all(warning: RainWarning, arrays: SiteArrays) -> bool:
    """Tell whether a warning is of the whole district: it names nothing, or what the site does not have."""
    if not warning.basins and not warning.streets:
        return True
    return not (arrays.basin_names.issuperset(warning.basins) and arrays.street_names.issuperset(warning.streets))


def with_moved(warnings: Mapping[str, RainWarning], old: SiteArrays, new: SiteArrays) -> dict[str, RainWarning]:
    """Return the warnings as they stand on a new version of the site: a space that was covered by name stays so."""
    return {subject: _with_moved(warning, old, new) for subject, warning in warnings.items()}


def _with_moved(warning: RainWarning, old: SiteArrays, new: SiteArrays) -> RainWarning:
    if _covers_all(warning, old):
        return warning
    rows = np.unique(np.concatenate(_covered(warning, old))).tolist()
    held = [
        old.spaces[row].id
        for row in rows
        if (at := new.space_index.get(old.spaces[row].id)) is not None
        and new.spaces[at].basin not in warning.basins
        and new.spaces[at].street not in warning.streets
    ]
    return replace(warning, spaces=tuple(sorted(held)))


def colour_of_spaces(warnings: Mapping[str, RainWarning], arrays: SiteArrays) -> FloatArray:
    """Return the worst colour in force per space: 0 none, 1 yellow, 2 orange, 3 red."""
    rank = np.zeros(arrays.n_spaces)
    for _, warning in sorted(warnings.items()):
        colour = float(COLOUR_RANK[warning.colour])
        for rows in _covered(warning, arrays):
            rank[rows] = np.maximum(rank[rows], colour)
    return rank


def _covered(warning: RainWarning, arrays: SiteArrays) -> list[IntArray]:
    """Return the spaces that a warning covers, in parts, as `covers` tells it of each."""
    if _covers_all(warning, arrays):
        return [np.arange(arrays.n_spaces)]
    areas = [("basin", name) for name in warning.basins] + [("street", name) for name in warning.streets]
    parts = [arrays.spaces_by_area[area] for area in areas if area in arrays.spaces_by_area]
    moved = [arrays.space_index[name] for name in warning.spaces if name in arrays.space_index]
    return [*parts, np.array(moved, np.int64)]
