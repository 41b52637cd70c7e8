"""Somebody who acts through the door, and what the store holds for them to act on."""

from __future__ import annotations

from typing import Any

from duty.door import door
from tests.integration.duty_kit import now
from undercroft.store import duty_acts as store
from undercroft.store.connection import Connection
from undercroft.store.site import sensors

SUBJECT = "space/gar"


def actor(db: Connection, role: str = "officer") -> door.Actor:
    token, hashed = door.new_token()
    store.add_operator(db, f"li-{role}", "李", role, hashed, now())
    return door.authorise(db, token, "test", now())


def alarm(db: Connection, subject: str = SUBJECT, **fields: Any) -> None:
    """Have an alarm stand in the store as the engine writes it."""
    row = {
        "subject": subject, "occurrence": 1, "subject_kind": subject.partition("/")[0], "severity": 3,
        "peak_severity": 3,
        "active": True, "acknowledged": False, "latched": False, "raised_at": now(), "cleared_at": None,
        "shelved_until": None, **fields,
    }  # fmt: skip
    db.execute(
        "insert into alarm (subject, occurrence, subject_kind, severity, peak_severity, active, acknowledged, latched,"
        " raised_at, cleared_at, shelved_until, reasons, last_tick_seq)"
        " values (%(subject)s, %(occurrence)s, %(subject_kind)s, %(severity)s, %(peak_severity)s, %(active)s,"
        " %(acknowledged)s, %(latched)s, %(raised_at)s, %(cleared_at)s, %(shelved_until)s, '[]', 0)",
        row,
    )


def audited(db: Connection) -> list[tuple[str, str, str]]:
    rows = db.execute("select operator_id, action, outcome from audit order by audit_id").fetchall()
    return [(row["operator_id"], row["action"], row["outcome"]) for row in rows]


def observe(db: Connection, quantity: str, value: float) -> None:
    sensor = next(s for s in sensors(db) if s.place_id == "gar" and s.quantity == quantity)
    db.execute(
        "insert into observation (sensor_id, observed_at, value, quality, received_at, batch_id)"
        " values (%s, %s, %s, 1, %s, 0)",
        (sensor.sensor_id, now(), value, now()),
    )


def rewrite(db: Connection) -> None:
    """Change an entry and every hash after it, as somebody who owns the table can."""
    rows = store.log_entries(db)
    db.execute("delete from duty_log")
    for row in rows:
        body = {"text": "nothing happened"} if row["entry_no"] == 2 else row["body"]
        with store.transaction(db):
            door.log(db, row["kind"], row["author"], row["subject"], body, row["at"])
