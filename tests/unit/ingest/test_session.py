"""The window of a session, what is open, and what a broker grants. The socket is real; nothing answers behind it."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

import ingest.session
from ingest.broker import BrokerLost, BrokerUrl, Connected
from ingest.failpoints import no_failpoint
from ingest.session import Batch, Session, SessionSettings, SignedIn, ungranted
from tests.unit.ingest.builders import NOON_US, level
from undercroft.clock import FakeClock
from undercroft.mqtt_frames import publish_frame
from undercroft.store.observations import instant

SENT, WINDOW = 100, 20
FRAME = publish_frame("t", b"x" * 20, 1)
SETTINGS = SessionSettings(
    BrokerUrl("", 1, False, None, None), "window", ("t",), batch_max_messages=5, batch_max_wait_s=0.0, window=WINDOW
)


class Database:
    """Commits nothing, until it is told to; then batch by batch."""

    def __init__(self) -> None:
        self.batches: deque[Batch] = deque()


class Watched(Session):
    """Looks at each wait for the network: a database that hangs stops the reading, until it is back."""

    greatest = 0
    has_stopped = False
    database: Database
    ready_at: list[int]
    """Messages that were open when the lane was told that it is subscribed."""

    def _wait(self, connection: socket.socket, is_reading: bool) -> bool:
        self.greatest = max(self.greatest, self.undelivered)
        if not is_reading and not self._stopping.is_set():
            self.has_stopped = True
        if self.has_stopped:
            while self.database.batches:
                self.committed(self.database.batches.popleft())
        if self._messages_read == SENT:
            assert self.has_stopped, "all was read, and nothing was committed"
            self._stopping.set()
        return super()._wait(connection, is_reading)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):
        yield ours, theirs


def served(
    pair: tuple[socket.socket, socket.socket],
    monkeypatch: pytest.MonkeyPatch,
    settings: SessionSettings,
    *,
    has_session: bool = True,
) -> tuple[Watched, list[int]]:
    """Serve all that was sent, a frame at a time; return the session, and how many were acknowledged each time."""
    ours, theirs = pair
    monkeypatch.setattr(ingest.session, "_READ_BYTES", len(FRAME))
    ours.setblocking(False)
    theirs.sendall(FRAME * SENT)
    database = Database()
    acknowledged: list[int] = []
    clock = FakeClock(instant(NOON_US))
    session = Watched(settings, lambda _: None, database.batches.append, acknowledged.append, clock, no_failpoint)
    session.database, session.ready_at = database, []
    nobody: Any = None
    session._generation = session._admitted = 1
    with ExitStack() as stack:
        stack.callback(session.abandon)
        session._serve(Connected(nobody, ours, has_session), lambda _: session.ready_at.append(session.undelivered))
    return session, acknowledged


def test_reading_stops_at_the_window_and_goes_on_when_the_database_does(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    session, acknowledged = served(pair, monkeypatch, SETTINGS)
    assert session.greatest == WINDOW
    assert sum(acknowledged) == SENT
    assert session.undelivered == 0


@pytest.mark.parametrize(("has_session", "ready_at"), [(True, [WINDOW]), (False, [])])
def test_a_session_that_the_broker_kept_is_served_though_its_backlog_hides_the_answer(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch, has_session: bool, ready_at: list[int]
) -> None:
    """The broker's answer to the subscription comes behind the backlog (here: never), and the database hangs."""
    session, _ = served(pair, monkeypatch, SETTINGS, has_session=has_session)
    assert session.ready_at == ready_at


def test_reading_stops_at_the_bytes_of_the_window_and_goes_on(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Topic and payload are 21 bytes: the fifth message reaches 100, long before the 20 of the other window."""
    session, _ = served(pair, monkeypatch, replace(SETTINGS, window_bytes=100))
    assert (session.greatest, session.undelivered, session.undelivered_bytes) == (5, 0, 0)


def test_a_broker_that_sends_nothing_for_a_second_holds_nothing(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each wait ends after 0.4 s of a clock of the test. One message comes at first; while it is open nobody knows."""
    ours, theirs = pair
    ours.setblocking(False)
    theirs.sendall(FRAME)
    clock = FakeClock(instant(NOON_US))
    seen: list[int | None] = []
    batches: deque[Batch] = deque()

    class Patient(Session):
        def _wait(self, connection: socket.socket, is_reading: bool) -> bool:
            del connection, is_reading
            seen.append(None if self.drained_us is None else (self.drained_us - NOON_US) // 1000)
            if len(seen) == 6:
                self.committed(batches.popleft())
            if len(seen) == 9:
                self.stop()
            clock.advance(timedelta(seconds=0.4))
            return not seen[1:]

    session = Patient(SETTINGS, lambda _: None, batches.append, lambda _: None, clock, no_failpoint)
    session._generation = session._admitted = 1
    nobody: Any = None
    session._serve(Connected(nobody, ours, True), lambda _: None)
    session.abandon()
    # heard at 0.4 s; open until the sixth wait, which ends at 2.4 s
    assert seen == [None] * 6 + [2400, 2800, 3200]


def test_no_message_is_read_before_it_is_written_down_that_the_session_was_taken(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    """Else a broker that lost its sessions is forgotten with a kill, and numbers of before mean new messages. A batch
    that another worker took is not acknowledged, and ends the connection.
    """
    ours, theirs = pair
    ours.setblocking(False)
    theirs.sendall(FRAME * 5)
    told: list[SignedIn] = []
    waits: list[bool] = []
    acknowledged: list[int] = []

    class Waiting(Session):
        def _wait(self, connection: socket.socket, is_reading: bool) -> bool:
            waits.append(is_reading)
            if len(waits) == 3:
                self.admit(told[0])
            return super()._wait(connection, is_reading)

    def drop(batch: Batch) -> None:
        session.dropped(batch)

    session = Waiting(SETTINGS, told.append, drop, acknowledged.append, FakeClock(instant(NOON_US)), no_failpoint)
    session._generation = 1
    session.sign_in(False)
    nobody: Any = None
    with ExitStack() as stack:
        stack.callback(session.abandon)
        stack.enter_context(pytest.raises(BrokerLost, match="another worker took the session over"))
        session._serve(Connected(nobody, ours, has_session=False), lambda _: None)
    assert (told, waits) == ([SignedIn(1, is_new=True)], [False, False, False, True])
    assert (session.undelivered, acknowledged, session._out) == (0, [], b"")


def test_what_is_committed_is_not_open_while_the_broker_is_away() -> None:
    """Else `system/ingest-lag` would be told, which is the database's, for a broker that is away."""
    clock = FakeClock(instant(NOON_US))
    batches: deque[Batch] = deque()
    session = Session(SETTINGS, lambda _: None, batches.append, lambda _: None, clock, no_failpoint)
    session._take([level(0.1)] * 7)
    session._close_batch()
    clock.advance(timedelta(seconds=11))
    assert (session.undelivered, session.oldest_age_s()) == (7, 11.0)
    session.committed(batches.popleft())
    assert (session.undelivered, session.oldest_age_s()) == (2, 11.0)
    session.committed(batches.popleft())
    assert (session.undelivered, session.oldest_age_s()) == (0, 0.0)
    session.abandon()


def test_a_batch_of_large_packs_is_closed_before_it_outlasts_a_transaction() -> None:
    """250,000 bytes each: 2,097,152 are reached by the ninth. 500 such packs of 2,000 were a million rows."""
    batches: deque[Batch] = deque()
    settings = replace(SETTINGS, batch_max_messages=500)
    session = Session(
        settings, lambda _: None, batches.append, lambda _: None, FakeClock(instant(NOON_US)), no_failpoint
    )
    pack = level(0.1)._replace(payload=b" " * 250_000)
    session._take([pack] * 20)
    session._close_batch()
    session._take([level(0.1)] * 500)
    session.abandon()
    assert [len(batch.messages) for batch in batches] == [9, 9, 2, 500]


FILTERS = ("flood/v1/+/+/+/observation", "senml/#")
OPTIONAL = frozenset({"senml/#"})


@pytest.mark.parametrize(
    ("granted", "expected"),
    [
        (b"\x01\x01", ()),
        (b"\x01\x80", ("senml/# is refused",)),
        (b"\x00\x01", ("flood/v1/+/+/+/observation is granted at QoS 0: what is under way can be lost",)),
    ],
)
def test_a_refused_decoder_leaves_the_rest_and_is_told(granted: bytes, expected: tuple[str, ...]) -> None:
    assert ungranted(granted, FILTERS, OPTIONAL) == expected


@pytest.mark.parametrize("granted", [b"\x80\x01", b"\x01", b"\x80\x80"])
def test_a_lane_without_its_own_filter_has_no_subscription(granted: bytes) -> None:
    with pytest.raises(BrokerLost):
        ungranted(granted, FILTERS, OPTIONAL)
