"""The feed of a run: the simulator as a process, its progress, and its own count of what must be stored."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from undercroft.errors import StackFailed
from undercroft.site.model import Site


@dataclass(frozen=True, slots=True)
class Feed:
    """What is played.

    Attributes
    ----------
    name : str
        As shown and reported.
    site : Site
        The district that it plays in.
    argv : tuple of str
        Arguments after ``python -m undercroft``; files for statistics and progress are added.
    """

    name: str
    site: Site
    argv: tuple[str, ...]


class ProgressFile:
    """Reads the JSON lines that the simulator appends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def newest(self) -> dict[str, Any] | None:
        """Return the newest whole line since the last call."""
        if not self._path.exists():
            return None
        with self._path.open("rb") as file:
            file.seek(self._offset)
            text = file.read()
        whole = text.rfind(b"\n") + 1
        if whole == 0:
            return None
        self._offset += whole
        newest: dict[str, Any] = json.loads(text[:whole].splitlines()[-1])
        return newest


def read_stats(path: Path) -> dict[str, Any]:
    """Return the simulator's own count of a finished run."""
    try:
        stats: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StackFailed("the simulator ended without its statistics; its last lines above say why") from None
    return stats
