"""Read a ``site.toml``: everything wrong with it at once, or the site."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from undercroft.errors import SiteInvalid
from undercroft.site.check import coverage_gaps, cross_problems
from undercroft.site.lines import Path
from undercroft.site.model import Site
from undercroft.site.problems import Located, Problem, SiteProblems, locate, shown, value_at
from undercroft.site.schema import expected_at, fields_at
from undercroft.toml_text import read_toml


@dataclass(frozen=True, slots=True)
class SiteFile:
    """A site file that can be used, and what in it deserves a second look."""

    site: Site
    gaps: list[Located]


def load_site(path: FilePath) -> Site:
    """Return the site in a file.

    Raises
    ------
    SiteInvalid
        If anything is wrong: one line for each problem, with file, line, field, what was found and expected.
    """
    return read_site_file(path).site


def read_site_file(path: FilePath) -> SiteFile:
    """Return the site in a file with its coverage gaps; raise `SiteInvalid` as `load_site` does."""
    text, document = read_toml(path, SiteInvalid)
    try:
        site: Site | None = Site.model_validate_json(json.dumps(document, default=_iso), strict=True)
        problems: list[Problem] = []
    except ValidationError as error:
        site = None
        problems = [_problem(document, details) for details in error.errors() if not _is_echo(document, details)]
    problems += [*_unstorable(document), *cross_problems(document)]
    if problems or site is None:
        raise SiteProblems(locate(problems, str(path), text, document))
    return SiteFile(site, locate(coverage_gaps(document), str(path), text, document))


def sample_site_path() -> FilePath:
    """Return the path of the fictional sample district."""
    return FilePath(str(files("undercroft.site") / "sample" / "futian.toml"))


def _iso(value: Any) -> str:
    text: str = value.isoformat()
    return text


def _unstorable(value: Any, path: Path = ()) -> Iterator[Problem]:
    """Find text that no PostgreSQL keeps."""
    if isinstance(value, str) and "\0" in value:
        yield Problem(path, shown(value), "text without the character U+0000")
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield from _unstorable(inner, (*path, step))


def _is_echo(document: dict[str, Any], details: ErrorDetails) -> bool:
    """Tell whether a list is called too short only because elements of it are wrong; those are told themselves."""
    if details["type"] != "too_short":
        return False
    return len(value_at(document, details["loc"])) >= int(details["ctx"]["min_length"])


def _problem(document: dict[str, Any], details: ErrorDetails) -> Problem:
    """Turn one of pydantic's errors into found and expected."""
    loc = details["loc"]
    found = value_at(document, loc)
    if details["type"] == "extra_forbidden":
        near = ", ".join(fields_at(loc[:-1]))
        return Problem(loc, f"an unknown field {shown(found)}", f"one of {near}")
    return Problem(loc, shown(found), expected_at(loc))
