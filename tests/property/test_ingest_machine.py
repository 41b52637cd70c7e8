"""Batch and store without I/O: a message is pending, stored or dead-lettered, and acknowledged only if one of the last.

The session, the drafts, the records and the placing of device states are the real ones; the broker and the database are
models of a few lines. The broker delivers again under the same packet identifier, and marks it, as MQTT has it; it has
`ROUND` identifiers, gives them in turn, and begins anew at 1 when it loses its session.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from contextlib import suppress
from itertools import groupby

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ingest.batch import Message
from ingest.failpoints import no_failpoint
from ingest.session import Batch, Session, SignedIn
from tests.property.ingest_model import (
    IN_FLIGHT,
    POISON,
    ROUND,
    SETTINGS,
    STATE,
    STATUS,
    TIMELESS,
    TOPIC,
    VOLTS,
    WITHOUT_CLOCK,
    Database,
    Writer,
)
from tests.unit.ingest.builders import NOON_US
from undercroft.clock import FakeClock
from undercroft.store.observations import instant
from undercroft.store.receipts import digest_of
from undercroft.store.sessions import SessionTaken


class IngestMachine(RuleBasedStateMachine):
    """Broker, session, database; faults strike between any two steps."""

    @initialize()
    def begin(self) -> None:
        self.database = Database()
        self.published: list[bytes] = []
        self.queue: deque[Message] = deque()
        self.in_flight: dict[int, Message] = {}
        self.frozen: deque[tuple[Writer, tuple[Message, ...]]] = deque()
        self.has_session = False
        self.now_us = NOON_US
        self.acknowledged: list[bytes] = []
        self.next_mid = 1
        self.open_session()

    def open_session(self) -> None:
        self.batches: deque[Batch | SignedIn] = deque()
        put, clock = self.batches.append, FakeClock(instant(NOON_US))
        self.session = Session(SETTINGS, put, put, lambda _: None, clock, no_failpoint)
        self.writer = Writer(self.database)
        self.connect()

    def connect(self) -> None:
        self.session._generation += 1
        self.session.sign_in(self.has_session)
        self.has_session = True

    def is_read(self) -> bool:
        """Messages are read, and not only delivered."""
        return self.session._admitted == self.session._generation

    @rule(second=st.integers(0, 5), value=st.sampled_from([0.0, 1.0, POISON]), is_garbage=st.booleans())
    def publish(self, second: int, value: float, is_garbage: bool) -> None:
        body = {"observed_at": NOON_US // 1000 + second * 1000, "water_depth_m": value}
        payload = b"garbage %d" % second if is_garbage else json.dumps(body).encode()
        self._publish(TOPIC, payload)

    @rule(said=st.lists(st.booleans(), min_size=1, max_size=3))
    def publish_states(self, said: list[bool]) -> None:
        for is_online in said:
            self._publish(STATUS, STATE % str(is_online).lower().encode())

    @rule(volts=st.lists(st.integers(0, 1), min_size=1, max_size=3))
    def publish_without_time(self, volts: list[int]) -> None:
        """The same bytes may come again and again, each time a reading of its own."""
        for value in volts:
            self._publish(TIMELESS, VOLTS % value)

    @rule(depths=st.lists(st.sampled_from([2.0, 3.0]), min_size=1, max_size=3))
    def publish_without_clock(self, depths: list[float]) -> None:
        """The same impossible time again and again, and the depth goes up and down: each is a reading of its own."""
        for value in depths:
            self._publish(TOPIC, WITHOUT_CLOCK % value)

    def _publish(self, topic: bytes, payload: bytes) -> None:
        self.published.append(payload)
        self.queue.append(Message(topic, payload, 0, 1, False, 0))

    @precondition(lambda self: self.queue and self.is_read())
    @rule(count=st.integers(1, 8), later_ms=st.sampled_from([0, 0, 1, 7, -5]))
    def receive(self, count: int, later_ms: int) -> None:
        """The receiver's clock may be set back, too."""
        self.now_us += later_ms * 1000
        self.session._take(self._deliver(count))

    @precondition(lambda self: self.queue)
    @rule(count=st.integers(1, 8))
    def deliver_in_vain(self, count: int) -> None:
        """The connection breaks with messages under way."""
        self._deliver(count)
        self.disconnect()

    def _deliver(self, count: int) -> list[Message]:
        messages: list[Message] = []
        while self.queue and len(messages) < count and len(self.in_flight) < IN_FLIGHT:
            message = self.queue.popleft()._replace(received_us=self.now_us)
            if not message.mid:
                message = message._replace(mid=self.next_mid)
                self.next_mid = self.next_mid % ROUND + 1
            self.in_flight[message.mid] = message
            messages.append(message)
        return messages

    @rule()
    def time_passes(self) -> None:
        self.session._close_batch()

    @precondition(lambda self: self.batches)
    @rule(is_told=st.booleans())
    def commit(self, is_told: bool) -> None:
        """``is_told`` False: the database committed and the answer was lost, so the batch is kept and tried again."""
        waiting = self.batches[0]
        if isinstance(waiting, SignedIn):
            self.writer.take_session(waiting.is_new)
        else:
            remembered = self.writer.numbers._recent.copy(), self.writer.numbers._taken
            self.writer.write(waiting.messages)
            if not is_told:
                self.writer.numbers._recent, self.writer.numbers._taken = remembered
        if is_told:
            self._settled(self.batches.popleft())

    def _settled(self, waiting: Batch | SignedIn) -> None:
        if isinstance(waiting, SignedIn):
            self.session.admit(waiting)
        else:
            self.session.committed(waiting)

    @rule()
    def settle(self) -> None:
        self.session._settle()
        acks, self.session._out = self.session._out, b""
        for start in range(0, len(acks), 4):
            mid = int.from_bytes(acks[start + 2 : start + 4])
            assert acks[start : start + 2] == b"\x40\x02"
            assert mid == next(iter(self.in_flight)), "in arrival order, and only what this connection delivered"
            self.acknowledged.append(self.in_flight.pop(mid).payload)

    @rule()
    def disconnect(self) -> None:
        """The broker delivers again, in order, what was not acknowledged; open batches live on."""
        self.session._close_batch()
        self.session._out = b""
        self._requeue()
        self.connect()

    @rule(said=st.sampled_from([(STATUS, STATE % b"true"), (TIMELESS, VOLTS % 1), (TOPIC, WITHOUT_CLOCK % 2.0)]))
    def say_again_a_round_later(self, said: tuple[bytes, bytes]) -> None:
        """On one connection all numbers are given, and the next is that of the same words; they come in vain."""
        self._publish(*said)
        self._settle_all()
        self._publish(STATUS, STATE % b"false")
        for number in range(ROUND - 2):
            self.publish(number % 6, 1.0, is_garbage=False)
        self._settle_all()
        self._publish(*said)
        self.deliver_in_vain(1)

    @rule()
    def lose_sessions(self) -> None:
        """All is stored; the broker loses its sessions, with which nothing is lost, and the connection."""
        self.drain()
        self.has_session = False
        self.next_mid = 1
        self.disconnect()

    @precondition(lambda self: self.frozen)
    @rule()
    def thaw(self) -> None:
        """A writer that was frozen, and whose session another took over, wants to commit after all."""
        writer, messages = self.frozen.popleft()
        with suppress(SessionTaken):
            writer.write(messages)

    @rule(is_frozen=st.booleans())
    def restart(self, is_frozen: bool) -> None:
        """Kill -9: what was in memory is gone; or another takes over from a worker that is only frozen.

        But not before it is written down that the broker began the session anew (decision 0041): only memory knows.
        """
        while any(isinstance(waiting, SignedIn) and waiting.is_new for waiting in self.batches):
            self.commit(is_told=True)
        self.session.abandon()
        self.now_us += 1000
        if is_frozen and not self.frozen:
            batches = (batch for batch in self.batches if isinstance(batch, Batch))
            self.frozen.extend((self.writer, batch.messages) for batch in batches)
        self._requeue()
        self.open_session()

    def _requeue(self) -> None:
        again = [self.in_flight[mid]._replace(is_again=True) for mid in reversed(self.in_flight)]
        self.queue.extendleft(again)
        self.in_flight.clear()

    def _is_kept(self, payload: bytes) -> bool:
        if payload.startswith(b"["):
            return digest_of(TIMELESS, payload) in self.database.ever
        if b"online" in payload:
            return float(payload == STATE % b"true") in self.database.ever
        if payload.startswith(WITHOUT_CLOCK[:18]):
            return digest_of(TOPIC, payload) in self.database.ever
        if payload.startswith(b"garbage") or b": 13.0}" in payload:
            return payload in self.database.letters
        body = json.loads(payload)
        at, value = body["observed_at"] * 1000, body["water_depth_m"]
        return self.database.rows.get(at) == value or (at, value) in self.database.conflicts

    def changes(self) -> list[float]:
        """What the device said of itself, each change once."""
        said = [float(payload == STATE % b"true") for payload in self.published if b"online" in payload]
        return [value for value, _ in groupby(said)]

    def without_clock(self) -> list[float]:
        """What the device said while its clock was lost."""
        return [json.loads(payload)["water_depth_m"] for payload in self.published if b'": 0,' in payload]

    @invariant()
    def acknowledged_means_committed(self) -> None:
        assert all(self._is_kept(payload) for payload in getattr(self, "acknowledged", []))

    @invariant()
    def every_message_is_somewhere(self) -> None:
        if hasattr(self, "published"):
            held = len(self.queue) + len(self.in_flight) + len(self.acknowledged)
            assert held == len(self.published)
            without_clock = self.database.without_clock
            assert without_clock == self.without_clock()[: len(without_clock)]
            stored = len(self.database.rows) + len(self.database.states) + len(self.database.timeless)
            stored += len(without_clock)
            kept = {"stored": stored, "conflicts": len(self.database.conflicts)}
            said = self.changes()
            assert [value for _, value in self.database.states] == said[: len(self.database.states)]
            assert self.database.counted == kept | {"dead_letters": len(self.database.letters)}
            assert self.session.undelivered >= 0

    def teardown(self) -> None:
        if hasattr(self, "session"):
            self.drain()
            self.session.abandon()

    def drain(self) -> None:
        """Without faults everything ends, and nothing is left over."""
        self.disconnect()
        self._settle_all()
        self._check_end()

    def _settle_all(self) -> None:
        while self.queue or self.in_flight or self.batches:
            if self.queue and self.is_read():
                self.receive(8, 1)
            self.session._close_batch()
            while self.batches:
                self.commit(is_told=True)
            self.settle()

    def _check_end(self) -> None:
        assert sorted(self.acknowledged) == sorted(self.published)
        assert self.session.undelivered == 0
        assert [value for _, value in self.database.states] == self.changes()
        assert self.database.without_clock == self.without_clock()
        timeless = Counter(VOLTS % int(value) for value in self.database.timeless.values())
        assert timeless == Counter(payload for payload in self.published if payload.startswith(b"["))
        self.acknowledged_means_committed()
        self.every_message_is_somewhere()


TestIngestMachine = IngestMachine.TestCase
TestIngestMachine.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
