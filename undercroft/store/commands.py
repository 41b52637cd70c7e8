"""``undercroft db``: bring a database up to date, drop what is no longer kept, hold what is needed, or empty it."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from undercroft.clock import SystemClock
from undercroft.errors import BadInput
from undercroft.model import Mode
from undercroft.settings import Settings
from undercroft.store.connection import connect
from undercroft.store.databases import migrate_database, mode_of_database, reset_database
from undercroft.store.hold_commands import holds
from undercroft.store.migrate import refuse_half_restored
from undercroft.store.retention import retain
from undercroft.store.standstill import release_database

EMBEDDED_URL_FILE = "database.url"
"""In DATA_DIR, readable by its owner only."""

_URL_MISSING = "UNDERCROFT_DATABASE_URL is not set; the embedded database is migrated by `undercroft up` itself"


def register(app: typer.Typer) -> None:
    """Add ``undercroft db``."""
    database = typer.Typer(help="The database named by UNDERCROFT_DATABASE_URL.", no_args_is_help=True)
    database.command("migrate")(_migrate)
    database.command("retain")(_retain)
    database.command("release")(_release)
    database.command("reset")(_reset)
    database.command("url")(_embedded_url)
    database.add_typer(holds(), name="hold")
    app.add_typer(database, name="db")


def _migrate(
    mode: Annotated[
        Mode | None, typer.Option(help="What the database is for, said when it is new; it can never be changed.")
    ] = None,
) -> None:
    """Apply the migrations that are missing."""
    with closing(connect(_url(), application_name="undercroft-migrate")) as connection:
        refuse_half_restored(connection)
    known = mode or mode_of_database(_url())
    if known is None:
        raise BadInput("--mode: expected live or exercise, since this database has none yet; it can never be changed")
    applied = migrate_database(_url(), known)
    typer.echo("\n".join(f"applied {name}" for name in applied) or "up to date")


def _retain(*, as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False) -> None:
    """Drop what is older than `retention_class` keeps and no incident holds. TimescaleDB does this by itself."""
    dropped = retain(_url(), SystemClock().now())
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in dropped], default=str))
        return
    typer.echo("\n".join(each.words for each in dropped) or "nothing is older than it is kept")


class OldMessages(StrEnum):
    """What becomes of messages that waited when the backup was made."""

    SEND = "send"
    FORGET = "forget"


def _release(
    messages: Annotated[
        OldMessages | None, typer.Option(help="What becomes of messages that waited when the backup was made.")
    ] = None,
) -> None:
    """Let engine and notifier work on a database that was restored with `--hold`."""
    sends_old = None if messages is None else messages is OldMessages.SEND
    with closing(connect(_url(), application_name="undercroft-release", autocommit=True)) as connection:
        waiting = release_database(connection, SystemClock().now(), sends_old=sends_old)
    typer.echo(
        f"released; {waiting} old messages are {'sent' if sends_old else 'never sent'}" if waiting else "released"
    )


def _reset() -> None:
    """Empty an exercise database. A live one is refused."""
    reset_database(_url())
    typer.echo("emptied")


def _embedded_url() -> None:
    """Print the URL of the database that `undercroft up` runs in DATA_DIR, for commands beside it."""
    path = Settings().data_dir / EMBEDDED_URL_FILE
    try:
        typer.echo(path.read_text(encoding="utf-8").strip())
    except FileNotFoundError as error:
        raise BadInput(f"{path}: there is none; `undercroft up` writes it") from error
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from error


def _url() -> str:
    url = Settings().database_url
    if url is None:
        raise BadInput(_URL_MISSING)
    return url.get_secret_value()
