"""The form of every benchmark figure: beside its limit, measured in the same run."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

import typer

Better = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure and the limit it is held against."""

    name: str
    value: float
    unit: str
    limit: float
    limit_name: str
    better: Better
    is_held: bool = True
    """False: it stands beside the other figure, and is not held against it on this machine."""

    @property
    def ratio(self) -> float:
        """Good over limit: 1 or more is a pass.

        Examples
        --------
        >>> Figure("wall", 30.0, "s", 60.0, "issue", "lower").ratio
        2.0
        """
        if self.better == "higher":
            return self.value / self.limit
        return self.limit / self.value if self.value else float("inf")


def passes(figure: Figure) -> bool:
    """Tell whether a figure keeps its limit, or has none."""
    return figure.ratio >= 1 or not figure.is_held


def print_figures(figures: Iterable[Figure], *, as_json: bool) -> bool:
    """Print figures for people or machines; return whether every one passes."""
    listed = list(figures)
    if as_json:
        typer.echo(json.dumps([{**asdict(figure), "ratio": round(figure.ratio, 3)} for figure in listed], indent=2))
    else:
        for figure in listed:
            mark = ("pass" if passes(figure) else "FAIL") if figure.is_held else "----"
            typer.echo(
                f"{mark}  {figure.name:<24} {figure.value:12.3f} {figure.unit:<8} "
                f"{figure.limit_name} {figure.limit:g}  ratio {figure.ratio:.2f}"
            )
    return all(passes(figure) for figure in listed)
