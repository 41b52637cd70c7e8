"""Command groups that several parts add to, such as ``undercroft bench``."""

from __future__ import annotations

import typer


def group(app: typer.Typer, name: str, help_text: str) -> typer.Typer:
    """Return the group of this name, made at the first call; the first help text stays."""
    for known in app.registered_groups:
        if known.name == name and known.typer_instance is not None:
            return known.typer_instance
    fresh = typer.Typer(help=help_text, no_args_is_help=True)
    app.add_typer(fresh, name=name)
    return fresh
