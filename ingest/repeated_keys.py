"""Keys that stand twice in one object of JSON: RFC 8259 (section 4) leaves open which counts, and so none does. Pure.

The JSON library keeps the last and says nothing. A look at every key would cost more than the parsing, so the quotation
marks are counted: two for each key and string that the parsed value holds, if no key is repeated and no mark escaped.
Only where there are more of them the payload is read a second time.
"""

from __future__ import annotations

import re
from typing import Any, Final

import orjson


class Repeated:
    """In place of the value of a key that stands twice."""

    __slots__ = ()


TWICE: Final = Repeated()

_QUOTE = b'"'
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],:]')
_Path = tuple[str | int, ...]


def quoted_in(value: Any) -> int:
    """Return how many keys and strings a parsed value holds.

    Examples
    --------
    >>> quoted_in([{"a": "b", "c": [1, "d"]}])
    4
    """
    count = 0
    waiting = [value]
    while waiting:
        entry = waiting.pop()
        if type(entry) is str:
            count += 1
        elif type(entry) is dict:
            count += len(entry)
            waiting += entry.values()
        elif type(entry) is list:
            waiting += entry
    return count


def may_repeat(payload: bytes, quoted: int) -> bool:
    """Tell whether a key may stand twice, by how many keys and strings were found in it, or by less than all."""
    return payload.count(_QUOTE) != 2 * quoted


def mark_repeated(payload: bytes, value: Any) -> bool:
    """Put `TWICE` in place of what stands under repeated keys of a parsed payload; tell whether there are any.

    Examples
    --------
    >>> body = {"a": 2, "b": 3}
    >>> mark_repeated(b'{"a": 1, "b": 3, "a": 2}', body), body["a"] is TWICE, body["b"]
    (True, True, 3)
    """
    paths = _repeated(payload)
    for path in paths:
        _mark(value, path)
    return bool(paths)


def _mark(value: Any, path: _Path) -> None:
    for step in path[:-1]:
        if type(value) is dict:
            value = value.get(step)
        elif type(value) is list and type(step) is int and step < len(value):
            value = value[step]
        else:
            return  # it stands in what a repeated key hides
    if type(value) is dict and path[-1] in value:
        value[path[-1]] = TWICE


def _repeated(payload: bytes) -> list[_Path]:
    """Return the paths of repeated keys, outer ones after what stands in them. The payload is sound JSON."""
    found: list[_Path] = []
    path: list[str | int] = []
    """Of the value that comes next: in an object its key, in an array its place."""
    seen: list[set[str] | None] = []
    """Of each open object its keys, of an array None."""
    before = b""
    for match in _TOKEN.finditer(payload):
        token = match[0]
        if token == b"{":
            seen.append(set())
            path.append("")
        elif token == b"[":
            seen.append(None)
            path.append(0)
        elif token in {b"}", b"]"}:
            seen.pop()
            path.pop()
        elif token == b",":
            if seen[-1] is None:
                path[-1] = int(path[-1]) + 1
        elif token == b":" and (keys := seen[-1]) is not None:
            path[-1] = key = orjson.loads(before)
            if key in keys:
                found.append(tuple(path))
            keys.add(key)
        before = token
    return sorted(found, key=len, reverse=True)
