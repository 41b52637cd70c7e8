"""One batch, one transaction: rows, conflicts, dead letters, and last the batch with its commit number.

The usual batch, of readings that are all new, takes three round trips, and one more to look around where others write
beside; any other is written statement by statement. Every message ends in one of three ways: its parts are stored,
they are dead letters, or `StoreUnavailable` is raised and the whole batch is kept for another try.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial

import structlog

from ingest.batch import Draft, Message, build_draft, failure
from ingest.delays import Delays, first_deliveries
from ingest.failpoints import Failpoint
from ingest.outcome import (
    StoreDraft,
    all_stored,
    blames_row,
    letter_at_fault,
    make_record,
    store_apart,
    store_together,
    strange_clocks,
    with_rejected,
)
from ingest.quality_checks import Examined
from ingest.quality_memory import QualityMemory, store_what_follows
from ingest.run_clock import RunClock
from ingest.sensors import Directory, build_directory
from ingest.session_numbers import SessionNumbers
from ingest.timeless import Deliveries, arrivals_of
from ingest.topics import Kind
from undercroft.clock import Clock
from undercroft.errors import StoreRejected, StoreUnavailable, UndercroftError
from undercroft.model import Mode
from undercroft.store.commit import HELD_AT_MOST_S, limit_transactions
from undercroft.store.connection import Connection, connect, translated_errors
from undercroft.store.dead_letters import Caps, keep_dead_letters
from undercroft.store.observations import BatchRecord, commit_new_batch, finish_batch, take_batch_ids
from undercroft.store.receipts import find_receipts, keep_receipts
from undercroft.store.sensors import fetch_last_run_clock, fetch_sensor_table, fetch_site_seq
from undercroft.store.sessions import forget_deliveries, hold_session, take_session

_log = structlog.get_logger("ingest")
SITE_CHECK_S = 1.0
ANSWER_WITHIN_S = 60.0
"""A database that lets one exchange wait this long is left, and the batch kept: it may be frozen, or gone. [s]"""
_BATCH_IDS_AT_ONCE = 64
CAREFUL_BATCHES = 8
"""After a batch that met another writer: so many look around first. After one that was not all new: so many are written
without trying the short way."""


class MessageAtFault(UndercroftError):
    """Ingest itself failed at a batch, after the decoders: a defect, with its place. Nothing of the batch is stored."""


@dataclass(frozen=True, slots=True)
class Written:
    """A batch that is committed."""

    commit_seq: int
    record: BatchRecord
    reasons: Counter[str]
    """Dead letters by reason, those seen before included."""


class BatchWriter:
    """Writes the batches of one lane over one connection, in order."""

    def __init__(
        self,
        database_url: str,
        lane: str,
        mode: Mode,
        clock: Clock,
        failpoint: Failpoint,
        session: str = "",
        passes: Set[Kind] = frozenset(),
    ) -> None:
        self._url = database_url
        self._session = session
        self._passes = passes
        self.delays = Delays()
        self._taken: int | None = None
        self._numbers = SessionNumbers()
        self._lane = lane
        self._mode = mode
        self._clock = clock
        self._failpoint = failpoint
        self._connection: Connection | None = None
        self._directory: Directory | None = None
        self._run_clock: RunClock | None = None
        self._site_checked_s = 0.0
        self._batch_ids: list[int] = []
        self._memory = QualityMemory()
        self._caps = Caps()
        self._batches_to_look = 0
        self._batches_the_long_way = 0
        self.at_fault: Counter[bytes] = Counter()
        """Messages that were buried since the last batch that was written, by topic."""

    def take_session(self, *, is_new: bool) -> None:
        """Take the MQTT session over with a new connection, before a message of it is read.

        ``is_new``: the broker had none of this name, so what is known of how messages came means nothing any more.

        Raises
        ------
        StoreUnavailable
            If it cannot be committed now.
        """
        with self._kept_if_not_written():
            self._taken = take_session(self._ready_connection(), self._session, is_new=is_new)
        self._numbers = SessionNumbers()

    def write(self, messages: Sequence[Message]) -> Written:
        """Commit a batch, its messages in order of arrival.

        Raises
        ------
        StoreUnavailable
            If it cannot be committed now; nothing of it is acknowledged, and `write` may be called again. Whether the
            transaction took effect after all does not matter: its rows will be duplicates.
        SessionTaken
            If another worker serves the session now, and a message has no time of its own. The broker delivers all
            that was not acknowledged again, to that one.
        MessageAtFault
            If ingest itself fails at a message of it (`ingest.pieces` finds out which).
        """
        with self._kept_if_not_written():
            connection = self._ready_connection()
            if self._session:
                self._forget_what_is_past(connection, messages)
        with self._kept_if_not_written():
            try:
                with translated_errors():
                    written = self._write(connection, messages)
            except (UndercroftError, MemoryError):
                raise
            except Exception as error:
                self.close()
                raise MessageAtFault(failure(error)) from error
        self.at_fault.clear()
        return written

    def _forget_what_is_past(self, connection: Connection, messages: Sequence[Message]) -> None:
        if self._taken is None:
            self._taken = take_session(connection, self._session, is_new=False)
        kept = self._numbers.to_keep(messages)
        if kept is not None:
            forget_deliveries(connection, self._session, kept)
            self._numbers.forgot(kept)

    def bury(self, message: Message, why: str) -> Written:
        """Commit a message as a dead letter whatever it holds, in a batch of its own.

        Raises
        ------
        StoreUnavailable
            As `write` does.
        """
        with self._kept_if_not_written():
            connection = self._ready_connection()
            assert self._directory is not None  # noqa: S101 - `_ready_connection` loaded it
            letter = letter_at_fault(message, why, self._directory)
            nothing = build_draft((), self._directory, self._run_clock)
            draft = replace(nothing, messages=1, letters=(letter,), letter_of=(0,))
            written = self._commit(connection, Examined(draft, (), {}), (message,), store_together)
        self.at_fault[message.topic] += 1
        return written

    @contextmanager
    def _kept_if_not_written(self) -> Iterator[None]:
        """Close the connection where the database fails, and say so in one way: the batch is kept."""
        try:
            with translated_errors():
                yield
        except StoreUnavailable:
            self.close()
            raise
        except StoreRejected as error:
            self.close()
            raise StoreUnavailable(f"{error}; no row is to blame, so the batch is kept") from error

    def close(self) -> None:
        """Close the connection; what it knew is read again."""
        connection, self._connection = self._connection, None
        self._directory = None
        self._memory.forget()
        if connection is not None:
            with suppress(UndercroftError), translated_errors():
                connection.close()

    def _ready_connection(self) -> Connection:
        if self._connection is None:
            name = f"ingest {self._lane}"
            self._connection = connect(
                self._url, application_name=name, autocommit=True, answer_within_s=ANSWER_WITHIN_S,
                idle_within_s=HELD_AT_MOST_S,
            )  # fmt: skip
            limit_transactions(self._connection)
            heard = fetch_last_run_clock(self._connection) if self._mode is Mode.EXERCISE else None
            self._run_clock = None if heard is None else RunClock(*heard)
        now_s = self._clock.monotonic_s()
        if self._directory is None or now_s - self._site_checked_s >= SITE_CHECK_S:
            site_seq = fetch_site_seq(self._connection)
            if self._directory is None or site_seq != self._directory.site_seq:
                known = self._directory
                self._directory = build_directory(self._mode, fetch_sensor_table(self._connection))
                self._memory.take_site(self._connection)
                if known is not None and known.decoder_topics != self._directory.decoder_topics:
                    _log.warning("decoder_topics_changed", lane=self._lane, hint="restart ingest to subscribe anew")
            self._site_checked_s = now_s
        return self._connection

    def _write(self, connection: Connection, messages: Sequence[Message]) -> Written:
        assert self._directory is not None  # noqa: S101 - `_ready_connection` loaded it
        directory = self._directory
        deliveries = Deliveries(partial(find_receipts, connection, self._session), messages, self._run_clock)
        receipts = deliveries.receipts_of(arrivals_of(messages, directory, self._run_clock))
        draft = build_draft(messages, directory, self._run_clock, self._session, receipts, self._passes)
        if draft.passed == draft.messages:  # another lane's, all of it: there is nothing to commit
            self._numbers.took(messages, ())
            return Written(0, make_record(self._lane, draft, all_stored(draft.rows), (), ()), Counter())
        draft = deliveries.mark(draft)
        written = self._write_alone(connection, draft, deliveries)
        if written is None:
            written = self._write_beside_others(connection, draft, messages, deliveries)
        self._failpoint("after_commit")
        self._numbers.took(messages, deliveries.mids_of(draft))
        self.delays.note(first_deliveries(draft, messages), directory)
        if draft.run_clock is not None:
            self._run_clock = draft.run_clock
        return written

    def _write_alone(self, connection: Connection, draft: Draft, deliveries: Deliveries) -> Written | None:
        """Write the usual batch without looking around; None if it is not one, or if another writer committed."""
        is_careful = self._batches_the_long_way or self._batches_to_look
        after = self._memory.current_at if self._mode is Mode.LIVE else None
        is_alone = self._mode is Mode.EXERCISE or after is not None
        if is_careful or not is_alone or not is_plain(draft):
            return None
        examined = self._memory.examine(connection, draft, deliveries)
        if not is_usual(examined):
            return None
        written = self._write_new(connection, examined, after)
        if written is None:
            self._batches_to_look = CAREFUL_BATCHES
        return written

    def _write_beside_others(
        self, connection: Connection, draft: Draft, messages: Sequence[Message], deliveries: Deliveries
    ) -> Written:
        if self._mode is Mode.LIVE:  # an exercise has one writer
            self._memory.look_around(connection)
        examined = self._memory.examine(connection, draft, deliveries)
        examined = replace(examined, draft=deliveries.keep(examined.draft))
        self._batches_to_look = max(0, self._batches_to_look - 1)
        if self._batches_the_long_way:
            self._batches_the_long_way -= 1
        elif is_usual(examined):
            written = self._write_new(connection, examined, None)
            if written is not None:
                return written
            self._batches_the_long_way = CAREFUL_BATCHES
        return self._write_any(connection, examined, messages)

    def _write_new(self, connection: Connection, examined: Examined, after: int | None) -> Written | None:
        """Write a usual batch in three round trips if all its readings are new and nobody committed since ``after``.

        The statements themselves tell: if not, nothing is written, and the answer is None.
        """
        rows = examined.draft.rows
        record = make_record(self._lane, examined.draft, all_stored(rows), (), ())
        batch_id = self._next_batch_id(connection)
        self._failpoint("before_insert")
        try:
            with translated_errors():
                commit_seq = commit_new_batch(
                    connection, rows, batch_id, record, after, lambda: self._failpoint("after_insert")
                )
        except StoreRejected as error:
            if not blames_row(error):
                raise
            return None
        if commit_seq is None:
            return None
        self._memory.commit(examined, batch_id, commit_seq)
        return Written(commit_seq, record, Counter())

    def _write_any(self, connection: Connection, examined: Examined, messages: Sequence[Message]) -> Written:
        try:
            written = self._commit(connection, examined, messages, store_together)
        except StoreRejected as error:
            if not blames_row(error):
                raise
            written = self._commit(connection, examined, messages, store_apart)
            self._memory.forget()  # it holds what was refused
        return written

    def _commit(
        self, connection: Connection, examined: Examined, messages: Sequence[Message], store: StoreDraft
    ) -> Written:
        assert self._directory is not None  # noqa: S101 - `_ready_connection` loaded it
        draft, directory = examined.draft, self._directory
        batch_id = self._next_batch_id(connection)
        with translated_errors(), connection.transaction():
            self._failpoint("before_insert")
            if self._taken is not None and (draft.stamped or draft.receipts):
                hold_session(connection, self._session, self._taken)
            outcome = store(connection, draft, batch_id)
            store_what_follows(connection, examined, batch_id)
            keep_receipts(connection, self._session, draft.receipts)
            letters, letter_of = with_rejected(draft, messages, outcome, directory)
            for index, letter in strange_clocks(connection, draft, messages, directory):
                letters.append(letter)
                letter_of.append(index)
            is_new = keep_dead_letters(connection, letters, batch_id, self._caps)
            record = make_record(self._lane, draft, outcome, letter_of, is_new)
            self._failpoint("after_insert")
            commit_seq = finish_batch(connection, batch_id, record)
        self._memory.commit(examined, batch_id, commit_seq)
        return Written(commit_seq, record, Counter(letter.reason for letter in letters))

    def _next_batch_id(self, connection: Connection) -> int:
        if not self._batch_ids:
            self._batch_ids = take_batch_ids(connection, _BATCH_IDS_AT_ONCE)[::-1]
        return self._batch_ids.pop()


def is_plain(draft: Draft) -> bool:
    """Tell whether a batch is of readings only, each with a time of its own; they may all be new."""
    return len(draft.rows) > 0 and not (draft.letters or draft.stamped or draft.stale_clocks or draft.receipts)


def is_usual(examined: Examined) -> bool:
    """Tell whether a plain batch is still one after quality control, and no earlier reading is flagged by it."""
    return is_plain(examined.draft) and not examined.spikes
