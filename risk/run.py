"""The engine's loop: the only place in this part with a store and a clock.

Live it ticks when woken, at most every 200 ms and at least every 5 s. In a run it ticks where a run clock closed a
batch. Either way a tick is recorded with its output in one transaction, so after a crash the memory is the last
snapshot with the later ticks of the log folded in again.

Each tick records the nowcast in force, named after the tick whose memory it was made from. Live a process makes it and
the next tick after it is done takes it; in a run tick n takes that of tick n - 1. Whoever folds the log again makes
the same from the same memory. A snapshot is written only while no nowcast is on its way, so that those which later
ticks took can be made from it (docs/decisions/0018).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from risk.ahead import Nowcast
from risk.follower import TICKS_AT_ONCE, Follower
from risk.nowcaster import Nowcaster
from risk.output import TickOutput
from risk.pending import NEWEST, PendingTick
from risk.rows import alarm_rows, assessment_rows, event_rows, tick_rows
from undercroft.clock import Clock
from undercroft.errors import StoreUnavailable
from undercroft.model import Mode
from undercroft.store import engine as store
from undercroft.store.connection import Connection, connect
from undercroft.store.migrate import mode_of
from undercroft.store.standstill import await_release

log = structlog.get_logger(__name__)

LEAST_SPACING = timedelta(milliseconds=200)
MOST_SPACING = timedelta(seconds=5)
TREMBLE = timedelta(seconds=5)
"""A clock that goes back by no more is waited for; by more it was set back, and is followed (docs/decisions/0037)."""
SNAPSHOT_EVERY = timedelta(minutes=5)
SNAPSHOT_EVERY_RUN_TICKS = 50
WAIT_S = 0.25
RECONNECT_AFTER_S = 1.0
ANSWER_WITHIN_S = 120.0
"""A database that lets one statement wait this long is left, and connected to anew: it may be frozen, or gone. [s]"""


class Stop(Protocol):
    """Asked between steps; once set the loop ends."""

    def is_set(self) -> bool:
        """Tell whether to stop."""
        ...


class StopFlag:
    """A stop that a signal handler can set."""

    def __init__(self) -> None:
        self._set = False

    def set(self) -> None:
        """Ask to stop."""
        self._set = True

    def is_set(self) -> bool:
        """Tell whether to stop."""
        return self._set


def _write(connection: Connection, follower: Follower, outputs: list[TickOutput], *, snapshot: bool) -> None:
    if not outputs:
        return
    write = store.TickWrite(tick_rows(outputs), assessment_rows(outputs), alarm_rows(outputs), event_rows(outputs))
    store.write_ticks(connection, write, follower.snapshot() if snapshot else None)


def step_run(connection: Connection, follower: Follower) -> int:
    """Take the ticks of a run that are due, those of at most 50 batches, in one transaction; return how many.

    Run clocks before the first site are none; what was committed beside them is covered by the first tick.
    """
    after = follower.cursor if follower.engine is not None else store.before_first_site(connection)
    boundaries = [] if after is None else store.boundaries_after(connection, after, TICKS_AT_ONCE)
    if not boundaries:
        return 0
    first = follower.tick_seq + 1
    pending = [
        PendingTick(first + number, entry.tick_at, entry.up_to_commit_seq, entry.run_seq, NEWEST)
        for number, entry in enumerate(boundaries)
    ]
    outputs = follower.take(pending)
    due = not follower.snapshot_tick_seq or follower.tick_seq - follower.snapshot_tick_seq >= SNAPSHOT_EVERY_RUN_TICKS
    _write(connection, follower, outputs, snapshot=due)
    return len(outputs)


def step_live(connection: Connection, follower: Follower, now: datetime, nowcaster: Nowcaster | None = None) -> None:
    """Take one tick on all that is committed, with the last finished nowcast if any is made.

    A clock that trembles does not move time back; one that was set back does, and the log says so.
    """
    last = follower.tick_at
    tick_at = now if last is None or last - now > TREMBLE else max(now, last)
    ready = _fetched(follower, nowcaster)
    entry = PendingTick(follower.tick_seq + 1, tick_at, store.committed_up_to(connection), None)
    outputs = follower.take([entry], ready)
    due = follower.snapshot_at is None or not timedelta() <= tick_at - follower.snapshot_at < SNAPSHOT_EVERY
    _write(connection, follower, outputs, snapshot=due and not (nowcaster is not None and nowcaster.busy))
    if outputs and nowcaster is not None and nowcaster.wants_at(tick_at):
        try:
            nowcaster.ask(follower.question())
        except Exception as error:  # noqa: BLE001 - the next tick tells it
            follower.failed(error)


def _fetched(follower: Follower, nowcaster: Nowcaster | None) -> Nowcast | None:
    """Return the nowcast that was finished; one that failed is told by the tick, which goes on with the last."""
    if nowcaster is None:
        return None
    try:
        ready = nowcaster.finished()
    except Exception as error:  # noqa: BLE001 - the tick tells it
        follower.failed(error)
        return None
    if lost := nowcaster.lost():
        follower.failed(RuntimeError(lost))
    return ready


def run_engine(url: str, clock: Clock, stop: Stop, on_ready: Callable[[], None]) -> None:
    """Run until told to stop. A database that goes away is waited for; the memory then comes from the store again."""
    while not stop.is_set():
        try:
            with _sessions(url) as (connection, listener):
                if _await_lock(connection, stop) and await_release(connection, stop.is_set, time.sleep, _say_held):
                    store.listen_for_commits(listener)
                    on_ready()
                    _follow(connection, listener, clock, stop)
        except StoreUnavailable as error:
            log.warning("database_lost", error=str(error))
            time.sleep(RECONNECT_AFTER_S)


def _say_held(since: datetime) -> None:
    log.warning("database_held", since=since.isoformat(), until="undercroft db release")


@contextmanager
def _sessions(url: str) -> Iterator[tuple[Connection, Connection]]:
    with (
        closing(_session(url, "undercroft-engine")) as connection,
        closing(_session(url, "undercroft-engine-listener")) as listener,
    ):
        yield connection, listener


def _session(url: str, name: str) -> Connection:
    return connect(url, application_name=name, autocommit=True, answer_within_s=ANSWER_WITHIN_S)


def _await_lock(connection: Connection, stop: Stop) -> bool:
    """Wait until this is the one engine of the database; False when told to stop before."""
    told = False
    while not stop.is_set():
        if store.try_engine_lock(connection):
            return True
        if not told:
            log.info("another_engine_runs", waiting=True)
            told = True
        time.sleep(WAIT_S)
    return False


def _follow(connection: Connection, listener: Connection, clock: Clock, stop: Stop) -> None:
    mode = mode_of(connection)
    follower = Follower(connection)
    follower.restore()
    if follower.taken_over_from is not None:
        store.write_takeover(connection, follower.snapshot())
    log.info("engine_follows", mode=mode.value, tick_seq=follower.tick_seq)
    if mode is Mode.EXERCISE:
        while not stop.is_set():
            if not step_run(connection, follower):
                store.wait_for_commit(listener, WAIT_S)
    else:
        with Nowcaster() as nowcaster:
            _follow_live((connection, listener), follower, nowcaster, clock, stop)


def _follow_live(
    sessions: tuple[Connection, Connection], follower: Follower, nowcaster: Nowcaster, clock: Clock, stop: Stop
) -> None:
    connection, listener = sessions
    last_s = clock.monotonic_s() - MOST_SPACING.total_seconds()
    woken = False
    while not stop.is_set():
        waited_s = clock.monotonic_s() - last_s
        if waited_s >= MOST_SPACING.total_seconds() or (woken and waited_s >= LEAST_SPACING.total_seconds()):
            last_s, woken = clock.monotonic_s(), False
            step_live(connection, follower, clock.now(), nowcaster)
        elif woken:
            time.sleep(LEAST_SPACING.total_seconds() - waited_s)
        else:
            woken = store.wait_for_commit(listener, min(WAIT_S, MOST_SPACING.total_seconds() - waited_s))
