"""Cases of `undercroft hindcast compare` as files, so that another version of the engine can be set beside them."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from risk.engine import ENGINE_VERSION
from risk.hindcast.compare import Cases
from undercroft import __version__
from undercroft.errors import BadInput

Second = Annotated[float, Field(ge=0.0, allow_inf_nan=False)] | None
"""Seconds after the storm began; None for never. [s]"""


class Kept(BaseModel):
    """What the file says: the versions that made it, the depth that counts as a flood, and one row per case."""

    model_config = ConfigDict(extra="forbid")

    version: str
    engine_version: str
    truth_m: Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
    cases: list[tuple[str, Second, Second]]
    """Space or sensor, true crossing, alarm."""


def write_cases(path: Path, cases: Cases, truth_m: float) -> None:
    """Write cases with the versions that made them.

    Raises
    ------
    BadInput
        If the file cannot be written.
    """
    rows = zip(cases.group, cases.crossing_s.tolist(), cases.fired_s.tolist(), strict=True)
    kept = Kept(
        version=__version__,
        engine_version=ENGINE_VERSION,
        truth_m=truth_m,
        cases=[(group, _or_none(crossing), _or_none(fired)) for group, crossing, fired in rows],
    )
    try:
        path.write_text(kept.model_dump_json() + "\n", encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{path}: cannot be written: {error.strerror}") from error


def read_cases(path: Path, truth_m: float) -> Cases:
    """Return cases that were written.

    Raises
    ------
    BadInput
        If it is no such file, or was made with another depth.
    """
    try:
        kept = Kept.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise BadInput(f"{path}: {field}: {first['msg']}" if field else f"{path}: expected an object") from error
    except ValueError as error:
        raise BadInput(f"{path}: not JSON: {error}") from error
    if kept.truth_m != truth_m:
        raise BadInput(f"{path}: was made with --truth-m {kept.truth_m:g}, not {truth_m:g}")
    times = np.array([(crossing, fired) for _, crossing, fired in kept.cases], np.float64).reshape(-1, 2)
    return Cases(tuple(group for group, _, _ in kept.cases), times[:, 0], times[:, 1])


STORM_COLUMNS = ("storm", "space", "orange_s", "alarm_orange_s")
"""Of the table that `undercroft hindcast swmm --out` writes: what a case needs."""


def read_storms(path: Path) -> Cases:
    """Return the cases of a table that `undercroft hindcast swmm --out` wrote, by storm and space.

    What happened is the true orange, and a set or version fired where its orange stood then, or came after; an empty
    cell is never.

    Raises
    ------
    BadInput
        If it is no such table.
    """
    rows: dict[tuple[str, str], tuple[float, float]] = {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            table = csv.DictReader(file)
            if not set(STORM_COLUMNS) <= set(table.fieldnames or ()):
                raise BadInput(f"{path}: not a table of `hindcast swmm --out`: it needs {', '.join(STORM_COLUMNS)}")
            for row in table:
                case = (row["storm"], row["space"])
                if case in rows:
                    raise BadInput(f"{path}:{table.line_num}: {case[1]} in storm {case[0]} twice")
                rows[case] = (
                    _second(path, table.line_num, row, "orange_s"),
                    _second(path, table.line_num, row, "alarm_orange_s"),
                )
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path}: not CSV: {error}") from error
    times = np.array([rows[case] for case in sorted(rows)], np.float64).reshape(-1, 2)
    return Cases(tuple(space for _, space in sorted(rows)), times[:, 0], times[:, 1])


def _second(path: Path, line: int, row: Mapping[str, str | None], column: str) -> float:
    text = row[column]
    try:
        found = float(text) if text else np.nan
    except ValueError:
        found = -1.0
    if text is None or (text and not 0.0 <= found < np.inf):
        raise BadInput(f"{path}:{line}: {column}: {text!r} is not a number of seconds")
    return found


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None
