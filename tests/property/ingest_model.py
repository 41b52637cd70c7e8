"""The database and the writer of the ingest machine, in a few lines each (`test_ingest_machine.py`)."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from ingest.batch import Draft, Message, build_draft
from ingest.broker import BrokerUrl
from ingest.outcome import REJECTED, Outcome, make_record, with_rejected
from ingest.sensors import build_directory
from ingest.session import SessionSettings
from ingest.session_numbers import SessionNumbers
from ingest.timeless import Deliveries, arrivals_of
from tests.unit.ingest.builders import BATTERY, TABLE
from undercroft.model import Mode
from undercroft.site.model import Decoder
from undercroft.store.observations import Fate
from undercroft.store.receipts import Arrival, Kept, Receipt, place_receipts
from undercroft.store.sessions import SessionTaken
from undercroft.store.stamped import Again, Placed, Stamped
from undercroft.store.states import Delivered, State, place_states

TOPIC = b"flood/v1/futian/garage-1/g1-level/observation"
STATUS = b"flood/v1/futian/garage-1/g1-level/status"
STATE = b'{"online": %s}'
TIMELESS = b"senml/x"
WITHOUT_CLOCK = b'{"observed_at": 0, "water_depth_m": %.1f}'
VOLTS = b'[{"n": "g2-multi:u", "v": %d}]'
SENML = {"id": "s", "kind": "senml", "topic": "senml/+", "fields": [{"field": "u", "quantity": "battery_v"}]}
DIRECTORY = build_directory(
    Mode.LIVE, replace(TABLE, decoders=(Decoder.model_validate_json(json.dumps(SENML), strict=True),))
)
SENSOR = 0
POISON = 13.0
BATCH, IN_FLIGHT = 3, 6
SETTINGS = SessionSettings(BrokerUrl("", 1, False, None, None), "machine", (), batch_max_messages=BATCH, window=1000)
FORGET_AFTER = IN_FLIGHT
ROUND = 2 * FORGET_AFTER + BATCH + IN_FLIGHT + 1
"""No number comes again while it is remembered, as with 65,535, 10,000 and 1,000 of real ones."""


class Database:
    """Keeps what was committed; refuses one value for ever."""

    def __init__(self) -> None:
        self.rows: dict[int, float] = {}
        self.conflicts: set[tuple[int, float]] = set()
        self.letters: set[bytes] = set()
        self.states: list[tuple[int, float]] = []
        self.delivered: dict[tuple[str, int], Delivered] = {}
        self.last_us: dict[tuple[str, int], int] = {}
        self.receipts: dict[int, Kept] = {}
        self.ever: set[object] = set()
        """Digests of messages, and values of states, that were remembered at some time."""
        self.timeless: dict[int, float] = {}
        self.counted_timeless = 0
        self.without_clock: list[float] = []
        self.counted = {"stored": 0, "conflicts": 0, "dead_letters": 0}
        self.taken = 0

    def take(self, is_new: bool) -> int:
        """What `undercroft.store.sessions.take_session` does."""
        if is_new:
            self.forget(())
        self.taken += 1
        return self.taken

    def forget(self, but: Collection[int]) -> None:
        """What `undercroft.store.sessions.forget_deliveries` does."""
        self.receipts = {mid: kept for mid, kept in self.receipts.items() if mid in but}
        self.delivered = {key: kept for key, kept in self.delivered.items() if key[1] in but}

    def commit(self, messages: tuple[Message, ...], taken: int) -> set[int]:
        """Return the packet identifiers that are remembered."""
        deliveries = Deliveries(self._find, messages, None)
        receipts = deliveries.receipts_of(arrivals_of(messages, DIRECTORY, None))
        draft = build_draft(messages, DIRECTORY, None, SETTINGS.client_id, receipts)
        draft = deliveries.keep(deliveries.mark(draft))
        if taken != self.taken and (draft.stamped or draft.receipts):
            raise SessionTaken
        columns = zip(draft.rows.sensor_ids.tolist(), draft.rows.observed_us, draft.rows.values, strict=True)
        fates = np.array([self._store(*row) for row in columns], dtype=np.int8)
        self.receipts |= {entry.mid: Kept(entry.digest, entry.received_us, entry.read_us) for entry in draft.receipts}
        self.ever |= {entry.digest for entry in draft.receipts}
        outcome = Outcome(fates, self._take_stamped(draft))
        letters, letter_of = with_rejected(draft, messages, outcome, DIRECTORY)
        is_new = []
        for letter in letters:
            is_new.append(letter.payload not in self.letters)
            self.letters.add(letter.payload)
        record = make_record("observation", draft, outcome, letter_of, is_new)
        self.counted["stored"] += record.stored
        self.counted["conflicts"] += record.conflicts
        self.counted["dead_letters"] += record.dead_letters
        return deliveries.mids_of(draft)

    def _find(self, arrivals: Sequence[Arrival]) -> list[Receipt]:
        """What `undercroft.store.receipts.find_receipts` does with its table."""
        last_us = {
            base: max(
                (kept.read_us for kept in self.receipts.values() if base <= kept.read_us < base + 10**6), default=0
            )
            for base in {arrival.base_us for arrival in arrivals}
        }
        return place_receipts(arrivals, self.receipts, last_us)

    def _take_stamped(self, draft: Draft) -> tuple[Placed, ...]:
        """What `undercroft.store.stamped.store_stamped` does, but for what is said twice within seconds."""
        fates = {}
        for position, entry in enumerate(draft.stamped):
            if entry.device_us is not None:
                is_new = entry.again is Again.NEW
                fates[position] = Placed(Fate.STORED if is_new else Fate.DUPLICATE, None)
                self.without_clock += [entry.value] if is_new else []
        placed = iter(self._take_states([entry for entry in draft.stamped if entry.device_us is None]))
        return tuple(fates.get(position) or next(placed) for position in range(len(draft.stamped)))

    def _take_states(self, stamped: list[Stamped]) -> list[Placed]:
        """What `undercroft.store.states.take_states` does with two tables."""
        states = [State(SENSOR, entry.value, entry.received_us, entry.delivery) for entry in stamped]
        fates = [Placed(Fate.DUPLICATE, None)] * len(states)
        last = {(session, SENSOR): at for (session, _), at in self.last_us.items()}
        for place in place_states(states, self.delivered, last, {SENSOR: self.states}):
            state = states[place.position]
            assert state.delivery is not None
            self.ever.add(state.value)
            self.delivered[state.delivery.session, state.delivery.mid] = Delivered(
                SENSOR, state.value, state.delivery.received_us
            )
            key = (state.delivery.session, SENSOR)
            self.last_us[key] = max(self.last_us.get(key, 0), place.state_us)
            if place.is_change:
                self.states = sorted([*self.states, (place.state_us, state.value)])
                fates[place.position] = Placed(Fate.STORED, place.state_us)
        return fates

    def _store(self, sensor_id: int, at: int, value: float) -> int:
        if sensor_id == BATTERY:
            if self.timeless.setdefault(at, value) != value:
                raise AssertionError("one receipt for two messages")
            is_new = len(self.timeless) > self.counted_timeless
            self.counted_timeless = len(self.timeless)
            return Fate.STORED if is_new else Fate.DUPLICATE
        if value == POISON:
            return REJECTED
        if at not in self.rows:
            self.rows[at] = value
            return Fate.STORED
        if self.rows[at] == value or (at, value) in self.conflicts:
            return Fate.DUPLICATE
        self.conflicts.add((at, value))
        return Fate.CONFLICT


class Writer:
    """What `ingest.writer` does beside the rows: it takes the session, and forgets numbers before it writes."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.taken = 0
        self.numbers = SessionNumbers(FORGET_AFTER)

    def take_session(self, is_new: bool) -> None:
        self.taken = self.database.take(is_new)
        self.numbers = SessionNumbers(FORGET_AFTER)

    def write(self, messages: tuple[Message, ...]) -> None:
        kept = self.numbers.to_keep(messages)
        if kept is not None and self.taken == self.database.taken:
            self.database.forget(kept)
            self.numbers.forgot(kept)
        remembered = self.database.commit(messages, self.taken)
        self.numbers.took(messages, remembered)
