"""A lane: one session and one writer, a thread each. The event lane never waits for the lane of routine readings."""

from __future__ import annotations

import queue
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from ingest.backoff import Backoff
from ingest.broker import BrokerLost
from ingest.failpoints import Failpoint
from ingest.former import ServedElsewhere
from ingest.metrics import Metrics
from ingest.pieces import Pieces
from ingest.session import Batch, Session, SessionSettings, SignedIn
from ingest.writer import BatchWriter
from undercroft.clock import Clock
from undercroft.errors import StoreRejected, StoreUnavailable
from undercroft.store.observations import microseconds
from undercroft.store.sessions import SessionTaken

_log = structlog.get_logger("ingest")
STOP_S = 8.0
"""A stop waits so long for open batches to be committed; after that they stay with the broker. [s]"""
GIVE_BACK_S = 5.0
"""The lanes of a slot that is given back wait so long together, since its worker keeps no slot meanwhile: it beats
every 2 s, and after 10 s loses its own (`ingest.share`). [s]"""
TAKE_UP_S = 30.0
"""A lane goes without its list of sessions when the database does not give it for so long. [s]"""


TakeUp = Callable[[threading.Event, Callable[[bool], None]], tuple[str, ...]]
"""Empties sessions of before, and tells whether the broker had kept the lane's own."""


@dataclass(frozen=True, slots=True)
class LaneWiring:
    """What a lane shares with the service around it."""

    clock: Clock
    failpoint: Failpoint
    metrics: Metrics
    on_subscribed: Callable[[str], None]
    on_end: Callable[[], None]


class Lane:
    """Runs until `stop`; `failure` holds what ended it otherwise."""

    def __init__(
        self,
        name: str,
        settings: SessionSettings,
        writer: BatchWriter,
        wiring: LaneWiring,
        take_up: TakeUp | None = None,
    ) -> None:
        self.name = name
        self.failure: BaseException | None = None
        self.ungranted: tuple[str, ...] = ()
        """What the broker did not grant as asked, in words."""
        self._writer = writer
        self._wiring = wiring
        self._take_up = take_up
        """Still to be done: empties sessions of before, and returns filters of this one that it shall not have."""
        self._clock = wiring.clock
        self._metrics = wiring.metrics
        self._away_since_s: float | None = wiring.clock.monotonic_s()
        self._batches: queue.SimpleQueue[Batch | SignedIn | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._giving_up = threading.Event()
        acknowledged = self._metrics.acknowledged.labels(name)
        put = self._batches.put
        self._session = Session(settings, put, put, acknowledged.inc, wiring.clock, wiring.failpoint)
        self._metrics.watch(name, lambda: self._session.undelivered, self._session.oldest_age_s, self.delivery_delay_s)
        self._threads = (
            threading.Thread(target=self._guard, args=(self._read,), name=f"{name}-read", daemon=True),
            threading.Thread(target=self._guard, args=(self._commit,), name=f"{name}-commit", daemon=True),
        )

    def start(self) -> None:
        """Start both threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Commit what is open, acknowledge it, disconnect without ending the session."""
        self._stopping.set()
        self._session.stop()

    def join(self, within_s: float = STOP_S) -> bool:
        """Wait for the end of both threads; False if the database did not answer in time."""
        deadline_s = self._clock.monotonic_s() + within_s
        for thread in self._threads:
            thread.join(max(0.0, deadline_s - self._clock.monotonic_s()))
        self._giving_up.set()
        return not any(thread.is_alive() for thread in self._threads)

    def oldest_age_s(self) -> float:
        """Age of the oldest message that is not committed; 0 without one. [s]"""
        return self._session.oldest_age_s()

    def delivery_delay_s(self) -> float:
        """How old readings are when they come; NaN where too few devices speak. [s]"""
        return self._writer.delays.typical_s(microseconds(self._clock.now()), self._session.drained_us)

    def heard_us(self) -> dict[str, int]:
        """When each device was heard, whether it said anything new or not. [µs since 1970]"""
        return self._writer.delays.heard_us()

    def away_s(self) -> float:
        """Since when it has no subscription; 0 with one. [s]"""
        since_s = self._away_since_s
        return 0.0 if since_s is None else self._clock.monotonic_s() - since_s

    def _guard(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - handed to the service, which ends
            self.failure = error
            self._giving_up.set()
            self._wiring.on_end()

    def _read(self) -> None:
        backoff = Backoff(random.Random())  # noqa: S311 - jitter

        def subscribed(ungranted: tuple[str, ...]) -> None:
            backoff.reset()
            self._away_since_s = None
            self.ungranted = ungranted
            _log.info("subscribed", lane=self.name)
            for words in ungranted:
                _log.error("subscription_not_granted", lane=self.name, what=words)
            self._metrics.connections.labels(self.name).inc()
            self._wiring.on_subscribed(self.name)

        while not self._stopping.is_set():
            try:
                self._take_up_sessions()
                self._session.run(subscribed)
            except BrokerLost as error:
                if self._away_since_s is None:
                    self._away_since_s = self._clock.monotonic_s()
                wait_s = backoff.next_s()
                _log.warning("broker_lost", lane=self.name, error=str(error), retry_in_s=round(wait_s, 2))
                self._stopping.wait(wait_s)
        self._batches.put(None)

    def _take_up_sessions(self) -> None:
        """Do what is to be done before the first connection; what fails here is done before the next one."""
        backoff = Backoff(random.Random())  # noqa: S311 - jitter
        ends_s = self._clock.monotonic_s() + TAKE_UP_S
        while self._take_up is not None and not self._stopping.is_set():
            try:
                self._session.leave(self._take_up(self._stopping, self._session.sign_in))
                self._take_up = None
            except ServedElsewhere as error:
                _log.error("former_session_served_elsewhere", lane=self.name, error=str(error), hint="stop that worker")
                return
            except (StoreUnavailable, StoreRejected) as error:  # a right taken away comes back, too
                wait_s = backoff.next_s()
                _log.warning("sessions_not_taken_up", lane=self.name, error=str(error), retry_in_s=round(wait_s, 2))
                if self._clock.monotonic_s() > ends_s:
                    return
                self._stopping.wait(wait_s)

    def _commit(self) -> None:
        try:
            while (waiting := self._batches.get()) is not None:
                if isinstance(waiting, SignedIn):
                    if not self._take_session(waiting):
                        return
                    self._session.admit(waiting)
                    continue
                try:
                    if not self._commit_one(waiting):
                        return
                except SessionTaken as error:
                    _log.warning("batch_left_to_another_worker", lane=self.name, error=str(error))
                    self._session.dropped(waiting)
                else:
                    self._session.committed(waiting)
        finally:
            self._writer.close()

    def _take_session(self, connection: SignedIn) -> bool:
        """Take the session over with a new connection, however often it takes; False if the lane gave up before."""
        backoff = Backoff(random.Random())  # noqa: S311 - jitter
        while not self._giving_up.is_set():
            try:
                self._writer.take_session(is_new=connection.is_new)
            except StoreUnavailable as error:
                wait_s = backoff.next_s()
                _log.warning("session_not_taken", lane=self.name, error=str(error), retry_in_s=round(wait_s, 2))
                self._giving_up.wait(wait_s)
            else:
                return True
        return False

    def _commit_one(self, batch: Batch) -> bool:
        """Commit a batch, however often it takes; False if the lane gave up before."""
        backoff = Backoff(random.Random())  # noqa: S311 - jitter
        self._writer.delays.drained_us = batch.drained_us
        pieces = Pieces(self._writer, batch.messages)
        while not pieces.is_done:
            if self._giving_up.is_set():
                return False
            try:
                written = pieces.write_next()
            except StoreUnavailable as error:
                self._metrics.kept.labels(self.name).inc()
                wait_s = backoff.next_s()
                _log.warning("batch_kept", lane=self.name, error=str(error), retry_in_s=round(wait_s, 2))
                self._giving_up.wait(wait_s)
            else:
                backoff.reset()
                if written is not None:
                    self._metrics.note(self.name, written, self._clock.monotonic_s() - batch.closed_s)
        return True
