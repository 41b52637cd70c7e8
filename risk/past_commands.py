"""``undercroft floods``: libraries of past floods made, brought in, listed, and taken into use."""

from __future__ import annotations

import csv
import getpass
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from undercroft.errors import BadInput
from undercroft.settings import Settings
from undercroft.store import floods as store
from undercroft.store.connection import Connection, connect
from undercroft.store.engine import sensor_keys
from undercroft.store.site import latest_site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from risk.arrays import SiteArrays
    from risk.past.library import FloodLibrary

TABLE_BEGINS = datetime(2000, 1, 1, tzinfo=UTC)
"""What the clock of FloodNet's tables counts from, before its offset."""

Author = Annotated[str | None, typer.Option(help="Who does it; default: the account's name.")]
Tidal = Annotated[list[str] | None, typer.Option("--tidal", help="Level sensor that floods with the tide; repeatable.")]
Use = Annotated[bool, typer.Option("--use", help="Take it into use at once.")]
Json = Annotated[bool, typer.Option("--json", help="for machines")]


def build(
    *,
    until: Annotated[
        str | None, typer.Option(help="RFC 3339 with offset; later readings do not count. Default: now.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, help="How far back readings are looked through.")] = 1100,
    tidal: Tidal = None,
    use_it: Use = False,
    author: Author = None,
    as_json: Json = False,
) -> None:
    """Make a library from the floods that the level sensors of the site measured and that have ended."""
    from risk.arrays import to_us  # noqa: PLC0415 - other commands start faster without numpy
    from risk.past.build import built  # noqa: PLC0415
    from undercroft.instants import instant_of  # noqa: PLC0415

    now = _now()
    end = now if until is None else instant_of(until, "--until")
    start = end - timedelta(days=days)
    with _connected() as connection:
        arrays = _arrays(connection, now)
        _must_be_levels(arrays, tidal)
        number = {key: sensor_id for sensor_id, key in sensor_keys(connection, _key).items()}

        def readings(key: str) -> Iterator[tuple[int, float]]:
            return store.good_readings(connection, number[key], start, end)

        library = built(arrays, frozenset(tidal or ()), readings, to_us(end))
        spoken_of = _speaks_of(library, arrays)
        kept = _keep(library, author, (now, start, end), "readings of the site")
        _told(connection, kept, library, spoken_of, author, use_it=use_it, as_json=as_json)


def import_(  # noqa: PLR0913 - one parameter per option
    events: Annotated[Path, typer.Argument(help="Flood events in FloodNet's form, CSV.")],
    sensors: Annotated[Path, typer.Option(help="Sensor metadata in FloodNet's form, CSV.")],
    *,
    names: Annotated[Path | None, typer.Option(help="CSV of sensor_id,sensor: which site sensor a row is of.")] = None,
    utc_offset_h: Annotated[float, typer.Option(min=-14, max=14, help="Of the table's clock, all year. [h]")] = 0.0,
    tidal: Tidal = None,
    use_it: Use = False,
    author: Author = None,
    as_json: Json = False,
) -> None:
    """Make a library from a table of floods; those of sensors that the site has not stand for floods of their kind."""
    from risk.arrays import to_us  # noqa: PLC0415 - other commands start faster without numpy
    from risk.hindcast.floodnet_csv import read_events  # noqa: PLC0415
    from risk.past.build import imported  # noqa: PLC0415

    now = _now()
    rows = read_events(events, sensors)
    by_name = {} if names is None else _names(names)
    first_us = to_us(TABLE_BEGINS - timedelta(hours=utc_offset_h))
    with _connected() as connection:
        arrays = _arrays(connection, now)
        _must_be_levels(arrays, [*(tidal or ()), *by_name.values()])
        library = imported(arrays, frozenset(tidal or ()), rows, by_name, first_us)
        spoken_of = _speaks_of(library, arrays)
        kept = _keep(library, author, (now, None, None), f"{events.name}, {len(rows)} floods")
        _told(connection, kept, library, spoken_of, author, use_it=use_it, as_json=as_json)


def use(
    version: Annotated[str, typer.Argument(help="Number of a library, or `none`.")],
    *,
    author: Author = None,
) -> None:
    """Take a library into use, or with `none` every library out of it: an act at its place in the commit order."""
    from risk.past.library import read_document  # noqa: PLC0415 - other commands start faster without numpy

    if version != "none" and not version.isdigit():
        raise BadInput(f"floods use: {version!r} is neither the number of a library nor `none`")
    with _connected() as connection:
        chosen = None if version == "none" else int(version)
        spoken_of = 0
        if chosen is not None:
            text = store.library_document(connection, chosen)["document"]
            spoken_of = _speaks_of(read_document(text), _arrays(connection, _now()))
        seq = store.use_library(connection, chosen, author or getpass.getuser(), _now())
    typer.echo(
        f"commit {seq}: "
        + ("no flood library in use" if chosen is None else f"flood library {chosen} in use, {_said_of(spoken_of)}")
    )


def show(*, as_json: Json = False) -> None:
    """List the libraries, the newest first, and which one is in use."""
    with _connected() as connection:
        rows = store.libraries(connection)
    if as_json:
        typer.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
        return
    for row in rows:
        mark = "in use" if row["in_force"] else ""
        typer.echo(
            f"{row['version']:>4}  {row['built_at']:%F %T}Z  {row['floods']:>5} floods of {row['sensors']:>5} sensors"
            f"  {row['sha256'][:12]}  {row['author']}  {row['source']}  {mark}".rstrip()
        )
    if not rows:
        typer.echo("no flood library yet: `undercroft floods build` makes one")


def _now() -> datetime:
    from undercroft.clock import SystemClock  # noqa: PLC0415

    return SystemClock().now()


def _connected() -> closing[Connection]:
    url = Settings().database_url
    if url is None:
        raise BadInput("floods: set UNDERCROFT_DATABASE_URL, or start everything with `undercroft up`")
    return closing(connect(url.get_secret_value(), application_name="undercroft-floods", autocommit=True))


def _key(device_id: str, at: str, quantity: str) -> str:
    from undercroft.site.places import sensor_key  # noqa: PLC0415

    return sensor_key(device_id, at, quantity)


def _arrays(connection: Connection, now: datetime) -> SiteArrays:
    from risk.arrays import SiteArrays  # noqa: PLC0415

    return SiteArrays.from_site(latest_site(connection)[1], now)


def _must_be_levels(arrays: SiteArrays, keys: list[str] | None) -> None:
    known = {arrays.sensors[sensor].key for sensor in arrays.l_sensor.tolist()}
    for key in keys or ():
        if key not in known:
            raise BadInput(
                f"floods: the site has no level sensor {key!r}, expected e.g. {min(known, default='none')!r}"
            )


def _speaks_of(library: FloodLibrary, arrays: SiteArrays) -> int:
    """Return of how many sensors of the site a library says anything."""
    from risk.past.inforce import Past  # noqa: PLC0415 - other commands start faster without numpy

    return Past(0, library).speaks_of(arrays)


def _said_of(sensors: int) -> str:
    from risk.past.inforce import LEAST_FLOODS  # noqa: PLC0415 - other commands start faster without numpy

    if sensors:
        return f"says something of {sensors} sensors of the site"
    return (
        f"SAYS NOTHING of any sensor of the site: that takes {LEAST_FLOODS} floods of a sensor's kind (tidal or not),"
        " tidal ones over 1.5 cm deep"
    )


def _names(path: Path) -> dict[str, str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            missing = {"sensor_id", "sensor"} - set(table.fieldnames or ())
            if missing:
                raise BadInput(f"{path}: column {min(missing)} is missing")
            return {row["sensor_id"]: row["sensor"] for row in table}
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path}: not a CSV file: {error}") from error


def _keep(
    library: FloodLibrary,
    author: str | None,
    times: tuple[datetime, datetime | None, datetime | None],
    source: str,
) -> store.NewLibrary:
    from risk.engine import ENGINE_VERSION  # noqa: PLC0415
    from risk.past.library import document, sha256_of  # noqa: PLC0415

    text = document(library)
    return store.NewLibrary(
        *times, ENGINE_VERSION, author or getpass.getuser(), source, len(library.sensors), len(library.floods),
        sha256_of(text), text,
    )  # fmt: skip


def _told(
    connection: Connection,
    kept: store.NewLibrary,
    library: FloodLibrary,
    spoken_of: int,
    author: str | None,
    *,
    use_it: bool,
    as_json: bool,
) -> None:
    """Keep a library, take it into use if asked to, and say so."""
    version = store.keep_library(connection, kept)
    seq = None
    if use_it:
        seq = store.use_library(connection, version, author or getpass.getuser(), kept.built_at)
    with_floods = len({flood.sensor for flood in library.floods})
    told = {
        "version": version, "sensors": kept.sensors, "sensors_with_floods": with_floods, "floods": kept.floods,
        "sensors_spoken_of": spoken_of, "sha256": kept.sha256, "commit_seq": seq,
    }  # fmt: skip
    if as_json:
        typer.echo(orjson.dumps(told).decode())
        return
    in_use = f"in use from commit {seq}" if use_it else f"not in use: `undercroft floods use {version}`"
    typer.echo(
        f"flood library {version}: {kept.floods} floods of {with_floods} sensors, {kept.sensors} sensors known, "
        f"{_said_of(spoken_of)}; {in_use}"
    )
