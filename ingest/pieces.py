"""The way of a batch into the database: whole as a rule, and in halves where the whole does not go in.

Two things can keep a batch out for ever, so that the broker delivers it again and again and nothing behind it is heard.
A message on which ingest itself fails, after its decoder: it is looked for by halving, and becomes a dead letter. And a
batch that is too much for one transaction, of the time or the rows that the database allows: after `WHOLE_TRIES` each
try is of half as much. Each piece is its own transaction; nothing is acknowledged before all of them are committed.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from ingest.batch import Message
from ingest.writer import BatchWriter, MessageAtFault, Written
from undercroft.errors import StoreUnavailable

WHOLE_TRIES = 3
MOST_IN_A_ROW = 20
LEAST_TOPICS = 3
"""So many messages at fault, of so many topics, and none between that goes in: not they are to blame, but ingest, and
the lane ends. A device that empties a buffer of them stops nobody."""
_log = structlog.get_logger("ingest")


class Pieces:
    """One batch; call `write_next` until `is_done`."""

    def __init__(self, writer: BatchWriter, messages: Sequence[Message]) -> None:
        self._writer = writer
        self._left = messages
        self._most = max(1, len(messages))
        self._failures = 0

    @property
    def is_done(self) -> bool:
        """All of it is committed."""
        return not self._left

    def write_next(self) -> Written | None:
        """Commit the next piece; None if a message at fault is in it, and smaller pieces are to be tried.

        Raises
        ------
        StoreUnavailable
            If it cannot be committed now; call it again after a while.
        MessageAtFault
            If it is not the messages that are at fault.
        """
        piece = self._left[: self._most]
        try:
            written = self._writer.write(piece)
        except StoreUnavailable:
            self._failures += 1
            if self._failures >= WHOLE_TRIES:
                self._most = max(1, len(piece) // 2)
            raise
        except MessageAtFault as error:
            if len(piece) > 1:
                self._most = len(piece) // 2
                return None
            at_fault = self._writer.at_fault
            if at_fault.total() >= MOST_IN_A_ROW and len(at_fault) >= LEAST_TOPICS:
                raise
            _log.error("message_at_fault", topic=piece[0].topic.decode(errors="replace")[:200], error=str(error))
            written = self._writer.bury(piece[0], str(error))
        self._left = self._left[len(piece) :]
        self._most *= 2
        return written
