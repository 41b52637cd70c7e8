"""Connections to PostgreSQL, and psycopg's errors told apart: worth another try, or not.

No psycopg error leaves the store: `translated_errors` turns it into `StoreUnavailable` or `StoreRejected`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import set_json_loads

from undercroft.errors import StoreRejected, StoreUnavailable
from undercroft.store.prompt import PromptConnection

Connection = psycopg.Connection[DictRow]

TEMPORARY_SQLSTATE_CLASSES = frozenset({"08", "25", "40", "53", "55", "57", "58"})
"""Connection, transaction state (read-only), rollback (deadlock), resources, object state, intervention, system."""

OF_ANOTHER_SCHEMA = frozenset({"42P01", "42703", "42883"})
"""No such table, column or function: most likely nobody has migrated, or not since the version changed."""

TO_MIGRATE = "run `undercroft db migrate --mode live` on it (`--mode exercise` if it is for exercises)"
"""What to do with a database that may have no mode yet; one that has the other mode refuses, and says so."""

CONNECT_TIMEOUT_S = 10
ALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
"""A server whose machine is gone is noticed within a minute, also by whoever only listens. [s]"""
LEAST_CONNECT_S = 2
"""What libpq takes a shorter limit for. [s]"""
SERVER_FIRST_S = 0.5
"""How much later this side gives up: the server's own limit says what was waited for. [s]"""
GONE_S = 15
"""A server that takes no byte for so long is gone. [s]"""

set_json_loads(orjson.loads)  # for every connection, the pools of the API too: reasons and evidence are JSON


def is_temporary(error: psycopg.Error) -> bool:
    """Tell whether the same request may succeed later, by SQLSTATE class; no SQLSTATE means the connection broke."""
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return error.sqlstate[:2] in TEMPORARY_SQLSTATE_CLASSES


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raise `StoreUnavailable` or `StoreRejected` in place of psycopg's errors."""
    try:
        yield
    except psycopg.Error as error:
        state = f" (SQLSTATE {error.sqlstate})" if error.sqlstate else ""
        first_line = next(iter(str(error).strip().splitlines()), type(error).__name__)
        hint = f"; {TO_MIGRATE}" if error.sqlstate in OF_ANOTHER_SCHEMA else ""
        message = f"database: {first_line}{state}{hint}"
        if is_temporary(error):
            raise StoreUnavailable(message) from error
        raise StoreRejected(message, error.sqlstate) from error


def connect(
    url: str,
    *,
    application_name: str,
    autocommit: bool = False,
    answer_within_s: float | None = None,
    idle_within_s: float | None = None,
) -> Connection:
    """Open a connection that speaks UTC and returns rows as dictionaries.

    ``answer_within_s`` limits connecting and each statement, with what it waits for, on the server and on this side:
    one that is frozen, or whose machine is gone, ends nothing by itself. [s]
    ``idle_within_s`` limits how long a transaction may stand still, so that a client that is frozen or gone holds up
    nobody for longer; and a server that takes no byte is noticed. [s]

    Raises
    ------
    StoreUnavailable
        If the server cannot be reached or takes no connection now.
    """
    options: dict[str, Any] = {
        "application_name": application_name,
        "connect_timeout": CONNECT_TIMEOUT_S,
        "options": "-c timezone=UTC",
        **ALIVE,
    }
    if idle_within_s is not None:
        options["options"] += f" -c idle_in_transaction_session_timeout={round(idle_within_s * 1000)}"
        options["tcp_user_timeout"] = GONE_S * 1000
    if answer_within_s is None:
        with translated_errors():
            return psycopg.connect(url, autocommit=autocommit, row_factory=dict_row, **options)
    options["options"] += f" -c statement_timeout={round(answer_within_s * 1000)}"
    options["connect_timeout"] = min(CONNECT_TIMEOUT_S, max(LEAST_CONNECT_S, round(answer_within_s)))
    with translated_errors():
        connection = PromptConnection.connect(url, autocommit=autocommit, row_factory=dict_row, **options)
        connection.answer_within_s = answer_within_s + SERVER_FIRST_S
        return connection
