"""``undercroft hindcast compare``: two threshold sets over a stored run or a table of observed floods."""

from __future__ import annotations

import json
import tomllib
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from undercroft.errors import BadInput
from undercroft.model import Severity
from undercroft.site.model import Site, ThresholdSet


def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="TOML file with [[threshold_set]], `default` or `site`.")],
    second: Annotated[str, typer.Argument(metavar="B", help="The same; minutes gained are B before A.")],
    events: Annotated[Path | None, typer.Option(help="FloodNet events, CSV; without: the run in the database.")] = None,
    sensors: Annotated[Path | None, typer.Option(help="FloodNet sensor metadata, CSV.")] = None,
    truth_m: Annotated[float, typer.Option(help="What happened: depth inside or on the road. [m]")] = 0.15,
    late_min: Annotated[float, typer.Option(help="A hit comes no later after it. [min]")] = 2.0,
    as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False,
) -> None:
    """Tell what two threshold sets would have fired: hits, misses, false orange alarms, minutes gained."""
    from risk.hindcast.compare import compare as compared  # noqa: PLC0415
    from risk.hindcast.compare import floodnet_cases  # noqa: PLC0415
    from risk.hindcast.floodnet_csv import read_events  # noqa: PLC0415

    if truth_m <= 0.0 or late_min < 0.0:
        raise BadInput("hindcast compare: --truth-m must be above 0 and --late-min at least 0")
    if (events is None) != (sensors is None):
        raise BadInput("hindcast compare: --events and --sensors belong together")
    names = (first, second)
    if events is not None and sensors is not None:
        rows = read_events(events, sensors)
        cases = [floodnet_cases(rows, sets_of(name, None), truth_m, int(Severity.ORANGE)) for name in names]
    else:
        cases = _stored(names, truth_m)
    result = compared(cases[0], cases[1], late_min * 60.0)
    typer.echo(json.dumps(result, indent=2) if as_json else _text(result, names))


def _stored(names: tuple[str, str], truth_m: float) -> list[Any]:
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
        return [stored_cases(connection, partial(sets_of, name), truth_m, int(Severity.ORANGE)) for name in names]


def sets_of(name: str, site: Site | None) -> tuple[ThresholdSet, ...]:
    """Return the threshold sets that an argument names.

    Raises
    ------
    BadInput
        If it is no file, or not one of threshold sets.
    """
    if name == "default":
        return ()
    if name == "site":
        if site is None:
            raise BadInput("hindcast compare: `site` is for a run in the database")
        return site.threshold_sets
    try:
        document = tomllib.loads(Path(name).read_text(encoding="utf-8"))
        return tuple(ThresholdSet.model_validate(entry) for entry in document["threshold_set"])
    except OSError as error:
        raise BadInput(f"{name}: {error.strerror}") from error
    except KeyError as error:
        raise BadInput(f"{name}: no [[threshold_set]] in it") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{name}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise BadInput(f"{name}: {'.'.join(str(part) for part in first['loc'])}: {first['msg']}") from error


def _text(result: dict[str, Any], names: tuple[str, str]) -> str:
    lines = [f"A {names[0]}, B {names[1]}; hits come at most {result['late_s'] / 60:g} min late"]
    lines.append(f"{'':<32} cases    hits A/B    misses A/B  false A/B   B gains, min (median, sum)")
    rows = [("all", result["all"]), *result["spaces"].items()]
    for name, row in rows:
        a, b = row["a"], row["b"]
        median = "-" if row["gained_min_median"] is None else f"{row['gained_min_median']:.1f}"
        lines.append(
            f"{name:<32} {row['cases']:5d}  {a['hits']:5d}/{b['hits']:<5d} {a['misses']:5d}/{b['misses']:<5d} "
            f"{a['false_alarms']:5d}/{b['false_alarms']:<5d}  {median:>6} {row['gained_min_sum']:8.1f}"
        )
    return "\n".join(lines)
