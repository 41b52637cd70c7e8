"""The tick log worked out again up to a tick, from the newest snapshot that is early enough; nothing is written."""

from __future__ import annotations

from risk.follower import TICKS_AT_ONCE, Follower, recorded
from risk.output import TickOutput
from undercroft.errors import BadInput
from undercroft.store import engine as store
from undercroft.store.asof import batches_gone
from undercroft.store.connection import Connection


def refold(connection: Connection, tick_seq: int, *, before: int | None = None) -> tuple[Follower, list[TickOutput]]:
    """Return the engine as it stood after a recorded tick, and what the ticks said that were worked out again.

    Parameters
    ----------
    before : int
        Begin before this tick, so that it is worked out again; default: where the work is least.

    Raises
    ------
    BadInput
        If batches that it would need are no longer kept, or another version of the engine took it.
    """
    follower = Follower(connection)
    follower.restore_before(tick_seq + 1 if before is None else before)
    other = store.taken_over(connection)
    if other is not None and follower.tick_seq < other["tick_seq"]:
        raise BadInput(
            f"tick {tick_seq} cannot be worked out again: version {other['taken_over_from']} of the engine took it,"
            f" and up to tick {other['tick_seq']} the log is of that version"
        )
    if batches_gone(connection, follower.cursor):
        raise BadInput(
            f"tick {tick_seq} cannot be worked out again: batches after commit {follower.cursor} are no longer kept"
            " (retention_class `batch`; an incident_hold would have kept them)"
        )
    outputs = list[TickOutput]()
    while follower.tick_seq < tick_seq:
        ticks = store.ticks_after(connection, follower.tick_seq, TICKS_AT_ONCE)
        pending = [recorded(row) for row in ticks if row.tick_seq <= tick_seq]
        if not pending:
            break
        outputs += follower.take(pending)
    return follower, outputs


def refolded(connection: Connection, tick_seq: int) -> tuple[int, list[TickOutput], dict[str, int]]:
    """Work out recorded ticks again up to one of them.

    Returns
    -------
    int
        Tick of the snapshot that it began with, 0 without one.
    list of TickOutput
        What the later ticks say.
    dict
        Severity of every open alarm after the last, by subject.

    Raises
    ------
    BadInput
        If batches that it would need are no longer kept, or another version of the engine took it.
    """
    follower, outputs = refold(connection, tick_seq, before=tick_seq)
    assert follower.engine is not None  # noqa: S101 - a recorded tick has a site
    state, spaces = follower.engine.state, follower.engine.plant.arrays.spaces
    severities = {f"space/{space.id}": int(state.alarm_severity[row]) for row, space in enumerate(spaces)}
    severities |= {subject: alarm.severity for subject, alarm in state.conditions.items()}
    found = {subject: severity for subject, severity in severities.items() if severity}
    return follower.snapshot_tick_seq, outputs, found
