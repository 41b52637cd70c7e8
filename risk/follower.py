"""The engine's memory on the commit order of a database: ticks folded over it, come by again from snapshot and log."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import numpy as np
import structlog
from numpy.typing import NDArray

from risk.ahead import Nowcast, Question, answered
from risk.arrays import NEVER_US, SiteArrays, from_us, to_us
from risk.engine import ENGINE_VERSION, Engine, Inputs, plant_of, question, tick, with_past, with_site
from risk.inputs import act_of, columns_of
from risk.left import Left
from risk.nowcast_failed import CONDITION as NOWCAST_FAILED
from risk.nowcast_failed import where_of_error, words_of_error
from risk.output import TickOutput
from risk.past.inforce import Past
from risk.past.library import read_document
from risk.pending import NEWEST, PendingTick, parted
from risk.presence import OFFLINE, devices_by_status, presence_acts
from risk.set_back import CONDITION as CLOCK_SET_BACK
from risk.snapshot import carry_state, dump_state, is_readable, load_state, read_header
from risk.state import EngineState
from risk.takeover import coarser, logged_alarm, take_over
from risk.without import rows_after
from undercroft.errors import StoreRejected
from undercroft.site.model import Site
from undercroft.site.places import sensor_key
from undercroft.store import engine as store
from undercroft.store.connection import Connection
from undercroft.store.floods import KIND, library_document
from undercroft.store.site import site_at

log = structlog.get_logger(__name__)

TICKS_AT_ONCE = 50
MEMORY_REACH = timedelta(hours=3)
"""Where another version's memory cannot be read, so much of the log is folded again, in coarser steps: thrice the
longest that readings are remembered for (an hour of rain), and seconds of work for a district."""


def recorded(row: store.TickRow) -> PendingTick:
    """Return a tick of the log, to be taken again."""
    named = row.tick_seq, row.tick_at, row.up_to_commit_seq, row.run_seq, row.nowcast_id
    return PendingTick(*named, asked=row.asked, is_recorded=True, nowcast_error=row.nowcast_error)


class Follower:
    """Folds ticks over the commit order of a database; holds the engine's memory.

    ``taken_over_from``: version of the engine that wrote the log so far, until a snapshot says so.
    """

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
        self.taken_over_from: str | None = None
        self._failure: str | None = None

    def restore(self) -> None:
        """Come to the state after the last recorded tick."""
        newest = store.last_tick(self._connection)
        if newest is None:
            return
        if not self._load_snapshot(newest["tick_seq"]):
            self._take_over(newest)
            return
        refolded = 0
        while ticks := store.ticks_after(self._connection, self.tick_seq, TICKS_AT_ONCE):
            self.take([recorded(row) for row in ticks])
            refolded += len(ticks)
        log.info("engine_restored", tick_seq=self.tick_seq, snapshot=self.snapshot_tick_seq, refolded=refolded)

    def restore_before(self, tick_seq: int) -> None:
        """Come to the newest kept state before a tick, or to the very beginning."""
        self._load_snapshot(tick_seq - 1)

    def _load_snapshot(self, up_to_tick_seq: int) -> bool:
        """Stand on the newest kept memory of this version; False where there is none."""
        for snapshot in store.snapshots(self._connection, up_to_tick_seq):
            if snapshot.engine_version == ENGINE_VERSION and self._stand_on(snapshot, load_state):
                self._ask(self.tick_seq)  # asked when it was kept, used ticks later
                self.snapshot_tick_seq, self.snapshot_at = snapshot.tick_seq, self.tick_at
                return True
        return False

    def _stand_on(self, snapshot: store.Snapshot, read: Callable[[bytes, SiteArrays], EngineState | None]) -> bool:
        """Stand where a snapshot was kept; False where it cannot be read."""
        header = read_header(snapshot.state)
        _, site = site_at(self._connection, header["site_commit_seq"])
        tick_at = from_us(header["tick_us"])
        plant = plant_of(site, tick_at, Left.from_json(header["left"]))
        state = read(snapshot.state, plant.arrays)
        if state is None:
            return False
        self.engine = Engine(state, plant)
        self._use_library(state.library or None)
        self.cursor, self.tick_seq, self.tick_at = header["up_to"], snapshot.tick_seq, tick_at
        self._map_sensors()
        return True

    def _take_over(self, newest: store.Row) -> None:
        """Go on after a log that another version of the engine wrote (docs/decisions/0047).

        What that version remembered is carried on by name; where it cannot be, the last hours of the log are folded
        again. Forecasts of then are not made again. The alarms are those of the log.
        """
        kept = store.snapshots(self._connection, newest["tick_seq"])
        readable = [snapshot for snapshot in kept if is_readable(snapshot.engine_version)]
        carried = any(self._stand_on(one, partial(carry_state, version=one.engine_version)) for one in readable)
        if not carried:
            self._begin_at(store.tick_before(self._connection, newest["tick_at"] - MEMORY_REACH))
        began, imports = self.tick_seq, store.site_seqs(self._connection, self.cursor, newest["up_to_commit_seq"])
        while rows := store.ticks_after(self._connection, self.tick_seq, TICKS_AT_ONCE):
            ticks = [replace(recorded(row), nowcast_id=None, asked=False) for row in rows]
            self.take(ticks if carried else coarser(ticks, imports))
        assert self.engine is not None  # noqa: S101 - a recorded tick has a site
        alarms = [logged_alarm(row) for row in store.logged_alarms(self._connection)]
        silent = () if carried else (OFFLINE, CLOCK_SET_BACK, NOWCAST_FAILED)
        take_over(self.engine.state, self.engine.plant.arrays, alarms, silent=silent)
        self.taken_over_from = kept[0].engine_version if kept else "unknown"
        log.warning(
            "engine_taken_over", by=ENGINE_VERSION, of=self.taken_over_from, tick_seq=self.tick_seq,
            memory="carried" if carried else f"the last {MEMORY_REACH}", refolded=self.tick_seq - began,
            open_alarms=sum(alarm.active for alarm in alarms),
        )  # fmt: skip

    def _begin_at(self, row: store.Row | None) -> None:
        """Begin after a tick of the log, with what people did up to it; at the very beginning where there is none."""
        site_seq = None if row is None else store.site_seq_at(self._connection, row["up_to_commit_seq"])
        if row is None or site_seq is None:
            return
        up_to, tick_at = row["up_to_commit_seq"], row["tick_at"]
        self.engine = Engine.start(self._rework(site_at(self._connection, site_seq)[1]), site_seq, tick_at)
        self._map_sensors()
        acts = [act_of(act) for act in store.acts_up_to(self._connection, up_to)]
        used = [act.body["version"] for act in acts if act.kind == KIND]
        if used:
            self._use_library(used[-1])
        self.engine, _ = tick(self.engine, Inputs(row["tick_seq"], to_us(tick_at), up_to, acts=tuple(acts)))
        self.cursor, self.tick_seq, self.tick_at = up_to, row["tick_seq"], tick_at

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
                nowcast_error=entry.nowcast_error if entry.is_recorded else self._failure,
            )
            self._failure = None
            arrays = self.engine.plant.arrays
            self.engine, output = tick(self.engine, inputs)
            if self.engine.plant.arrays.sensors is not arrays.sensors:
                self._index_of_id = rows_after(arrays, self.engine.plant.arrays)[self._index_of_id]
            if entry.asked:
                self._ask(entry.tick_seq)
            outputs.append(output)
            self.cursor, self.tick_seq, self.tick_at = entry.up_to, entry.tick_seq, entry.tick_at
        return outputs

    def question(self) -> Question:
        """Return what the ensemble is asked of the memory after the last tick."""
        assert self.engine is not None  # noqa: S101 - a tick was taken
        return question(self.engine)

    def failed(self, error: Exception) -> None:
        """Have the next tick say that the nowcast or the library failed, and the log now; no tick ends by it."""
        self._failure = words_of_error(error)
        log.error("nowcast_failed", error=self._failure, tick_seq=self.tick_seq, where=where_of_error(error))

    def _ask(self, tick_seq: int) -> None:
        """Keep what would be asked of the memory after a tick, for a later one."""
        try:
            self._questions[tick_seq] = self.question()
        except Exception as error:  # noqa: BLE001 - the next tick tells it
            self.failed(error)

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
        try:
            return answered(self._asked_for(entry))
        except Exception as error:
            if entry.is_recorded:  # it was made then
                raise
            self.failed(error)
            return None

    def _asked_for(self, entry: PendingTick) -> Question:
        """Return the question whose answer a tick is the first to use."""
        assert entry.nowcast_id is not None  # noqa: S101 - it uses one
        asked = self._questions.pop(entry.nowcast_id, None)
        if asked is None and entry.nowcast_id in {NEWEST, self.tick_seq}:
            asked = self.question()
        if asked is None:
            raise StoreRejected(
                f"tick {entry.tick_seq} took the nowcast of tick {entry.nowcast_id}, which is not known"
            )
        self._questions = {seq: kept for seq, kept in self._questions.items() if seq > asked.nowcast_id}
        return asked

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
        """Take a library of past floods into use, or none; none too where it cannot be read, which the tick says."""
        assert self.engine is not None  # noqa: S101 - called once a site is there
        past = None
        if version is not None:
            document = library_document(self._connection, version)["document"]
            try:
                past = Past(version, read_document(document))
            except Exception as error:  # noqa: BLE001 - the tick tells it
                self.failed(error)
        self.engine = with_past(self.engine, past)
        log.info("flood_library_taken", version=version, sensors=0 if past is None else len(past.row))

    def snapshot(self) -> store.Snapshot:
        """Return the memory after the last tick, to be committed with it."""
        assert self.engine is not None  # noqa: S101 - a tick was taken
        self.snapshot_tick_seq, self.snapshot_at = self.tick_seq, self.tick_at
        state, taken_over = dump_state(self.engine.state, self.engine.plant.arrays), self.taken_over_from
        self.taken_over_from = None
        return store.Snapshot(self.tick_seq, ENGINE_VERSION, state, taken_over)


def _settle() -> None:
    """Keep the collector from walking the site again and again: it holds a tick up for as long as a site is large."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
