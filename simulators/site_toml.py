"""A site as the text of a ``site.toml``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from undercroft.site.document import site_document
from undercroft.site.model import Site


def site_toml(site: Site) -> str:
    """Return a file that `undercroft.site.load_site` reads back as the same site."""
    lines: list[str] = []
    for key, part in site_document(site).items():
        for number, table in enumerate(part if isinstance(part, list) else [part]):
            heading = f"[[{key}]]" if isinstance(part, list) else f"[{key}]"
            lines += [*([""] if lines or number else []), heading, *_pairs(table)]
    return "\n".join(lines) + "\n"


def _pairs(table: dict[str, Any]) -> Iterator[str]:
    return (f"{key} = {_value(value)}" for key, value in table.items() if value is not None)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(_pairs(value)) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    # Strings, numbers and truth values of JSON are those of TOML, but for DEL, which no name holds.
    return json.dumps(value, ensure_ascii=False)
