"""What the engine asks of the store: inputs in commit order, and one transaction for what ticks say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import orjson
from psycopg.rows import tuple_row

from undercroft.store.commit import COMMIT_CHANNEL, TICK_CHANNEL
from undercroft.store.connection import Connection, translated_errors
from undercroft.store.sql import sql

Row = dict[str, Any]
ObservationRow = tuple[int, int, int, float, int, bool]
"""(commit_seq, sensor_id, observed_us, value, quality, whether it is BUFFERED)"""

SNAPSHOTS_KEPT = 3


@dataclass(frozen=True, slots=True)
class TickRow:
    """A tick as it is recorded."""

    tick_seq: int
    tick_at: datetime
    up_to_commit_seq: int
    run_seq: int | None
    nowcast_id: int | None
    asked: bool
    """A later tick took a nowcast that was made from the memory after this one."""
    nowcast_error: str | None = None


@dataclass(frozen=True, slots=True)
class Boundary:
    """The end of a batch that a run clock closed: a tick of a run."""

    tick_at: datetime
    run_seq: int
    up_to_commit_seq: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The engine's memory after a tick."""

    tick_seq: int
    engine_version: str
    state: bytes
    taken_over_from: str | None = None
    """Version of the engine that wrote the log up to this tick, where another one goes on from here."""


def _rows(connection: Connection, name: str, **values: object) -> list[Row]:
    with translated_errors():
        return connection.execute(sql(name).encode(), values).fetchall()


def try_engine_lock(connection: Connection) -> bool:
    """Take the lock of the one engine of this database while the connection lives; tell whether it is ours."""
    locked = bool(_rows(connection, "engine_try_lock")[0]["locked"])
    connection.commit()
    return locked


def listen_for_commits(connection: Connection) -> None:
    """Ask to be woken by commits; the connection must be in autocommit."""
    with translated_errors():
        connection.execute(f"listen {COMMIT_CHANNEL}".encode())


def wait_for_commit(connection: Connection, timeout_s: float) -> bool:
    """Wait for a commit, at most this long; tell whether one came. Those already waiting are taken together. [s]"""
    with translated_errors():
        return any(True for _ in connection.notifies(timeout=timeout_s, stop_after=1))


def hear_commits(connection: Connection, timeout_s: float) -> Iterator[int]:
    """Yield the number of every commit as it is told, for so long. [s]"""
    with translated_errors():
        for notice in connection.notifies(timeout=timeout_s):
            yield int(notice.payload)


def committed_up_to(connection: Connection) -> int:
    """Return the newest number of the commit order."""
    return int(_rows(connection, "engine_committed")[0]["commit_seq"])


def last_tick(connection: Connection) -> Row | None:
    """Return the newest tick, or None."""
    return next(iter(_rows(connection, "engine_last_tick")), None)


def ticks_after(connection: Connection, tick_seq: int, most: int) -> list[TickRow]:
    """Return recorded ticks in order."""
    return [TickRow(**row) for row in _rows(connection, "engine_ticks_after", tick_seq=tick_seq, most=most)]


def before_first_site(connection: Connection) -> int | None:
    """Return the number of the commit order just before the first site; None while there is no site."""
    seq: int | None = _rows(connection, "engine_before_first_site")[0]["commit_seq"]
    return seq


def boundaries_after(connection: Connection, after: int, most: int) -> list[Boundary]:
    """Return the ticks of a run that are still to be taken, in order."""
    return [Boundary(**row) for row in _rows(connection, "engine_boundaries", after=after, most=most)]


def snapshots(connection: Connection, up_to_tick_seq: int) -> list[Snapshot]:
    """Return the snapshots of ticks up to this one, newest first."""
    return [Snapshot(**row) for row in _rows(connection, "engine_snapshots", tick_seq=up_to_tick_seq)]


def taken_over(connection: Connection) -> Row | None:
    """Return the newest tick at which one version of the engine took over from another, and that one; None for none."""
    return next(iter(_rows(connection, "engine_taken_over")), None)


def write_takeover(connection: Connection, snapshot: Snapshot) -> None:
    """Commit the memory with which a version of the engine goes on, in place of another version's after that tick."""
    with translated_errors(), connection.transaction():
        connection.execute(sql("engine_drop_snapshot").encode(), {"tick_seq": snapshot.tick_seq})
        connection.execute(sql("engine_insert_snapshot").encode(), asdict(snapshot))


def logged_alarms(connection: Connection) -> list[Row]:
    """Return the last alarm of every subject of the alarm log, and the newest number of its log."""
    return _rows(connection, "engine_logged_alarms")


def tick_before(connection: Connection, at: datetime) -> Row | None:
    """Return the last tick of the log before a time; None where the log begins after it."""
    return next(iter(_rows(connection, "engine_tick_before", at=at)), None)


def site_seq_at(connection: Connection, up_to: int) -> int | None:
    """Return the number of the site version in force at a point of the commit order; None before the first."""
    seq: int | None = _rows(connection, "engine_site_at", up_to=up_to)[0]["commit_seq"]
    return seq


def site_seqs(connection: Connection, after: int, up_to: int) -> list[int]:
    """Return the numbers of the site versions in a stretch of the commit order."""
    return [row["commit_seq"] for row in _rows(connection, "engine_site_versions", after=after, up_to=up_to)]


def acts_up_to(connection: Connection, up_to: int) -> list[Row]:
    """Return all that people did, and were told, up to a point of the commit order."""
    return _rows(connection, "engine_acts", after=0, up_to=up_to)


@dataclass(frozen=True, slots=True)
class Stretch:
    """What lies in a stretch of the commit order.

    Attributes
    ----------
    observations : list of tuple
        Readings, conflicting ones too.
    acts : list of dict
        What people did.
    site_versions : list of int
        Where the site changed.
    """

    observations: list[ObservationRow]
    acts: list[Row]
    site_versions: list[int]


def stretch(connection: Connection, after: int, up_to: int) -> Stretch:
    """Return what was committed after a number up to another, asked for in one round trip."""
    limits = {"after": after, "up_to": up_to}
    with (
        translated_errors(),
        connection.cursor(binary=True, row_factory=tuple_row) as readings,
        connection.cursor() as acts,
        connection.cursor(row_factory=tuple_row) as sites,
    ):
        with connection.pipeline():
            readings.execute(sql("engine_observations").encode(), limits)
            acts.execute(sql("engine_acts").encode(), limits)
            sites.execute(sql("engine_site_versions").encode(), limits)
        return Stretch(readings.fetchall(), acts.fetchall(), [row[0] for row in sites.fetchall()])


def sensor_keys(connection: Connection, key: Callable[[str, str, str], str]) -> dict[int, str]:
    """Return sensor id -> name; ``key`` makes a name of device, probe and quantity."""
    rows = _rows(connection, "engine_sensor_keys")
    return {row["sensor_id"]: key(row["device_id"], row["at"], row["quantity"]) for row in rows}


_JSON_STATEMENTS = {
    "assessments": "engine_insert_assessments",
    "alarms": "engine_upsert_alarms",
    "events": "engine_insert_alarm_events",
}
_TICK_COLUMNS = ("tick_seq", "tick_at", "up_to", "run_seq", "nowcast_id", "flood_library", "nowcast_error")


@dataclass(frozen=True, slots=True)
class TickWrite:
    """Rows of one or more ticks by table; all values as JSON takes them, but for the ticks' own."""

    ticks: list[Row]
    assessments: list[Row]
    alarms: list[Row]
    events: list[Row]


def write_ticks(connection: Connection, write: TickWrite, snapshot: Snapshot | None) -> None:
    """Commit the output of ticks, their cursor and a snapshot together, and tell the readers. All of it, or nothing."""
    with translated_errors(), connection.transaction(), connection.pipeline():
        ticks = {name: [row[name] for row in write.ticks] for name in _TICK_COLUMNS}
        connection.execute(sql("engine_insert_ticks").encode(), ticks, prepare=True)
        for part, name in _JSON_STATEMENTS.items():
            rows: list[Row] = getattr(write, part)
            if rows:
                connection.execute(sql(name).encode(), {"rows": orjson.dumps(rows).decode()}, prepare=True)
        if snapshot is not None:
            connection.execute(sql("engine_insert_snapshot").encode(), asdict(snapshot))
            connection.execute(sql("engine_prune_snapshots").encode(), {"kept": SNAPSHOTS_KEPT})
        newest = {"channel": TICK_CHANNEL, "tick_seq": write.ticks[-1]["tick_seq"]}
        connection.execute(sql("engine_notify_tick").encode(), newest, prepare=True)


def alarm_events(connection: Connection) -> list[Row]:
    """Return the whole alarm log."""
    return _rows(connection, "alarm_events_canonical")


def alarms(connection: Connection, *, open_only: bool) -> list[Row]:
    """Return the alarms, open ones first, worst first."""
    return _rows(connection, "alarms_list", open_only=open_only)
