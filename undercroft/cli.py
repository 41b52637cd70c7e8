"""The ``undercroft`` command. Each part registers its own commands by entry point.

Exit code 0 only on success, 2 for input that the user can mend, 1 for everything else.
"""

from __future__ import annotations

import sys
from importlib.metadata import entry_points

import typer
from rich.console import Console

from undercroft import __version__
from undercroft.errors import BadInput, UndercroftError

COMMAND_GROUP = "undercroft.commands"


def build_app() -> typer.Typer:
    """Return the command line with the commands of every installed part."""
    app = typer.Typer(
        name="undercroft",
        help="Flood-risk monitoring for underground spaces.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )

    @app.command()
    def version() -> None:
        """Print the version."""
        typer.echo(__version__)

    for entry in sorted(entry_points(group=COMMAND_GROUP), key=lambda entry: entry.name):
        entry.load()(app)
    return app


def main() -> None:
    """Run the command line; errors the user can act upon are one line on standard error."""
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    try:
        build_app()()
    except BadInput as error:
        console.print(f"undercroft: {error}", markup=False)
        sys.exit(2)
    except UndercroftError as error:
        console.print(f"undercroft: {error}", markup=False)
        sys.exit(1)
