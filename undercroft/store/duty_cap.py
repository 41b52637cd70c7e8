"""CAP messages that were made."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from undercroft.store.connection import Connection
from undercroft.store.duty import Row, rows, run


def lock(connection: Connection) -> None:
    """Let nobody else choose an identifier until this transaction ends."""
    rows(connection, "cap_lock")


def taken_since(connection: Connection, sent: datetime) -> list[str]:
    """Return the identifiers of messages of this second and later."""
    return [row["identifier"] for row in rows(connection, "cap_taken", sent=sent)]


def keep(connection: Connection, values: Mapping[str, object]) -> None:
    """Keep a message as it was made."""
    run(connection, "cap_keep", **values)


def of_entry(connection: Connection, entry_no: int) -> Row:
    """Return the message that an entry of the duty log speaks of."""
    return rows(connection, "cap_of_entry", entry_no=entry_no)[0]


def messages(connection: Connection, incident_id: str) -> list[Row]:
    """Return the messages of an incident, oldest first."""
    return rows(connection, "cap_messages", incident_id=incident_id, identifier=None)
