"""What `grant_exactly` (``sql/roles.sql``) gives, read from its text: the doctor holds a database against it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from undercroft.store.sql import sql

_COMMENT = re.compile(r"--[^\n]*")
_GRANT = re.compile(r"grant (?P<what>.+?) on (?:(?P<kind>sequence|function|schema) )?(?P<names>.+?) to (?P<groups>.+)")
_COLUMNS = re.compile(r"(?P<right>\w+) \((?P<columns>[^)]+)\)")


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One right of one group: ``kind`` is table, column, sequence, function or schema; ``column`` of a column alone."""

    group: str
    right: str
    kind: str
    name: str
    column: str = ""


def written_grants(text: str | None = None) -> frozenset[Grant]:
    """Return the rights that a text of grants gives, by default those of every group of this database.

    Raises
    ------
    ValueError
        If a grant is of a form that is not read.

    Examples
    --------
    >>> sorted(grant.right for grant in written_grants("grant select, insert on batch to undercroft_ingest;"))
    ['insert', 'select']
    >>> written_grants("grant update (text) on report to undercroft_acts;")
    frozenset({Grant(group='undercroft_acts', right='update', kind='column', name='report', column='text')})
    """
    bare = _COMMENT.sub("", sql("grant_exactly") if text is None else text)
    found: set[Grant] = set()
    for words in (" ".join(statement.split()) for statement in bare.split(";")):
        if not words or words.startswith("revoke "):
            continue
        if (match := _GRANT.fullmatch(words)) is None:
            raise ValueError(f"roles.sql: not read: {words}")
        for group in _list(match["groups"]):
            for name in _list(match["names"]):
                found |= _rights(match["what"], group, match["kind"] or "table", name)
    return frozenset(found)


def _rights(what: str, group: str, kind: str, name: str) -> set[Grant]:
    if (match := _COLUMNS.fullmatch(what)) is not None:
        return {Grant(group, match["right"], "column", name, column) for column in _list(match["columns"])}
    return {Grant(group, right, kind, name) for right in _list(what)}


def _list(words: str) -> list[str]:
    return [word.strip() for word in words.split(",")]
