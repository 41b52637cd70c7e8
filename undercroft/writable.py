"""Whether a file can be written, looked at before the work whose outcome it takes."""

from __future__ import annotations

import os
from pathlib import Path

from undercroft.errors import BadInput


def must_be_writable(path: Path | None, name: str) -> None:
    """Refuse a file that could not be written in the end; None is no file. Nothing is made.

    Parameters
    ----------
    name : str
        Of the option, for the message.

    Raises
    ------
    BadInput
        If there is no folder for it, it is a folder, or it takes no writing.
    """
    if path is None:
        return
    folder = path.absolute().parent
    if not folder.is_dir():
        raise BadInput(f"{path}: {name}: there is no folder {folder}")
    if path.is_dir() or not os.access(path if path.exists() else folder, os.W_OK):
        raise BadInput(f"{path}: {name}: cannot be written; expected a file in a folder that takes one")
