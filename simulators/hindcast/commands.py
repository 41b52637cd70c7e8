"""``undercroft hindcast swmm`` and ``fit``: the engine on generated storms whose truth is known."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from risk.hindcast.compare_commands import sets_of
from undercroft.errors import BadInput
from undercroft.groups import group
from undercroft.site import load_site, sample_site_path
from undercroft.writable import must_be_writable

if TYPE_CHECKING:
    from simulators.hindcast.run import SpaceInStorm, StormResult
    from simulators.hindcast.storms import StormKind
    from undercroft.site.model import Site, ThresholdSet


def register(app: typer.Typer) -> None:
    """Add ``hindcast swmm`` and ``hindcast fit``."""
    hindcast = group(app, "hindcast", "Score alarms and forecasts on storms of the past and on generated ones.")
    hindcast.command("swmm")(swmm)
    hindcast.command("fit")(fit)


GOAL_STORMS = "5-years,20-years,50-years,100-years"


def swmm(
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="Storms of each kind.")] = 1,
    first_seed: Annotated[
        int, typer.Option(min=1, help="Seed of the first; storms of other seeds are other storms.")
    ] = 1,
    storms: Annotated[str, typer.Option(help="Kinds, with commas; `list` names them.")] = "all",
    site: Annotated[Path | None, typer.Option(help="A site file instead of the sample district.")] = None,
    sets: Annotated[
        str, typer.Option(help="The engine's thresholds: `site`, `default`, or a TOML file with [[threshold_set]].")
    ] = "site",
    out: Annotated[
        Path | None, typer.Option(help="Write one row per space and storm, CSV, which `hindcast compare` reads.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False,
) -> None:
    """Run the engine over storms that SWMM computes, and score it on what truly happened.

    Each storm has crests, drains, barriers, pumps and silent sensors of its own. All four return periods with 20 seeds
    take some minutes: --seeds 20. Other thresholds change the engine alone, never what truly happened.
    """
    from simulators.hindcast.report import report, text  # noqa: PLC0415 - other commands start faster without
    from simulators.hindcast.storms import storm_kinds  # noqa: PLC0415

    if storms == "list":
        typer.echo("\n".join(f"{kind.name:<30} {kind.source}" for kind in storm_kinds()))
        return
    must_be_writable(out, "--out")
    base = load_site(site or sample_site_path())
    rules = None if sets == "site" else sets_of(sets, base)
    results = list(_ran(base, storms, range(first_seed, first_seed + seeds), rules))
    told = {"seeds": seeds, "first_seed": first_seed, "spaces": len(base.spaces), **report(results)}
    if out is not None:
        _write(out, (space for result in results for space in result.spaces))
    typer.echo(json.dumps(told, indent=2) if as_json else text(told))


def fit(
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="Storms of each kind.")] = 20,
    first_seed: Annotated[int, typer.Option(min=1, help="Seed of the first; keep these apart from scored ones.")] = 101,
    storms: Annotated[str, typer.Option(help="Kinds, with commas.")] = GOAL_STORMS,
    events: Annotated[
        Path | None, typer.Option(help="FloodNet events, CSV: fit roads that only their own water tells of.")
    ] = None,
    sensors: Annotated[Path | None, typer.Option(help="FloodNet sensor metadata, CSV.")] = None,
    relearn_days: Annotated[
        int | None, typer.Option(min=1, help="With `--events`: score what a library of earlier floods foresees.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False,
) -> None:
    """Fit what turns shares of the ensemble into probabilities, and tell whether it is what is in use.

    The defaults are the storms that the numbers in use were fitted on; with `--events`, floods that began before July
    2024, and later ones score it. It changes nothing.
    """
    if (events is None) != (sensors is None):
        raise BadInput("hindcast fit: --events and --sensors belong together")
    if events is not None and sensors is not None:
        from risk.hindcast.roads import told_of_roads  # noqa: PLC0415 - other commands start faster without

        typer.echo(told_of_roads(events, sensors, as_json=as_json, relearn_days=relearn_days))
        return
    from simulators.hindcast.fit import fit_of, fit_text  # noqa: PLC0415 - other commands start faster without

    ran = _ran(load_site(sample_site_path()), storms, range(first_seed, first_seed + seeds))
    foreseen = [case for result in ran for case in result.foreseen]
    found = fit_of(foreseen)
    told = {
        "seeds": seeds, "first_seed": first_seed, "cases": len(foreseen),
        "coefficients": found.coefficients.tolist(), "bends": found.bends.tolist(),
    }  # fmt: skip
    typer.echo(json.dumps(told, indent=2) if as_json else fit_text(found, len(foreseen)))


def _ran(base: Site, storms: str, seeds: range, rules: tuple[ThresholdSet, ...] | None = None) -> Iterator[StormResult]:
    """Run every kind of storm for every seed, and say how far it is."""
    from simulators.hindcast.district import drawn_district  # noqa: PLC0415 - other commands start faster without
    from simulators.hindcast.run import run_storm  # noqa: PLC0415
    from simulators.hindcast.storms import scenario_of, storm_kinds  # noqa: PLC0415

    kinds, done = _chosen(storms, storm_kinds()), 0
    for seed in seeds:
        district = drawn_district(base, seed)
        for kind in kinds:
            result = run_storm(district, scenario_of(kind, seed), kind.name, rules)
            done += 1
            reds = sum(space.truth.red_s > 0.0 for space in result.spaces)
            count = f"{done}/{len(seeds) * len(kinds)}"
            typer.echo(f"{count:>9}  {kind.name}, seed {seed}: {reds} of {len(base.spaces)} spaces red", err=True)
            yield result


def _chosen(names: str, known: tuple[StormKind, ...]) -> list[StormKind]:
    by_name = {kind.name: kind for kind in known}
    if names == "all":
        return list(known)
    asked = [name.strip() for name in names.split(",")]
    for name in asked:
        if name not in by_name:
            raise BadInput(f"--storms {name}: no such kind of storm; there are {', '.join(by_name)}")
    return [by_name[name] for name in dict.fromkeys(asked)]


def _write(path: Path, spaces: Iterable[SpaceInStorm]) -> None:
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer: csv.DictWriter[str] | None = None
            for space in spaces:
                row = {**asdict(space.truth), "kind": str(space.kind), "silent": space.silent}
                if writer is None:
                    writer = csv.DictWriter(file, row)
                    writer.writeheader()
                writer.writerow({name: _cell(value) for name, value in row.items()})
    except OSError as error:
        raise BadInput(f"--out {path}: cannot be written: {error.strerror or error}") from error


def _cell(value: str | float | bool) -> str | float | bool:
    """Return a value as the table has it: never is empty."""
    return "" if isinstance(value, float) and math.isnan(value) else value
