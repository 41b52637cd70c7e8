"""The mark (演练) of what a command prints of a drill."""

from __future__ import annotations

import typer

from undercroft.model import EXERCISE_MARK, Mode
from undercroft.store.connection import Connection
from undercroft.store.migrate import mode_of


def say_drill(connection: Connection, *, as_json: bool) -> None:
    """Print the mark before what a command prints, where the database is a drill's.

    Parameters
    ----------
    as_json : bool
        Whether it prints for machines: then the mark goes to standard error, so that what they read stays what it is.
    """
    if mode_of(connection) is Mode.EXERCISE:
        typer.echo("".join(EXERCISE_MARK).strip(), err=as_json)
