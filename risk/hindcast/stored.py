"""A stored run folded again on other threshold sets; nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from risk.follower import Follower, recorded
from risk.hindcast.compare import Cases, with_sets
from risk.hydraulics.arrays import FloatArray
from undercroft.errors import BadInput
from undercroft.site.model import Site, ThresholdSet
from undercroft.store import engine as store
from undercroft.store.connection import Connection

TICKS_AT_ONCE = 500


def stored_cases(
    connection: Connection, sets: Callable[[Site], Sequence[ThresholdSet]], truth_m: float, alarm_severity: int
) -> Cases:
    """Fold every recorded tick again on other thresholds, acts included; one case per space that has a level sensor.

    Raises
    ------
    BadInput
        If nothing was recorded.
    """
    follower = Follower(connection, lambda site: with_sets(site, sets(site)))
    crossing: dict[str, float] = {}
    fired: dict[str, float] = {}
    started_s: float | None = None
    while ticks := store.ticks_after(connection, follower.tick_seq, TICKS_AT_ONCE):
        for row in ticks:
            outputs = follower.take([recorded(row)])
            if follower.engine is None or not outputs:
                continue
            now_s = outputs[0].tick_us / 1e6
            started_s = now_s if started_s is None else started_s
            for name in wet_spaces(follower, truth_m):
                crossing.setdefault(name, now_s - started_s)
            for event in outputs[0].events:
                if event.severity >= alarm_severity and event.subject.startswith("space/"):
                    fired.setdefault(event.subject.removeprefix("space/"), now_s - started_s)
    if follower.engine is None:
        raise BadInput("hindcast compare: no tick is recorded in this database")
    arrays = follower.engine.plant.arrays
    watched = sorted({arrays.spaces[row].id for row in arrays.l_space[arrays.l_family == 0].tolist()})
    return Cases(tuple(watched), _times(watched, crossing), _times(watched, fired))


def wet_spaces(follower: Follower, truth_m: float) -> list[str]:
    """Return the spaces where a good reading inside or on the road stands at a depth or above."""
    assert follower.engine is not None  # noqa: S101 - a tick was taken
    arrays, state = follower.engine.plant.arrays, follower.engine.state
    sensors = arrays.l_sensor
    wet = (arrays.l_family == 0) & (state.held[sensors] >= truth_m) & (state.good_run[sensors] > 0)
    return [arrays.spaces[row].id for row in arrays.l_space[wet].tolist()]


def _times(names: Sequence[str], found: dict[str, float]) -> FloatArray:
    return np.array([found.get(name, np.nan) for name in names], np.float64)
