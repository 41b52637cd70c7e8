"""All dashboards, and their files under ``built/``: the same bytes from the same sources, always."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from dashboards import boards
from dashboards.dashboard import Dashboard, rendered
from undercroft.errors import BadInput

BUILT = Path(__file__).parent / "built"


def all_dashboards() -> list[Dashboard]:
    """Return every dashboard, by uid."""
    modules = [import_module(f"dashboards.boards.{module.name}") for module in iter_modules(boards.__path__)]
    return sorted((module.DASHBOARD for module in modules), key=lambda board: board.uid)


def build() -> dict[str, str]:
    """Return file name -> content of every dashboard."""
    return {f"{board.uid}.json": rendered(board.to_json()) for board in all_dashboards()}


def write(folder: Path = BUILT) -> list[str]:
    """Write the files that are not yet as built, remove those of no dashboard; return the names touched."""
    files = build()
    folder.mkdir(parents=True, exist_ok=True)
    touched = []
    for name, text in files.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            touched.append(name)
    for path in folder.glob("*.json"):
        if path.name not in files:
            path.unlink()
            touched.append(path.name)
    return touched


def require_built(folder: Path = BUILT) -> None:
    """Raise unless the files are what the sources say.

    Raises
    ------
    BadInput
        Naming the files that differ.
    """
    files = build()
    stale = sorted(
        name
        for name, text in files.items()
        if not (folder / name).exists() or (folder / name).read_text("utf-8") != text
    )
    stale += sorted(path.name for path in folder.glob("*.json") if path.name not in files)
    if stale:
        raise BadInput(f"not as built: {', '.join(stale)}: run `undercroft dashboards build`")
