"""The ``undercroft`` command. Each part registers its own commands by entry point.

An entry point is named after its command, or ``group.command``; only what the command line names is imported, so that
a service does not carry every other part's libraries in its memory.

Exit code 0 only on success, 2 for input that the user can mend, 1 for everything else.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import EntryPoint, entry_points

import typer
from pydantic import ValidationError
from rich.console import Console

from undercroft import __version__
from undercroft.errors import BadInput, UndercroftError
from undercroft.settings import Settings
from undercroft.telemetry import configure_logging

COMMAND_GROUP = "undercroft.commands"


def build_app(command: str | None = None) -> typer.Typer:
    """Return the command line with one command or group, or with all when it is None or unknown."""
    app = typer.Typer(
        name="undercroft",
        help="Flood-risk monitoring for underground spaces.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )

    @app.callback()
    def _root() -> None:
        """Flood-risk monitoring for underground spaces."""

    @app.command()
    def version() -> None:
        """Print the version."""
        typer.echo(__version__)

    registered = set()
    for entry in entries_of(command):
        if entry.value not in registered:
            registered.add(entry.value)
            entry.load()(app)
    return app


def entries_of(command: str | None) -> list[EntryPoint]:
    """Return the entry points that a command needs: its own; all of them where it is none of ours."""
    if command == "version":
        return []
    known = sorted(entry_points(group=COMMAND_GROUP), key=lambda entry: entry.name)
    return [entry for entry in known if entry.name.split(".")[0] == command] or known


def main() -> None:
    """Run the command line; errors the user can act upon are one line on standard error."""
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    try:
        _check_text()
        configure_logging(_check_settings().log_format)
        build_app(sys.argv[1] if len(sys.argv) > 1 else None)()
    except BadInput as error:
        console.print(f"undercroft: {error}", markup=False)
        sys.exit(2)
    except UndercroftError as error:
        console.print(f"undercroft: {error}", markup=False)
        sys.exit(1)


def _check_text() -> None:
    """Look at all that was typed, and at our settings, for what is no UTF-8: Python smuggles it in as surrogates.

    Raises
    ------
    BadInput
        Names the argument by its place, or the variable; its value may be a secret and is not shown.
    """
    typed = [(f"argument {place}", text) for place, text in enumerate(sys.argv[1:], 1)]
    ours = [(name, value) for name, value in os.environ.items() if name.startswith("UNDERCROFT_")]
    for where, text in (*typed, *ours):
        if any("\ud800" <= character <= "\udfff" for character in text):
            name = where.encode("utf-8", "backslashreplace").decode()
            raise BadInput(f"{name}: expected text in UTF-8; is the terminal set to it?")


def _check_settings() -> Settings:
    """Read the settings once before anything else, so that a wrong one is named in one line.

    Raises
    ------
    BadInput
        Names the variable and what was expected; the value may be a secret and is not shown.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        variable = "UNDERCROFT_" + "_".join(str(part) for part in first["loc"]).upper()
        raise BadInput(f"{variable}: {first['msg'].removeprefix('Value error, ')}") from None
