"""``undercroft backup`` and ``undercroft restore``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from undercroft.clock import SystemClock
from undercroft.errors import BadInput
from undercroft.settings import Settings
from undercroft.store.backup import Manifest, backup, restore

File = Annotated[Path, typer.Argument(metavar="FILE", help="The backup; its manifest is FILE.json.")]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


def register(app: typer.Typer) -> None:
    """Add ``undercroft backup`` and ``undercroft restore``."""
    app.command("backup")(_backup)
    app.command("restore")(_restore)


def _backup(file: File, *, as_json: Json = False) -> None:
    """Write a backup of the database of UNDERCROFT_DATABASE_URL while it runs."""
    _tell("wrote", file, backup(_url(), file, SystemClock().now()), as_json=as_json)


def _restore(
    file: File,
    *,
    hold: Annotated[
        bool, typer.Option("--hold", help="Neither engine nor notifier works on it before `undercroft db release`.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Restore a backup into the empty database of UNDERCROFT_DATABASE_URL, and check that all rows are there."""
    manifest = restore(_url(), file, SystemClock().now() if hold else None)
    _tell("restored and held" if hold else "restored", file, manifest, as_json=as_json)


def _tell(done: str, file: Path, manifest: Manifest, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(asdict(manifest)))
    else:
        typer.echo(f"{done} {file}: {manifest.mode}, {manifest.rows['observation']} readings, {manifest.sha256[:12]}")


def _url() -> str:
    url = Settings().database_url
    if url is None:
        raise BadInput("UNDERCROFT_DATABASE_URL is not set")
    return url.get_secret_value()
