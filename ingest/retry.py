"""Try a dead letter again, after the site data or a decoder was mended. Its readings keep their time of receipt."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import Any

from ingest.batch import Draft, Message, build_draft
from ingest.outcome import make_record, store_apart, with_rejected
from ingest.quality_memory import QualityMemory, store_what_follows
from ingest.run_clock import RunClock
from ingest.sensors import Directory, build_directory
from ingest.topics import is_run_clock
from undercroft.errors import BadInput
from undercroft.model import Mode
from undercroft.store.connection import Connection, translated_errors
from undercroft.store.dead_letters import (
    MAX_TOPIC_BYTES,
    fetch_dead_letter,
    keep_dead_letters,
    settle_dead_letter,
    without_known,
)
from undercroft.store.observations import finish_batch, microseconds, take_batch_ids
from undercroft.store.sensors import fetch_sensor_table, fetch_site_seq

LANE = "deadletter"


class Retried(StrEnum):
    """What became of a dead letter that was tried again."""

    STORED = "stored"
    KNOWN = "known"
    """All its readings had been stored before."""
    OTHER_REASON = "other_reason"
    """Its own reason is gone, but it, or a part of it, is a dead letter of another reason now."""
    STILL_DEAD = "still_dead"
    CUT = "cut"
    """Its payload or topic was too long to be kept whole."""
    SETTLED = "settled"
    """It was retried or dropped before."""


class Retrier:
    """Tries dead letters again over one connection; the site is read at the first, and when it has another version."""

    def __init__(self, connection: Connection, mode: Mode) -> None:
        self._connection = connection
        self._mode = mode
        self._directory: Directory | None = None
        self._memory = QualityMemory()

    def retry(self, dead_letter_id: int, author: str) -> Retried:
        """Store what can be read of a dead letter now, and settle it if its own reason is gone; one transaction.

        What is left of it for another reason is a letter of that reason, in the same transaction. One that is there
        already stays as it is, dropped or open; one that was retried is open again.

        Raises
        ------
        BadInput
            If there is no such dead letter.
        """
        with translated_errors(), self._connection.transaction():
            letter = fetch_dead_letter(self._connection, dead_letter_id, lock=True)
            if letter is None:
                raise BadInput(f"there is no dead letter {dead_letter_id}")
            if letter["state"] != "open":
                return Retried.SETTLED
            topic = letter["topic"].encode()
            is_cut = letter["payload_bytes"] > len(letter["payload"]) or len(topic) > MAX_TOPIC_BYTES
            if is_cut or is_run_clock(topic):
                return Retried.CUT if is_cut else Retried.STILL_DEAD
            received_us = microseconds(letter["first_received_at"])
            message = Message(topic, bytes(letter["payload"]), 0, letter["qos"], letter["retain"], received_us)
            clock = RunClock(received_us, 0) if self._mode is Mode.EXERCISE else None
            directory = self._directory_now()
            draft = build_draft([message], directory, clock)
            if any(again.reason == letter["reason"] for again in draft.letters):
                return Retried.STILL_DEAD
            return self._store(letter, message, draft, directory, author)

    def _directory_now(self) -> Directory:
        if self._directory is None or self._directory.site_seq != fetch_site_seq(self._connection):
            self._directory = build_directory(self._mode, fetch_sensor_table(self._connection))
            self._memory.take_site(self._connection)
        return self._directory

    def _store(
        self, letter: dict[str, Any], message: Message, draft: Draft, directory: Directory, author: str
    ) -> Retried:
        """Store what can be stored, bury the rest again, and settle the letter if its own reason is gone."""
        connection = self._connection
        (batch_id,) = take_batch_ids(connection)
        self._memory.forget()  # of readings: ingest goes on beside
        examined = self._memory.examine(connection, draft)
        draft = examined.draft
        outcome = store_apart(connection, draft, batch_id)
        store_what_follows(connection, examined, batch_id)
        letters, letter_of = with_rejected(draft, [message], outcome, directory)
        is_gone = all(again.reason != letter["reason"] for again in letters)
        rest = [replace(again, said_us=letter["said_us"]) for again in letters if again.reason != letter["reason"]]
        others = without_known(connection, rest)
        is_new = keep_dead_letters(connection, others, batch_id)
        record = make_record(LANE, draft, outcome, letter_of[: len(is_new)], is_new)
        has_news = bool(record.stored + record.conflicts)
        if is_gone or has_news or others:
            finish_batch(connection, batch_id, record)
        if not is_gone:
            return Retried.STILL_DEAD
        settle_dead_letter(connection, letter["dead_letter_id"], "retried", author)
        if others:
            return Retried.OTHER_REASON
        return Retried.STORED if has_news else Retried.KNOWN
