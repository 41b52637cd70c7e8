"""Acts: what people do, at their place in the commit order, read by the engine like readings."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from undercroft.store.commit import take_commit_seq
from undercroft.store.connection import Connection, translated_errors
from undercroft.store.sql import sql

Row = dict[str, Any]


def record_act(
    connection: Connection, kind: str, subject: str, author: str, acted_at: datetime, body: Mapping[str, Any]
) -> int:
    """Commit one act and wake the engine; return its number in the commit order.

    Inside a transaction of the caller it is part of that; call it last, since the number holds up every other writer.
    """
    with translated_errors(), connection.transaction():
        seq = take_commit_seq(connection)
        values = {
            "act_id": uuid.uuid4(), "commit_seq": seq, "kind": kind, "subject": subject, "author": author,
            "acted_at": acted_at, "body": orjson.dumps(body).decode(),
        }  # fmt: skip
        connection.execute(sql("act_record").encode(), values)
    return seq


def newest_acts(connection: Connection, kind: str) -> list[Row]:
    """Return the newest act of every subject of a kind, in commit order."""
    with translated_errors():
        return connection.execute(sql("act_newest").encode(), {"kind": kind}).fetchall()


def acts_of_kind(connection: Connection, kind: str) -> list[Row]:
    """Return all acts of a kind, in commit order."""
    with translated_errors():
        return connection.execute(sql("act_all").encode(), {"kind": kind}).fetchall()
