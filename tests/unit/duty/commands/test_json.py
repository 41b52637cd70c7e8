"""Every command of the staff answers machines too."""

from __future__ import annotations

import pytest
from typer.main import get_command

from undercroft.cli import build_app

STAFF = ("act", "order", "incident", "roster", "user", "log", "warning", "fieldreport", "stock", "notifications")
FORMS_OF_THEIR_OWN = {("incident", "cap")}
"""CAP is XML."""


@pytest.mark.parametrize("group", STAFF)
def test_every_staff_command_takes_json(group: str) -> None:
    command = get_command(build_app(group)).commands[group]  # type: ignore[attr-defined]
    children = getattr(command, "commands", {"": command})
    assert children
    for name, child in children.items():
        flags = {flag for parameter in child.params for flag in parameter.opts}
        assert "--json" in flags or (group, name) in FORMS_OF_THEIR_OWN, f"{group} {name}"
