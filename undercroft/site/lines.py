"""Where in a TOML text each key and table stands. ``tomllib`` gives values only; tree-sitter gives positions."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator

import tree_sitter_toml
from tree_sitter import Language, Node, Parser

Path = tuple[str | int, ...]
"""Keys and list positions from the top of the document, as in ``("space", 3, "entrances", 0, "width_m")``."""

_LANGUAGE = Language(tree_sitter_toml.language())
_KEYS = frozenset({"bare_key", "quoted_key", "dotted_key"})
_NOT_VALUES = frozenset({"comment", "ERROR"})


class LineIndex:
    """Line numbers of a valid TOML document, counted from 1."""

    def __init__(self, text: str) -> None:
        self._line_of: dict[Path, int] = {(): 1}
        self._tables_in: dict[Path, int] = {}
        for node in Parser(_LANGUAGE).parse(text.encode()).root_node.named_children:
            if node.type == "pair":
                self._add_pair((), node)
            elif node.type in {"table", "table_array_element"}:
                self._add_table(node)

    def line_of(self, path: Path) -> int:
        """Return the line of the key or table at a path; of the nearest one around it when it is not there."""
        while path not in self._line_of:
            path = path[:-1]
        return self._line_of[path]

    def _add_table(self, node: Node) -> None:
        path = self._table_path(_key_parts(_first_key(node)), is_element=node.type == "table_array_element")
        self._note(path, node)
        for pair in _pairs(node):
            self._add_pair(path, pair)

    def _table_path(self, keys: list[str], *, is_element: bool) -> Path:
        """Resolve a header: keys on the way stand for the newest element of their array of tables."""
        path: Path = ()
        for key in keys[:-1]:
            path = self._newest((*path, key))
        path = (*path, keys[-1])
        if is_element:
            self._tables_in[path] = self._tables_in.get(path, 0) + 1
        return self._newest(path)

    def _newest(self, path: Path) -> Path:
        count = self._tables_in.get(path)
        return path if count is None else (*path, count - 1)

    def _add_pair(self, table: Path, pair: Node) -> None:
        path = (*table, *_key_parts(_first_key(pair)))
        self._note(path, pair)
        for child in _values(pair):
            self._add_value(path, child)

    def _add_value(self, path: Path, node: Node) -> None:
        if node.type == "array":
            for position, element in enumerate(_values(node)):
                self._note((*path, position), element)
                self._add_value((*path, position), element)
        elif node.type == "inline_table":
            for pair in _pairs(node):
                self._add_pair(path, pair)

    def _note(self, path: Path, node: Node) -> None:
        """Keep the first line on which a path, and each path around it, is seen."""
        for length in range(len(path), 0, -1):
            self._line_of.setdefault(path[:length], node.start_point[0] + 1)


def _pairs(node: Node) -> Iterator[Node]:
    return (child for child in node.named_children if child.type == "pair")


def _values(node: Node) -> Iterator[Node]:
    return (child for child in node.named_children if child.type not in _KEYS | _NOT_VALUES)


def _first_key(node: Node) -> Node:
    return next(child for child in node.named_children if child.type in _KEYS)


def _key_parts(node: Node) -> list[str]:
    """Return the parts of a key; ``tomllib`` itself undoes quotes and escapes."""
    if node.type == "dotted_key":
        return [part for child in node.named_children for part in _key_parts(child)]
    text = (node.text or b"").decode()
    return [text] if node.type == "bare_key" else list(tomllib.loads(f"{text} = 0"))
