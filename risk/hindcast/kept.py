"""Cases of `undercroft hindcast compare` as a file, so that another version of the engine can be set beside them."""

from __future__ import annotations

import json
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
        raise BadInput(f"{path}: {'.'.join(str(part) for part in first['loc'])}: {first['msg']}") from error
    except ValueError as error:
        raise BadInput(f"{path}: not JSON: {error}") from error
    if kept.truth_m != truth_m:
        raise BadInput(f"{path}: was made with --truth-m {kept.truth_m:g}, not {truth_m:g}")
    times = np.array([(crossing, fired) for _, crossing, fired in kept.cases], np.float64).reshape(-1, 2)
    return Cases(tuple(group for group, _, _ in kept.cases), times[:, 0], times[:, 1])


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None
