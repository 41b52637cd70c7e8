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

Connection = psycopg.Connection[DictRow]

TEMPORARY_SQLSTATE_CLASSES = frozenset({"08", "25", "40", "53", "55", "57", "58"})
"""Connection, transaction state (read-only), rollback (deadlock), resources, object state, intervention, system."""

CONNECT_TIMEOUT_S = 10

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
        message = f"database: {first_line}{state}"
        if is_temporary(error):
            raise StoreUnavailable(message) from error
        raise StoreRejected(message, error.sqlstate) from error


def connect(
    url: str, *, application_name: str, autocommit: bool = False, answer_within_s: float | None = None
) -> Connection:
    """Open a connection that speaks UTC and returns rows as dictionaries.

    ``answer_within_s`` limits each statement, with what it waits for, and ends one whose other end is gone. [s]

    Raises
    ------
    StoreUnavailable
        If the server cannot be reached or takes no connection now.
    """
    options: dict[str, Any] = {
        "application_name": application_name,
        "connect_timeout": CONNECT_TIMEOUT_S,
        "options": "-c timezone=UTC",
    }
    if answer_within_s is not None:
        limit_ms = round(answer_within_s * 1000)
        options["options"] += f" -c statement_timeout={limit_ms}"
        options |= {"tcp_user_timeout": limit_ms, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3}
    with translated_errors():
        return psycopg.connect(url, autocommit=autocommit, row_factory=dict_row, **options)
