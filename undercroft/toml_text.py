"""TOML files that people write: read as UTF-8, and refused in one line that names file and line."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from undercroft.errors import BadInput


def read_toml(path: Path, refused: type[BadInput] = BadInput) -> tuple[str, dict[str, Any]]:
    """Return the text of a file and the document in it.

    Raises
    ------
    BadInput
        Of the class given: the file cannot be read, is not UTF-8 (a byte order mark is no matter), or is no TOML.
    """
    text = read_text(path, refused)
    return text, parse_toml(text, str(path), refused)


def read_text(path: Path, refused: type[BadInput] = BadInput) -> str:
    """Return the text of a UTF-8 file, with LF line ends; raise as `read_toml` does."""
    try:
        raw = path.read_bytes()
    except IsADirectoryError as error:
        why = "Docker makes one where the file to mount is missing"
        raise refused(f"{path}: cannot be read: {error.strerror} ({why})") from error
    except OSError as error:
        raise refused(f"{path}: cannot be read: {error.strerror or error}") from error
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise refused(f"{path}:{line}: found byte 0x{raw[error.start]:02x}, expected UTF-8 text") from error


def parse_toml(text: str, name: str, refused: type[BadInput] = BadInput) -> dict[str, Any]:
    """Return the document in a text; ``name`` is its file in messages; raise as `read_toml` does."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise refused(_broken_toml(name, text, error)) from error


def _broken_toml(name: str, text: str, error: Exception) -> str:
    """Say in one line why the text is no TOML; ``tomllib`` ends its message with ``(at line 3, column 5)``."""
    if isinstance(error, RecursionError):
        return f"{name}:1: not valid TOML: nested too deeply"
    message, _, place = " ".join(str(error).split()).partition(" (at ")
    if not place.startswith("line "):
        line = text.rstrip("\n").count("\n") + 1 if place else 1
        return f"{name}:{line}: not valid TOML: {message}"
    line_text, _, column = place.rstrip(")").removeprefix("line ").partition(", ")
    return f"{name}:{line_text}: not valid TOML: {message} ({column})"
