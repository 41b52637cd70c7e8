"""Every SQL statement by name. ``-- name: fetch_thing`` starts one; a name is unique over all files."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


@cache
def statements() -> dict[str, str]:
    """Return name -> statement, of all ``.sql`` files in this folder.

    Raises
    ------
    ValueError
        If two statements share a name.
    """
    found: dict[str, str] = {}
    for path in sorted(files(__package__).iterdir(), key=lambda entry: entry.name):
        if not path.name.endswith(".sql"):
            continue
        parts = _NAME.split(path.read_text(encoding="utf-8"))
        for name, text in zip(parts[1::2], parts[2::2], strict=True):
            if name in found:
                raise ValueError(f"{path.name}: statement {name} exists already")
            found[name] = text.strip()
    return found


def sql(name: str) -> str:
    """Return the statement of this name; values are ``%(name)s`` placeholders."""
    return statements()[name]
