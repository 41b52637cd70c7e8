"""Libraries of past floods in the database: kept by version, taken into use by an act in the commit order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import tuple_row

from undercroft.errors import BadInput
from undercroft.store.acts import record_act
from undercroft.store.connection import Connection, translated_errors
from undercroft.store.sql import sql

Row = dict[str, Any]

KIND = "flood_library"
"""Of the act; its body is ``{"version": number or null, "sha256": ...}``."""
SUBJECT = "floods/engine"


@dataclass(frozen=True, slots=True)
class NewLibrary:
    """A library that is to be kept."""

    built_at: datetime
    built_from: datetime | None
    built_until: datetime | None
    engine_version: str
    author: str
    source: str
    sensors: int
    floods: int
    sha256: str
    document: str


def keep_library(connection: Connection, library: NewLibrary) -> int:
    """Keep a library, and return its number; nothing uses it yet."""
    with translated_errors(), connection.transaction():
        connection.execute(sql("flood_library_lock").encode())
        row = connection.execute(sql("flood_library_insert").encode(), asdict(library)).fetchone()
    assert row is not None  # noqa: S101 - an insert returns its row
    return int(row["version"])


def libraries(connection: Connection) -> list[Row]:
    """Return all libraries, the newest first, without what is in them."""
    with translated_errors():
        return connection.execute(sql("flood_libraries").encode()).fetchall()


def library_document(connection: Connection, version: int) -> Row:
    """Return number, hash and document of a library.

    Raises
    ------
    BadInput
        If there is none of this number.
    """
    with translated_errors():
        row = connection.execute(sql("flood_library_document").encode(), {"version": version}).fetchone()
    if row is None:
        raise BadInput(f"there is no flood library {version}: `undercroft floods list` shows those there are")
    return row


def use_library(connection: Connection, version: int | None, author: str, acted_at: datetime) -> int:
    """Take a library into use, or with None every library out of it; return the place in the commit order."""
    body: Mapping[str, Any] = {"version": None, "sha256": None}
    if version is not None:
        body = {"version": version, "sha256": library_document(connection, version)["sha256"]}
    return record_act(connection, KIND, SUBJECT, author, acted_at, body)


def good_readings(
    connection: Connection, sensor_id: int, start: datetime, until: datetime
) -> Iterator[tuple[int, float]]:
    """Yield time [microseconds since 1970] and value of the good readings of a sensor, in order of time."""
    with translated_errors(), connection.cursor(row_factory=tuple_row) as cursor:
        found = cursor.execute(
            sql("flood_good_readings").encode(), {"sensor_id": sensor_id, "start": start, "until": until}
        )
        yield from found
