"""Messages that are known by their delivery, and what is asked of the store for them (`undercroft.store.receipts`).

Those that say no time (SenML relative to now), and those whose times are none: a clock that was lost. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from ingest.batch import Draft, Message
from ingest.run_clock import RunClock
from ingest.sensors import Directory
from ingest.topics import Kind
from undercroft.store.receipts import Arrival, Receipt, digest_of
from undercroft.store.stamped import Again

FindReceipts = Callable[[Sequence[Arrival]], Sequence[Receipt]]
"""Asks the store for the receipts of messages of a session, in order of arrival."""

_OF_A_STATE = f"/{Kind.STATUS}".encode()


def arrivals_of(messages: Sequence[Message], directory: Directory, run_clock: RunClock | None) -> dict[int, Arrival]:
    """Return, by position, how those came that are to be read at their receipt, now or by a retry.

    They are those of decoders that read times relative to the receipt, and device states that the site has no place
    for: each is a letter of its own. A retained state says that nothing is new, so its letters are one. A state
    that comes again may be such a letter of before an import; then it stands where a retry puts the letter.
    """
    asks_all = any(decoder.may_say_no_time for decoder in directory.decoders)
    arrivals = {}
    for index, message in enumerate(messages):
        if not (asks_all or message.topic.endswith(_OF_A_STATE)):
            continue
        route = directory.route(message.topic)
        is_placed = route.fault is None and route.has_state
        is_state = route.kind is Kind.STATUS and not message.retain
        if (is_state and (message.is_again or not is_placed)) or (
            route.decoder is not None and route.decoder.may_say_no_time
        ):
            arrivals[index] = _arrival_of(message, run_clock)
    return arrivals


def _arrival_of(message: Message, run_clock: RunClock | None) -> Arrival:
    base_us = message.received_us if run_clock is None else run_clock.now_us
    digest = digest_of(message.topic, message.payload)
    return Arrival(message.mid, message.is_again, digest, message.received_us, base_us)


class Deliveries:
    """The receipts of a batch's messages, as far as they were asked for; each is asked for once."""

    def __init__(self, find: FindReceipts, messages: Sequence[Message], run_clock: RunClock | None) -> None:
        self._find = find
        self._messages = messages
        self._run_clock = run_clock
        self._receipts: dict[int, Receipt] = {}

    def receipts_of(self, arrivals: dict[int, Arrival]) -> dict[int, Receipt]:
        """Return, by position, the receipts of messages."""
        asked = {index: arrival for index, arrival in arrivals.items() if index not in self._receipts}
        if asked:
            self._receipts |= zip(asked, self._find([*asked.values()]), strict=True)
        return {index: self._receipts[index] for index in arrivals}

    def mark(self, draft: Draft) -> Draft:
        """Say of each reading without a clock whether its message was taken before."""
        again = self.again_of(_lost_of(draft))
        if not again:
            return draft
        stamped = tuple(
            entry if entry.device_us is None else replace(entry, again=again[index])
            for index, entry in zip(draft.stamped_of, draft.stamped, strict=True)
        )
        return replace(draft, stamped=stamped)

    def again_of(self, positions: Iterable[int]) -> dict[int, Again]:
        """Return, by position, what tells whether a message was taken before."""
        found = {}
        receipts = self._of(positions)
        for index in positions:
            receipt = receipts.get(index)
            if receipt is not None and receipt.is_known:
                found[index] = Again.TAKEN
            else:
                found[index] = Again.IF_SAID if self._messages[index].retain else Again.NEW
        return found

    def mids_of(self, draft: Draft) -> set[int]:
        """Return the packet identifiers under which it is remembered how messages came."""
        positions = {*self._receipts, *draft.stamped_of}
        return {self._messages[index].mid for index in positions} if positions else set()

    def marked(self, positions: Iterable[int]) -> list[int]:
        """Return those that are marked as delivered again, or that say nothing of when they were sent (retained)."""
        return [index for index in positions if self._messages[index].is_again or self._messages[index].retain]

    def keep(self, draft: Draft) -> Draft:
        """Add the receipts of messages with readings without a clock to what the batch will write."""
        kept = {receipt.mid for receipt in draft.receipts}
        new = [receipt for receipt in self._of(_lost_of(draft)).values() if not receipt.is_known]
        more = tuple(receipt for receipt in new if receipt.mid not in kept)
        return replace(draft, receipts=draft.receipts + more) if more else draft

    def _of(self, positions: Iterable[int]) -> dict[int, Receipt]:
        """Return the receipts of messages that a broker can deliver again: not at QoS 0."""
        messages = self._messages
        return self.receipts_of(
            {index: _arrival_of(messages[index], self._run_clock) for index in positions if messages[index].mid}
        )


def _lost_of(draft: Draft) -> list[int]:
    """Return the messages with readings without a clock, in order of arrival."""
    of = zip(draft.stamped_of, draft.stamped, strict=True)
    return sorted({index for index, entry in of if entry.device_us is not None})
