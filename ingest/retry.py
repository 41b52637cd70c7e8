"""Try a dead letter again, after the site data or a decoder was mended. Its readings keep their time of receipt."""

from __future__ import annotations

from enum import StrEnum

from ingest.batch import Message, build_draft
from ingest.outcome import make_record, store_together
from ingest.quality_memory import QualityMemory, store_later_flags
from ingest.run_clock import RunClock
from ingest.sensors import build_directory
from ingest.topics import is_run_clock
from undercroft.errors import BadInput
from undercroft.model import Mode
from undercroft.store.connection import Connection, translated_errors
from undercroft.store.dead_letters import fetch_dead_letter, settle_dead_letter
from undercroft.store.observations import finish_batch, microseconds, take_batch_ids
from undercroft.store.sensors import fetch_sensor_table

LANE = "deadletter"


class Retried(StrEnum):
    """What became of a dead letter that was tried again."""

    STORED = "stored"
    KNOWN = "known"
    """All its readings had been stored before."""
    STILL_DEAD = "still_dead"
    CUT = "cut"
    """Its payload was too long to be kept whole."""
    SETTLED = "settled"
    """It was retried or dropped before."""


def retry_dead_letter(connection: Connection, mode: Mode, dead_letter_id: int, author: str) -> Retried:
    """Store what can be read of a dead letter now, and settle it if its own reason is gone; one transaction.

    Raises
    ------
    BadInput
        If there is no such dead letter.
    """
    with translated_errors(), connection.transaction():
        letter = fetch_dead_letter(connection, dead_letter_id, lock=True)
        if letter is None:
            raise BadInput(f"there is no dead letter {dead_letter_id}")
        if letter["state"] != "open":
            return Retried.SETTLED
        topic = letter["topic"].encode()
        if letter["payload_bytes"] > len(letter["payload"]) or is_run_clock(topic):
            return Retried.CUT if letter["payload_bytes"] > len(letter["payload"]) else Retried.STILL_DEAD
        received_us = microseconds(letter["first_received_at"])
        message = Message(topic, bytes(letter["payload"]), 0, letter["qos"], letter["retain"], received_us)
        clock = RunClock(received_us, 0) if mode is Mode.EXERCISE else None
        draft = build_draft([message], build_directory(mode, fetch_sensor_table(connection)), clock)
        if any(again.reason == letter["reason"] for again in draft.letters):
            return Retried.STILL_DEAD
        (batch_id,) = take_batch_ids(connection)
        memory = QualityMemory()
        memory.take_site(connection)
        examined = memory.examine(connection, draft)
        draft = examined.draft
        record = make_record(LANE, draft, store_together(connection, draft, batch_id), (), ())
        store_later_flags(connection, examined, batch_id)
        finish_batch(connection, batch_id, record)
        settle_dead_letter(connection, dead_letter_id, "retried", author)
        return Retried.STORED if record.stored + record.conflicts else Retried.KNOWN
