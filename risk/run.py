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

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np
import structlog
from numpy.typing import NDArray

from risk.ahead import Nowcast, Question, answered
from risk.arrays import NEVER_US, from_us, to_us
from risk.engine import ENGINE_VERSION, Engine, Inputs, plant_of, question, tick, with_past, with_site
from risk.inputs import act_of, columns_of
from risk.left import Left
from risk.nowcaster import Nowcaster
from risk.output import TickOutput
from risk.past.inforce import Past
from risk.past.library import read_document
from risk.pending import NEWEST, PendingTick, parted
from risk.presence import devices_by_status, presence_acts
from risk.rows import alarm_rows, assessment_rows, event_rows, tick_rows
from risk.snapshot import dump_state, load_state, read_header
from risk.without import rows_after
from undercroft.clock import Clock
from undercroft.errors import StoreRejected, StoreUnavailable
from undercroft.model import Mode
from undercroft.site.model import Site
from undercroft.site.places import sensor_key
from undercroft.store import engine as store
from undercroft.store.connection import Connection, connect
from undercroft.store.floods import KIND, library_document
from undercroft.store.migrate import mode_of
from undercroft.store.site import site_at
from undercroft.store.standstill import await_release

log = structlog.get_logger(__name__)

LEAST_SPACING = timedelta(milliseconds=200)
MOST_SPACING = timedelta(seconds=5)
TREMBLE = timedelta(seconds=5)
"""A clock that goes back by no more is waited for; by more it was set back, and is followed (docs/decisions/0037)."""
SNAPSHOT_EVERY = timedelta(minutes=5)
SNAPSHOT_EVERY_RUN_TICKS = 50
TICKS_AT_ONCE = 50
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


def recorded(row: store.TickRow) -> PendingTick:
    """Return a tick of the log, to be taken again."""
    named = row.tick_seq, row.tick_at, row.up_to_commit_seq, row.run_seq, row.nowcast_id
    return PendingTick(*named, asked=row.asked, is_recorded=True)


class Follower:
    """Folds ticks over the commit order of a database; holds the engine's memory."""

    def __init__(self, connection: Connection, rework: Callable[[Site], Site] = lambda site: site) -> None:
        self._connection = connection
        self._rework = rework
        self.engine: Engine | None = None
        self.cursor = 0
        self.tick_seq = 0
        self.tick_at: datetime | None = None
        self.snapshot_tick_seq = 0
        self.snapshot_at: datetime | None = None
        self._index_of_id: NDArray[np.int64] = np.zeros(0, np.int64)
        self._status_of_id: dict[int, str] = {}
        self._questions: dict[int, Question] = {}

    def restore(self) -> None:
        """Come to the state after the last recorded tick."""
        newest = store.last_tick(self._connection)
        if newest is None:
            return
        self._load_snapshot(newest["tick_seq"])
        refolded = 0
        while ticks := store.ticks_after(self._connection, self.tick_seq, TICKS_AT_ONCE):
            self.take([recorded(row) for row in ticks])
            refolded += len(ticks)
        log.info("engine_restored", tick_seq=self.tick_seq, snapshot=self.snapshot_tick_seq, refolded=refolded)

    def restore_before(self, tick_seq: int) -> None:
        """Come to the newest kept state before a tick, or to the very beginning."""
        self._load_snapshot(tick_seq - 1)

    def _load_snapshot(self, up_to_tick_seq: int) -> None:
        for snapshot in store.snapshots(self._connection, up_to_tick_seq):
            if snapshot.engine_version != ENGINE_VERSION:
                continue
            header = read_header(snapshot.state)
            _, site = site_at(self._connection, header["site_commit_seq"])
            self.tick_at = from_us(header["tick_us"])
            plant = plant_of(site, self.tick_at, Left.from_json(header["left"]))
            self.engine = Engine(load_state(snapshot.state, plant.arrays), plant)
            self._use_library(self.engine.state.library or None)
            self.cursor, self.tick_seq = header["up_to"], snapshot.tick_seq
            self.snapshot_tick_seq, self.snapshot_at = snapshot.tick_seq, self.tick_at
            self._map_sensors()
            self._questions = {self.tick_seq: question(self.engine)}  # asked just after it was kept, used ticks later
            return

    def _map_sensors(self) -> None:
        """Note the numbers of the site's sensors, and settle the site in memory."""
        assert self.engine is not None  # noqa: S101 - called once a site is there
        index = self.engine.plant.arrays.sensor_index
        keys = store.sensor_keys(self._connection, sensor_key)
        self._index_of_id = np.full(max(keys, default=0) + 1, -1, np.int64)
        self._status_of_id = devices_by_status(keys)
        for sensor_id, key in keys.items():
            self._index_of_id[sensor_id] = index.get(key, -1)
        _settle()

    def _heard_us(self, sensor_id: int) -> int:
        """Return the time of the newest reading of a sensor, by its number, none ahead. [microseconds since 1970]"""
        assert self.engine is not None  # noqa: S101 - called once a site is there
        index = int(self._index_of_id[sensor_id])
        return NEVER_US if index < 0 else int(self.engine.state.order_us[index])

    def take(self, pending: list[PendingTick], ready: Nowcast | None = None) -> list[TickOutput]:
        """Fold ticks in order and return what they say. Ticks before the first site say nothing and do not count.

        A new tick that covers an import with something before it becomes two (`risk.pending`). ``ready`` is a nowcast
        that was finished beside them, for the first; one of thresholds that hold no more is dropped.
        """
        after, up_to = self.cursor, pending[-1].up_to
        stretch = store.stretch(self._connection, after, up_to)
        columns = columns_of(stretch.observations)
        acts = [act_of(row) for row in stretch.acts]
        sites = stretch.site_versions
        outputs = []
        for entry in parted(pending, after, sites if self.engine is not None else sites[1:]):
            before = self.cursor
            nowcast, ready = self._of_these_thresholds(ready) or self._nowcast_of(entry), None
            self._take_site([seq for seq in sites if before < seq <= entry.up_to], entry)
            if self.engine is None:
                continue
            for act in acts:
                if act.kind == KIND and before < act.commit_seq <= entry.up_to:
                    self._use_library(act.body["version"])
            inputs = Inputs(
                tick_seq=entry.tick_seq,
                tick_us=to_us(entry.tick_at),
                up_to=entry.up_to,
                run_seq=entry.run_seq,
                samples=columns.between(before, entry.up_to, self._index_of_id),
                acts=(
                    *(act for act in acts if before < act.commit_seq <= entry.up_to),
                    *presence_acts(
                        columns.of_sensors(before, entry.up_to, list(self._status_of_id)),
                        self._status_of_id,
                        entry.up_to,
                        self._heard_us,
                    ),
                ),
                nowcast=nowcast,
            )
            arrays = self.engine.plant.arrays
            self.engine, output = tick(self.engine, inputs)
            if self.engine.plant.arrays.sensors is not arrays.sensors:
                self._index_of_id = rows_after(arrays, self.engine.plant.arrays)[self._index_of_id]
            if entry.asked:
                self._questions[entry.tick_seq] = question(self.engine)
            outputs.append(output)
            self.cursor, self.tick_seq, self.tick_at = entry.up_to, entry.tick_seq, entry.tick_at
        return outputs

    def question(self) -> Question:
        """Return what the ensemble is asked of the memory after the last tick."""
        assert self.engine is not None  # noqa: S101 - a tick was taken
        return question(self.engine)

    def _of_these_thresholds(self, ready: Nowcast | None) -> Nowcast | None:
        """Return a nowcast unless other thresholds came into force since it was asked for.

        It is dropped here and not in the tick, so that a tick of the log takes what it took.
        """
        if ready is None or self.engine is None:
            return None
        return ready if ready.valid_from_us == self.engine.plant.arrays.valid_from_us else None

    def _nowcast_of(self, entry: PendingTick) -> Nowcast | None:
        """Return the nowcast that a tick is the first to use, made from the memory after an earlier one.

        Raises
        ------
        StoreRejected
            If the log names a tick whose memory cannot be come by.
        """
        if self.engine is None or self.tick_at is None or entry.nowcast_id in {None, self.engine.state.nowcast_id}:
            return None
        asked = self._questions.pop(entry.nowcast_id, None)
        if asked is None and entry.nowcast_id in {NEWEST, self.tick_seq}:
            asked = question(self.engine)
        if asked is None:
            raise StoreRejected(
                f"tick {entry.tick_seq} took the nowcast of tick {entry.nowcast_id}, which is not known"
            )
        self._questions = {seq: kept for seq, kept in self._questions.items() if seq > asked.nowcast_id}
        return answered(asked)

    def _take_site(self, versions: list[int], entry: PendingTick) -> None:
        if not versions:
            return
        commit_seq, site = site_at(self._connection, versions[-1])
        if self.engine is None:
            self.engine = Engine.start(self._rework(site), commit_seq, entry.tick_at)
        else:
            self.engine = with_site(self.engine, self._rework(site), commit_seq, entry.tick_at)
        self._map_sensors()
        log.info("site_taken", commit_seq=commit_seq, spaces=len(site.spaces))

    def _use_library(self, version: int | None) -> None:
        """Take a library of past floods into use, or none."""
        assert self.engine is not None  # noqa: S101 - called once a site is there
        past = None
        if version is not None:
            past = Past(version, read_document(library_document(self._connection, version)["document"]))
        self.engine = with_past(self.engine, past)
        log.info("flood_library_taken", version=version, sensors=0 if past is None else len(past.row))

    def snapshot(self) -> store.Snapshot:
        """Return the memory after the last tick, to be committed with it."""
        assert self.engine is not None  # noqa: S101 - a tick was taken
        self.snapshot_tick_seq, self.snapshot_at = self.tick_seq, self.tick_at
        return store.Snapshot(self.tick_seq, ENGINE_VERSION, dump_state(self.engine.state, self.engine.plant.arrays))


def _settle() -> None:
    """Keep the collector from walking the site again and again: it holds a tick up for as long as a site is large."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


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
    due = follower.tick_seq - follower.snapshot_tick_seq >= SNAPSHOT_EVERY_RUN_TICKS
    _write(connection, follower, outputs, snapshot=due)
    return len(outputs)


def step_live(connection: Connection, follower: Follower, now: datetime, nowcaster: Nowcaster | None = None) -> None:
    """Take one tick on all that is committed, with the last finished nowcast if any is made.

    A clock that trembles does not move time back; one that was set back does, and the log says so.
    """
    last = follower.tick_at
    tick_at = now if last is None or last - now > TREMBLE else max(now, last)
    ready = None if nowcaster is None else nowcaster.finished()
    entry = PendingTick(follower.tick_seq + 1, tick_at, store.committed_up_to(connection), None)
    outputs = follower.take([entry], ready)
    due = follower.snapshot_at is None or not timedelta() <= tick_at - follower.snapshot_at < SNAPSHOT_EVERY
    _write(connection, follower, outputs, snapshot=due and not (nowcaster is not None and nowcaster.busy))
    if outputs and nowcaster is not None and nowcaster.wants_at(tick_at):
        nowcaster.ask(follower.question())


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
