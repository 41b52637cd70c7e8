"""What is given to each group is read from the text that gives it."""

from __future__ import annotations

import re

import pytest

from undercroft.store.grants import Grant, written_grants
from undercroft.store.roles import Role
from undercroft.store.sql import sql

RIGHTS = ("select", "insert")


def test_every_form_of_grant_is_read() -> None:
    text = """
    -- a word; and more
    revoke all on all tables in schema public from a;
    grant usage on schema public to a;
    grant select, insert on one,
        two to a, b; -- said
    grant update (x, y) on three to b;
    grant usage on sequence s to a;
    grant execute on function f to b;
    """
    assert written_grants(text) == {
        Grant("a", "usage", "schema", "public"),
        *(Grant(group, right, "table", name) for group in "ab" for right in RIGHTS for name in ("one", "two")),
        Grant("b", "update", "column", "three", "x"),
        Grant("b", "update", "column", "three", "y"),
        Grant("a", "usage", "sequence", "s"),
        Grant("b", "execute", "function", "f"),
    }  # fmt: skip


@pytest.mark.parametrize("text", ["grant select to a;", "alter table t owner to a;", "grant all on all tables;"])
def test_what_is_not_read_is_no_right_left_out(text: str) -> None:
    with pytest.raises(ValueError, match=r"roles\.sql: not read"):
        written_grants(text)


def test_ours_are_all_read() -> None:
    bare = re.sub(r"--[^\n]*", "", sql("grant_exactly"))
    granted = {
        word
        for statement in bare.split(";")
        if "grant" in statement
        for word in re.findall(r"undercroft_\w+", statement)
    }
    assert {grant.group for grant in written_grants()} == {role.value for role in Role} <= granted
    assert Grant("undercroft_ingest", "insert", "table", "observation_packed") in written_grants()
