"""What commands of this part are told: the duty file, and which database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from undercroft.errors import BadInput
from undercroft.settings import Settings

DutyConfig = Annotated[
    Path | None,
    typer.Option("--config", envvar="UNDERCROFT_DUTY_FILE", help="the duty file"),
]


def database_url(command: str) -> str:
    """Return the URL of the database, or say in one line that there is none."""
    url = Settings().database_url
    if url is None:
        raise BadInput(f"{command}: set UNDERCROFT_DATABASE_URL, or start everything with `undercroft up`")
    return url.get_secret_value()
