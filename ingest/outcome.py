"""What became of every part of a batch, and how one refused row is kept from its neighbours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.batch import Draft, Message
from ingest.reasons import Reason
from ingest.sensors import Directory
from undercroft.errors import StoreRejected
from undercroft.store.connection import Connection, translated_errors
from undercroft.store.dead_letters import DeadLetter
from undercroft.store.observations import BatchRecord, Fate, Rows, store_rows
from undercroft.store.sensors import fetch_run_clock
from undercroft.store.stamped import Placed, store_stamped

ROW_FAULTS = frozenset({"22", "23", "44", "54"})
"""SQLSTATE classes that blame the row: data exception, constraint, check option, program limit."""
REJECTED = -1
"""Beside `Fate`: the database refused the row."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Fates of the rows and of the stamped readings of a draft."""

    fates: NDArray[np.int8]
    stamped: tuple[Placed | None, ...]
    """None: refused."""
    why: str = ""
    """What the database said of the first refused row."""


StoreDraft = Callable[[Connection, Draft, int], Outcome]


def blames_row(error: StoreRejected) -> bool:
    """Tell whether a row is to blame, so that its neighbours can be stored without it."""
    return error.sqlstate is not None and error.sqlstate[:2] in ROW_FAULTS


def all_stored(rows: Rows) -> Outcome:
    """Return the outcome of rows that are all new."""
    return Outcome(np.full(len(rows), Fate.STORED, dtype=np.int8), ())


def store_together(connection: Connection, draft: Draft, batch_id: int) -> Outcome:
    """Store all rows of a draft at once."""
    fates = store_rows(connection, draft.rows, batch_id)
    return Outcome(fates, tuple(store_stamped(connection, draft.stamped, batch_id)))


def store_apart(connection: Connection, draft: Draft, batch_id: int) -> Outcome:
    """Store what can be stored, halving around the rows that the database refuses."""
    search = _Search(connection, draft.rows, batch_id)
    order = np.lexsort((np.arange(len(draft.rows)), draft.rows.observed_us, draft.rows.sensor_ids))
    search.store(order)
    stamped: list[Placed | None] = []
    for reading in draft.stamped:
        try:
            with connection.transaction(), translated_errors():
                stamped += store_stamped(connection, [reading], batch_id)
        except StoreRejected as error:
            search.note(error)
            stamped.append(None)
    return Outcome(search.fates, tuple(stamped), search.why)


class _Search:
    """Halves a range of rows until those that are refused stand alone."""

    def __init__(self, connection: Connection, rows: Rows, batch_id: int) -> None:
        self.connection = connection
        self.rows = rows
        self.batch_id = batch_id
        self.fates = np.full(len(rows), REJECTED, dtype=np.int8)
        self.why = ""

    def note(self, error: StoreRejected) -> None:
        """Go on if a row is to blame, else give up."""
        if not blames_row(error):
            raise error
        self.why = self.why or str(error)

    def store(self, positions: NDArray[np.intp]) -> None:
        """Store these rows, given in key order."""
        if not positions.size:
            return
        try:
            with self.connection.transaction(), translated_errors():
                self.fates[positions] = store_rows(self.connection, self.rows.take(positions), self.batch_id)
        except StoreRejected as error:
            self.note(error)
            if positions.size > 1:
                middle = self._middle(positions)
                self.store(positions[:middle])
                self.store(positions[middle:])

    def _middle(self, positions: NDArray[np.intp]) -> int:
        """Cut where the key changes, so that what is new can be told from what was there; inside a key, anywhere."""
        ids, times = self.rows.sensor_ids[positions], self.rows.observed_us[positions]
        changes = np.flatnonzero((ids[1:] != ids[:-1]) | (times[1:] != times[:-1])) + 1
        if not changes.size:
            return 1
        return int(changes[np.argmin(np.abs(changes - positions.size / 2))])


def with_rejected(
    draft: Draft, messages: Sequence[Message], outcome: Outcome, directory: Directory
) -> tuple[list[DeadLetter], list[int]]:
    """Return the dead letters of a batch: those of the draft, and one for each message with a refused row."""
    letters, letter_of = list(draft.letters), list(draft.letter_of)
    refused = set(draft.row_of[outcome.fates == REJECTED].tolist())
    refused.update(index for index, placed in zip(draft.stamped_of, outcome.stamped, strict=True) if placed is None)
    for index in sorted(refused):
        letters.append(_letter(messages[index], Reason.STORE_REJECTED, outcome.why, directory))
        letter_of.append(index)
    return letters, letter_of


def strange_clocks(
    connection: Connection, draft: Draft, messages: Sequence[Message], directory: Directory
) -> list[tuple[int, DeadLetter]]:
    """Return a dead letter for each run clock that has an old number and is not the one heard then: another run."""
    return [
        (
            index,
            _letter(
                messages[index], Reason.BAD_RUN_CLOCK, f"run clock {heard.seq} said another time before", directory
            ),
        )
        for index, heard in draft.stale_clocks
        if fetch_run_clock(connection, heard.seq) != heard.now_us
    ]


def _letter(message: Message, reason: Reason, detail: str, directory: Directory) -> DeadLetter:
    topic, payload, received_us = message.topic, message.payload, message.received_us
    device_id, names = directory.names(topic, payload, received_us)
    return DeadLetter(topic, payload, reason.value, detail, device_id, message.qos, message.retain, received_us, names)


def letter_at_fault(message: Message, why: str, directory: Directory) -> DeadLetter:
    """Return the letter of a message at which ingest itself fails; of one that cannot even be asked, without names."""
    try:
        return _letter(message, Reason.INGEST_FAILED, why, directory)
    except Exception:  # noqa: BLE001 - what it holds must not keep it from its letter; the first failure is told
        return DeadLetter(
            message.topic, message.payload, Reason.INGEST_FAILED.value, why, None, message.qos, message.retain,
            message.received_us,
        )  # fmt: skip


def _with_parts(draft: Draft) -> set[int]:
    """Return the messages that hold anything but a new run clock."""
    clocks = (index for index, _ in draft.stale_clocks)
    return {*draft.row_of.tolist(), *draft.stamped_of, *draft.letter_of, *clocks}


def make_record(
    lane: str, draft: Draft, outcome: Outcome, letter_of: Sequence[int], letter_is_new: Sequence[bool]
) -> BatchRecord:
    """Count. A message is redelivered when all it holds was known before, by identity and not by the DUP flag.

    One that holds nothing (a keep-alive, fields that the site ignores alone) is neither new nor redelivered.
    """
    placed = [entry for entry in outcome.stamped if entry is not None]
    fates = np.concatenate([outcome.fates, np.array([entry.fate for entry in placed], dtype=np.int8)])
    news = set(draft.row_of[(outcome.fates == Fate.STORED) | (outcome.fates == Fate.CONFLICT)].tolist())
    news.update(
        index
        for index, entry in zip(draft.stamped_of, outcome.stamped, strict=True)
        if entry is not None and entry.fate is not Fate.DUPLICATE
    )
    news.update(index for index, is_new in zip(letter_of, letter_is_new, strict=True) if is_new)
    times = np.concatenate(
        [
            draft.rows.observed_us,
            np.array([entry.observed_us for entry in placed if entry.observed_us is not None], dtype=np.int64),
        ]
    )
    new_clock = draft.run_clock
    return BatchRecord(
        lane=lane,
        messages=draft.messages - draft.passed,
        redelivered=len(_with_parts(draft) - news),
        readings=int(np.count_nonzero(fates != REJECTED)),
        stored=int(np.count_nonzero(fates == Fate.STORED)),
        duplicates=int(np.count_nonzero(fates == Fate.DUPLICATE)),
        conflicts=int(np.count_nonzero(fates == Fate.CONFLICT)),
        dead_letters=sum(letter_is_new),
        observed_us=(int(times.min()), int(times.max())) if times.size else None,
        run_clock=None if new_clock is None else (new_clock.now_us, new_clock.seq),
    )
