"""``undercroft site``: check a site file, import it, show what is in force."""

from __future__ import annotations

import getpass
import json
from collections import Counter
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from undercroft.clock import SystemClock
from undercroft.errors import BadInput, SiteInvalid
from undercroft.settings import Settings
from undercroft.site.document import site_document, site_sha256
from undercroft.site.load import SiteFile, read_site_file
from undercroft.site.model import Site
from undercroft.site.places import devices_of, places_of
from undercroft.site.problems import Located, SiteProblems
from undercroft.site.schema import packaged_schema_text
from undercroft.store.connection import connect
from undercroft.store.site import import_site, latest_site, stands_on
from undercroft.store.site_standing import StandsOn

File = Annotated[Path, typer.Argument(metavar="FILE", help="A site.toml.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]

APPLICATION_NAME = "undercroft-site"


def register(app: typer.Typer) -> None:
    """Add ``undercroft site``."""
    site = typer.Typer(help="The site file: spaces, entrances, devices, supplies.", no_args_is_help=True)
    site.command("check")(check)
    site.command("import")(import_)
    site.command("schema")(schema)
    site.command("show")(show)
    app.add_typer(site, name="site")


def check(
    file: File,
    *,
    against_database: Annotated[
        bool, typer.Option("--against-database", help="Also tell what stands on what an import would take away.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Tell everything that is wrong with a site file, and what it leaves uncovered. Exit code 2 if it is wrong."""
    found = _read(file, as_json=as_json)
    stands = _standing(found.site) if against_database else []
    if as_json:
        answer = {"ok": True, "errors": [], "warnings": [_as_json(gap) for gap in found.gaps], **_summary(found.site)}
        if against_database:
            answer["stands"] = stands
        typer.echo(json.dumps(answer, ensure_ascii=False))
        return
    for gap in found.gaps:
        typer.echo(f"{gap.file}:{gap.line}: warning: {gap.field}: found {gap.found}, expected {gap.expected}")
    for line in stands:
        typer.echo(f"{file}: warning: stands on what an import would take away: {line}")
    typer.echo(f"{file}: valid: {_summary_text(found.site)}; {len(found.gaps) + len(stands)} warnings")


def import_(
    file: File,
    *,
    author: Annotated[str | None, typer.Option(help="Who imports it; default: the account's name.")] = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Also where something stands on what it takes away.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Put a site file in force in the database named by UNDERCROFT_DATABASE_URL: all of it, or nothing.

    Where alarms, water, reports, rain warnings or devices out of service stand on what the file takes away, each is
    named, and nothing is imported (exit code 2) unless --anyway says so, which the audit keeps.
    """
    site = _read(file, as_json=as_json).site
    who = author or getpass.getuser()
    with closing(connect(_database_url(), application_name=APPLICATION_NAME, autocommit=True)) as connection:
        try:
            result = import_site(connection, site, who, SystemClock().now(), anyway=anyway)
        except StandsOn as error:
            typer.echo(_refused(error) if as_json else str(error), err=not as_json)
            raise typer.Exit(2) from error
    if as_json:
        typer.echo(json.dumps(asdict(result)))
        return
    counts = ", ".join(f"{count} {table}" for table, count in result.counts.items())
    state = "imported" if result.changed else "nothing changed"
    typer.echo(f"{state}: commit {result.commit_seq}: {counts}")


def schema() -> None:
    """Print the JSON Schema of site files."""
    typer.echo(packaged_schema_text(), nl=False)


def show(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="A site.toml; default: the database.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Show a site file, or the site in force in the database: a summary, or with --json the whole document."""
    site = _read(file, as_json=False).site if file else _site_in_force()
    if as_json:
        typer.echo(json.dumps(site_document(site), ensure_ascii=False))
        return
    typer.echo(f"{site.district.id}  {site.district.name_zh}  {site.district.name_en}")
    typer.echo(f"{_summary_text(site)}; sha256 {site_sha256(site)}")
    for kind, place in places_of(site):
        what = getattr(place, "kind", kind)
        typer.echo(f"{place.id}  {what}  {place.street}  {place.name_zh}  {place.name_en}")


def _read(file: Path, *, as_json: bool) -> SiteFile:
    """Read a file; problems go to standard error as they are, so that an editor finds file and line."""
    try:
        return read_site_file(file)
    except SiteInvalid as error:
        if as_json:
            problems = error.problems if isinstance(error, SiteProblems) else ()
            errors = [_as_json(problem) for problem in problems] or [{"file": str(file), "message": str(error)}]
            typer.echo(json.dumps({"ok": False, "errors": errors, "warnings": []}, ensure_ascii=False))
        else:
            typer.echo(str(error), err=True)
        raise typer.Exit(2) from error


def _as_json(problem: Located) -> dict[str, str | int]:
    return {**asdict(problem), "message": str(problem)}


def _summary(site: Site) -> dict[str, object]:
    kinds = Counter(space.kind.value for space in site.spaces)
    devices = [device for _, device in devices_of(site)]
    return {
        "spaces": len(site.spaces),
        "kinds": dict(sorted(kinds.items())),
        "entrances": sum(len(space.entrances) for space in site.spaces),
        "barriers": sum(entrance.barrier is not None for space in site.spaces for entrance in space.entrances),
        "devices": len(devices),
        "sensors": sum(len(device.sensors) for device in devices),
        "gauges": len(site.gauges),
        "depots": len(site.depots),
        "basins": len(site.basins),
        "sha256": site_sha256(site),
    }


def _summary_text(site: Site) -> str:
    keep = ("spaces", "entrances", "barriers", "devices", "sensors", "gauges", "depots", "basins")
    summary = _summary(site)
    return ", ".join(f"{summary[name]} {name}" for name in keep)


def _refused(error: StandsOn) -> str:
    return json.dumps({"ok": False, "stands": list(error.lines), "message": str(error)}, ensure_ascii=False)


def _standing(site: Site) -> list[str]:
    with closing(connect(_database_url(), application_name=APPLICATION_NAME, autocommit=True)) as connection:
        return stands_on(connection, site, SystemClock().now())


def _site_in_force() -> Site:
    with closing(connect(_database_url(), application_name=APPLICATION_NAME)) as connection:
        return latest_site(connection)[1]


def _database_url() -> str:
    url = Settings().database_url
    if url is None:
        raise BadInput("UNDERCROFT_DATABASE_URL is not set: it names the database that the site belongs to")
    return url.get_secret_value()
