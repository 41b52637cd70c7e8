"""Every argument of every command says what it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperArgument, TyperGroup

from undercroft.cli import build_app


def arguments(command: Any, name: str) -> Iterator[tuple[str, str | None]]:
    """Give each argument below a command by its full name, with its help."""
    if isinstance(command, TyperGroup):
        for word, below in command.commands.items():
            yield from arguments(below, f"{name} {word}")
        return
    for parameter in command.params:
        if isinstance(parameter, TyperArgument):
            yield f"{name} {parameter.name}", parameter.help


def test_every_argument_has_its_help() -> None:
    found = dict(arguments(typer.main.get_command(build_app()), "undercroft"))
    assert "undercroft incident submit serial" in found
    assert [name for name, words in found.items() if not words] == []


def test_the_help_of_quality_names_no_command_that_is_not_there() -> None:
    command = typer.main.get_command(build_app("quality"))
    assert isinstance(command, TyperGroup)
    quality = command.commands["quality"]
    assert isinstance(quality, TyperGroup)
    assert sorted(quality.commands) == ["flag", "list", "undo"]
    assert quality.help == "Flags of readings: correct one (flag), take that back (undo), list them."
