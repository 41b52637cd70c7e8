"""``undercroft hindcast compare``: two threshold sets, or two engine versions, over the same storms."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError

from undercroft.errors import BadInput
from undercroft.model import Severity
from undercroft.site.check_thresholds import threshold_problems
from undercroft.site.model import Site, ThresholdSet
from undercroft.site.nodes import Node
from undercroft.site.problems import SiteProblems, locate
from undercroft.toml_text import read_toml
from undercroft.writable import must_be_writable

if TYPE_CHECKING:
    from risk.hindcast.compare import Cases
    from risk.hindcast.floodnet_csv import Event
    from risk.hindcast.history import Batch


def compare(  # noqa: PLR0913, PLR0917 - one parameter per option
    first: Annotated[
        str,
        typer.Argument(
            metavar="A",
            help="TOML file with [[threshold_set]], `default`, `site`, cases kept as .json, or the .csv of "
            "`hindcast swmm --out`.",
        ),
    ],
    second: Annotated[str, typer.Argument(metavar="B", help="The same; minutes gained are B before A.")],
    events: Annotated[Path | None, typer.Option(help="FloodNet events, CSV; without: the run in the database.")] = None,
    sensors: Annotated[Path | None, typer.Option(help="FloodNet sensor metadata, CSV.")] = None,
    truth_m: Annotated[float, typer.Option(help="What happened: depth inside or on the road. [m]")] = 0.15,
    late_min: Annotated[float, typer.Option(help="A hit comes no later after it. [min]")] = 2.0,
    keep: Annotated[
        Path | None,
        typer.Option(help="Write B's cases, JSON: another version of the engine compares itself with them."),
    ] = None,
    relearn_days: Annotated[
        int | None,
        typer.Option(min=1, help="With --events: foresee from earlier floods, learned anew every so many days."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False,
) -> None:
    """Tell what two threshold sets would have fired: hits, misses, false orange alarms, minutes gained.

    Two versions of the engine: run each with `--keep`, or over generated storms with `hindcast swmm --out FILE.csv`,
    then give both files as A and B.
    """
    from risk.hindcast.compare import compare as compared  # noqa: PLC0415
    from risk.hindcast.kept import read_cases, read_storms, write_cases  # noqa: PLC0415

    if not (math.isfinite(truth_m) and truth_m > 0.0 and math.isfinite(late_min) and late_min >= 0.0):
        raise BadInput("hindcast compare: --truth-m must be above 0 and --late-min at least 0")
    if (events is None) != (sensors is None):
        raise BadInput("hindcast compare: --events and --sensors belong together")
    if keep is not None and second.endswith((".json", ".csv")):
        raise BadInput(f"hindcast compare: --keep writes cases that are run, and {second} is a file of them")
    must_be_writable(keep, "--keep")
    names = (first, second)
    cases: dict[str, Cases] = {}
    for name in names:  # every mistake in the files is found before anything is run
        if name.endswith(".json"):
            cases[name] = read_cases(Path(name), truth_m)
        elif name.endswith(".csv"):
            cases[name] = read_storms(Path(name))
        else:
            _check(name, floods=events is not None)
    if relearn_days is not None and events is None:
        raise BadInput("hindcast compare: --relearn-days is for --events")
    run = _runner(events, sensors, truth_m, relearn_days)
    for name in names:
        if name not in cases:  # a set that is named twice is run once
            typer.echo(f"hindcast compare: running {name}", err=True)
            cases[name] = run(name)
    try:
        result = compared(cases[first], cases[second], late_min * 60.0)
    except ValueError as error:
        raise BadInput(f"hindcast compare: {first}, {second}: {error}") from error
    if keep is not None:
        write_cases(keep, cases[second], truth_m)
    typer.echo(json.dumps(result, indent=2) if as_json else _text(result, names))


def _check(name: str, *, floods: bool) -> None:
    """Read a file of threshold sets for its mistakes alone."""
    if name == "site" and not floods:
        return  # the database has it
    for entry in sets_of(name, None):
        for row in entry.rows:
            if floods and row.space is not None:
                raise BadInput(f"{name}: {entry.id}: space {row.space}: measured floods are roads without a name")


def _runner(
    events: Path | None, sensors: Path | None, truth_m: float, relearn_days: int | None
) -> Callable[[str], Cases]:
    """Return what runs the storms on the threshold sets of a name."""
    if events is None or sensors is None:
        return lambda name: _stored(name, truth_m)
    from risk.hindcast.compare import floodnet_cases  # noqa: PLC0415
    from risk.hindcast.floodnet_csv import read_events  # noqa: PLC0415
    from risk.hindcast.history import each_alone, storm_by_storm  # noqa: PLC0415

    rows: list[Event] = []

    def run(name: str) -> Cases:
        sets = sets_of(name, None)
        if not rows:
            rows.extend(read_events(events, sensors))
        batches = each_alone(rows) if relearn_days is None else storm_by_storm(rows, relearn_days)
        return floodnet_cases(rows, _told(batches, len(rows)), sets, truth_m, int(Severity.ORANGE))

    return run


def _told(batches: Iterable[Batch], floods: int) -> Iterator[Batch]:
    """Yield batches, and say how far it is: with all floods of years it takes long."""
    done = 0
    for batch in batches:
        typer.echo(f"hindcast compare: {done} of {floods} floods done", err=True)
        yield batch
        done += int(batch.ids.size)


def _stored(name: str, truth_m: float) -> Cases:
    from risk.hindcast.stored import stored_cases  # noqa: PLC0415
    from undercroft.settings import Settings  # noqa: PLC0415
    from undercroft.store.connection import connect  # noqa: PLC0415
    from undercroft.telemetry import configure_logging  # noqa: PLC0415

    settings = Settings()
    configure_logging(settings.log_format, service="hindcast")
    url = settings.database_url
    if url is None:
        raise BadInput("hindcast compare: give --events and --sensors, or set UNDERCROFT_DATABASE_URL")
    with closing(
        connect(url.get_secret_value(), application_name="undercroft-hindcast", autocommit=True)
    ) as connection:
        return stored_cases(connection, lambda site: sets_of(name, site), truth_m, int(Severity.ORANGE))


def sets_of(name: str, site: Site | None) -> tuple[ThresholdSet, ...]:
    """Return the threshold sets that an argument names.

    Raises
    ------
    BadInput
        If it is no file, not one of threshold sets, or anything is wrong with a set: file, line, field, expected.
    """
    if name == "default":
        return ()
    if name == "site":
        if site is None:
            raise BadInput("hindcast compare: `site` is for a run in the database")
        return site.threshold_sets
    text, document = read_toml(Path(name))
    listed = document.get("threshold_set")
    if listed is None:
        raise BadInput(f"{name}: no [[threshold_set]] in it")
    if not (isinstance(listed, list) and all(isinstance(entry, dict) for entry in listed)):
        raise BadInput(f"{name}: threshold_set: expected tables, [[threshold_set]]")
    try:
        found = tuple(ThresholdSet.model_validate(entry) for entry in listed)
    except ValidationError as error:
        first = error.errors()[0]
        raise BadInput(f"{name}: {'.'.join(str(part) for part in first['loc'])}: {first['msg']}") from error
    twice = sorted({one.id for one in found if sum(one.id == other.id for other in found) > 1})
    if twice:
        raise BadInput(f"{name}: threshold_set.id: expected each once, got {twice[0]!r} twice")
    _must_mean_something(name, text, document, site)
    return found


def _must_mean_something(name: str, text: str, document: dict[str, Any], site: Site | None) -> None:
    """Refuse what `site check` refuses of threshold sets, and spaces that are not there where a site is given."""
    if site is None:
        named = {row.get("space") for entry in document["threshold_set"] for row in entry["rows"]} - {None}
        spaces: list[dict[str, Any]] = [{"id": space} for space in sorted(named)]
    else:
        spaces = [{"id": space.id, "kind": space.kind.value} for space in site.spaces]
    problems = threshold_problems(Node({"space": spaces, "threshold_set": document["threshold_set"]}))
    located = locate(problems, name, text, document)
    if located:
        raise SiteProblems(located)


def _text(result: dict[str, Any], names: tuple[str, str]) -> str:
    lines = [f"A {names[0]}, B {names[1]}; hits come at most {result['late_s'] / 60:g} min late"]
    lines.append(f"{'':<36} cases    hits A/B    misses A/B  false A/B   B gains, min (median, sum)")
    rows = [("all", result["all"]), *result["spaces"].items()]
    for name, row in rows:
        a, b = row["a"], row["b"]
        median = "-" if row["gained_min_median"] is None else f"{row['gained_min_median']:.1f}"
        lines.append(
            f"{name:<36} {row['cases']:5d}  {a['hits']:5d}/{b['hits']:<5d} {a['misses']:5d}/{b['misses']:<5d} "
            f"{a['false_alarms']:5d}/{b['false_alarms']:<5d}  {median:>6} {row['gained_min_sum']:8.1f}"
        )
    return "\n".join(lines)
