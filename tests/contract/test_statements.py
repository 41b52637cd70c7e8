"""Every named statement of the store is understood by both databases, as the migrated schema stands."""

from __future__ import annotations

import re
from contextlib import closing

import psycopg

from undercroft.store.connection import connect
from undercroft.store.sql import statements

_PLACEHOLDER = re.compile(r"%\((\w+)\)s")
NOT_PREPARED = re.compile(
    r"^(--[^\n]*\n)*\s*(set|do|grant|revoke|listen|notify|lock|truncate|drop|create|alter)\b", re.I
)

ONLY_TIMESCALE = "-- undercroft: only with TimescaleDB"


def prepared(text: str) -> str:
    """Return the statement with ``$n`` for its values."""
    numbers: dict[str, int] = {}

    def number(match: re.Match[str]) -> str:
        return f"${numbers.setdefault(match.group(1), len(numbers) + 1)}"

    return _PLACEHOLDER.sub(number, text).replace("%%", "%").rstrip().rstrip(";")


def test_every_statement_is_understood(any_db: str, flavour: str) -> None:
    refused = {}
    checked = 0
    with closing(connect(any_db, application_name="tests", autocommit=True)) as connection:
        connection.execute(statements()["bench_make_series"].encode())  # a table of the session, which two others read
        for name, text in statements().items():
            if NOT_PREPARED.match(text) or (flavour == "plain" and ONLY_TIMESCALE in text):
                continue
            checked += 1
            try:
                connection.pgconn.prepare(b"", prepared(text).encode())
                result = connection.pgconn.prepare(b"checked", prepared(text).encode())
                if result.status != psycopg.pq.ExecStatus.COMMAND_OK:
                    refused[name] = result.error_message.decode()
                else:
                    connection.execute("deallocate checked")
            except psycopg.Error as error:
                refused[name] = str(error)
    assert refused == {}
    assert checked > 50
