"""Commands of this part for the ``undercroft`` command line."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Add this part's commands."""
    del app
